// What a log has on disk when it is stopped cleanly, and how little of it has to be written.
import type { Files } from '../fs/files.ts'
import type { Segment } from '../segment/segment.ts'
import type { ProducerState } from '../state/producer-state.ts'
import { persistIndexes } from './durability.ts'
import type { EpochFile } from './epoch-file.ts'
import type { LogParts } from './log-parts.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { SumFile } from './sum-file.ts'

/** What a log holds when it is stopped. */
export interface EndingLog {
  readonly active: Segment
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly epochFile: EpochFile
  hasSegment(baseOffset: number): boolean
}

/** Remembers whether the files are still as a clean stop leaves them, and makes them so at the end. */
export class CleanEnd {
  readonly #files: Files
  readonly #directory: string
  readonly #snapshots: SnapshotFiles
  readonly #sums: SumFile
  readonly #areNamesDurable: boolean
  #isSettled: boolean

  constructor(parts: LogParts) {
    this.#files = parts.environment.files
    this.#directory = parts.directory
    this.#snapshots = parts.snapshots
    this.#sums = parts.sums
    this.#areNamesDurable = parts.areNamesDurable
    this.#isSettled = parts.isSettled
  }

  /** Something was appended, rolled or deleted. */
  changed(): void {
    this.#isSettled = false
  }

  /**
   * Bytes that were on disk are about to go from the segment of this base, and all behind it: before that, nobody may rely
   * on them.
   */
  aboutToCut(baseOffset: number): void {
    this.#isSettled = false
    this.#sums.forgetFrom(baseOffset)
  }

  /**
   * Puts on disk what the next start needs to skip recovery: a last time entry, the indexes, a snapshot, epochs, sums,
   * and a log file without bytes behind its last batch. Then lets go of the active segment. When nothing has changed
   * since all of that was written, nothing is: all that may be missing are names, after a crash.
   */
  async write(log: EndingLog): Promise<void> {
    const { active, logEndOffset } = log
    if (this.#isSettled && !log.epochFile.hasWritten) {
      if (!this.#areNamesDurable) await this.#files.syncDirectory(this.#directory)
      active.release()
      return
    }
    active.seal()
    this.#snapshots.write(logEndOffset, log.producers.snapshot())
    await log.epochFile.save()
    await active.sync()
    await persistIndexes(this.#files, active, this.#snapshots.path(logEndOffset))
    // The sums are taken last: what they vouch for is on disk. Saving them syncs the directory too.
    this.#sums.addEpochs()
    active.withFile((file) => this.#sums.addEnd(active.baseOffset, file))
    await this.#sums.save((baseOffset) => log.hasSegment(baseOffset))
    active.release()
  }
}
