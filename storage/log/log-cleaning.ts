// A log while it is compacted: which segments may be replaced, and how cleaned ones take their place.
import { StorageFault } from '../base/errors.ts'
import { failureKind, storageError } from '../fs/failures.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-files.ts'
import type { SegmentIndexes } from '../segment/segment-indexes.ts'
import type { LogGuard } from './log-guard.ts'
import type { LogEnvironment } from './log-parts.ts'
import type { LogSegments, SegmentReplacement } from './log-segments.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { SumFile } from './sum-file.ts'

/** What the cleaning of a log works on. */
export interface CleaningParts {
  readonly environment: LogEnvironment
  readonly directory: string
  readonly segments: LogSegments
  readonly snapshots: SnapshotFiles
  readonly sums: SumFile
  readonly guard: LogGuard
  /** `file.delete.delay.ms` */
  readonly removeAfterMs: number
}

/** The log was cut, closed, or is not to be compacted any more: what was begun is in vain, and nothing is wrong. */
export class CleaningAborted extends Error {
  override readonly name = 'CleaningAborted'
}

/** When a refused sync is tried again. */
const RETRY_MS = 100

/**
 * The replacement of segments by cleaned ones, one group after the other. There is one for a log at a time; until `end`
 * retention deletes nothing of it. A crash finds one of four states, which `tidyLeftovers` knows:
 *
 *   <base>.*.cleaned, on disk          → fsync of the directory → the crash undoes it
 *   renamed to <base>.*.swap           → fsync of the directory → from here on a start finishes it
 *   old files renamed to *.deleted     → fsync of the directory
 *   .swap renamed to the plain names   → fsync of the directory
 *
 * Each sync waits for the one before: names may reach the disk in any order. Readers see the old segments up to the
 * third step, and the new one from there on.
 */
export class LogCleaning implements SegmentReplacement {
  readonly #parts: CleaningParts
  readonly #onAbort: (() => void)[] = []
  #isAborted = false
  #isGivenUp = false
  /** Stands under `.swap`, and the old ones are still there. */
  #swapping: Segment | undefined
  /** Stands under `.swap`, and is part of the log once `#putIn` was called. */
  #placing: Segment | undefined
  #replaceOld: (() => void) | undefined
  /** Names were changed, and nobody has synced them yet. */
  #isUnsynced = false

  constructor(parts: CleaningParts) {
    this.#parts = parts
    parts.segments.setReplacement(this)
  }

  /** Throws `CleaningAborted` when there is no point in going on. To be called after each wait. */
  check(): void {
    if (this.#isAborted) throw new CleaningAborted('The log was cut or closed')
  }

  /** Calls `listener` when there is no point in going on any more. */
  onAbort(listener: () => void): void {
    this.#onAbort.push(listener)
  }

  /** Where cleaned segments are made, with names that end with `.cleaned`. */
  get segmentEnvironment(): SegmentEnvironment {
    return this.#parts.segments.environment
  }

  /** A cleaned segment whose files are written and synced. `replace` or `discard` it. */
  adopt(
    cleaned: { baseOffset: number; size: number; createdMs: number },
    indexes: SegmentIndexes,
  ): Segment {
    return Segment.adopt(this.segmentEnvironment, { ...cleaned, suffix: '.cleaned' }, indexes)
  }

  /**
   * Puts `cleaned` into the place of `replaced`, which are neighbours; on disk when it resolves. What is refused once a
   * start would finish it is tried until it is let through, or given up. Rejects with `CleaningAborted`, with the system's
   * error when nothing has changed or it was given up, and with `StorageFault`.
   */
  async replace(replaced: readonly Segment[], cleaned: Segment): Promise<void> {
    const { environment, directory, guard, segments, removeAfterMs } = this.#parts
    const { files } = environment
    // That of what it replaces.
    const modifiedMs = files.status(replaced.at(-1)?.path ?? '')?.modifiedMs
    if (modifiedMs !== undefined) files.setModified(cleaned.path, modifiedMs)
    await files.syncDirectory(directory)
    this.check()
    guard.run('Compacting', () => cleaned.rename('.swap'))
    this.#swapping = cleaned
    try {
      await files.syncDirectory(directory)
      this.check()
    } catch (error) {
      // After a fault either outcome is right.
      const isFault = failureKind(error) === 'fault'
      if (this.#swapping && !isFault) {
        guard.run('Compacting', () => this.#undo())
        await files.syncDirectory(directory)
      }
      throw error
    }
    this.#swapping = undefined
    this.#placing = cleaned
    this.#replaceOld = () => segments.replace(replaced, cleaned, removeAfterMs)
    await this.#waitOut(() => this.#putIn())
    await this.#syncNames(() => this.#placing !== undefined)
    const isPlaced = await this.#waitOut(() => this.#place())
    if (!isPlaced) return this.check()
    guard.run('Compacting', () => {
      for (const { baseOffset } of replaced.slice(1)) this.#parts.snapshots.remove(baseOffset)
    })
    await this.#saveSums(cleaned)
    cleaned.isNameDurable = true
  }

  /** Removes what is there of a cleaned segment that is not wanted any more. What is left is removed by the next start. */
  discard(baseOffset: number): void {
    if (this.#parts.guard.isClosed) return
    try {
      this.#removeFiles(baseOffset, '.cleaned')
    } catch {
      // See above.
    }
  }

  /** What a failure means: a fault takes the log offline. */
  report(error: unknown): unknown {
    const reported = storageError(error, `Compacting ${this.#parts.directory}`)
    if (reported instanceof StorageFault) this.#parts.guard.fail(reported)
    return reported
  }

  /** The log is about to go away: no refusal is waited out any more, and what that leaves halfway a start finishes. */
  giveUp(): void {
    this.#isGivenUp = true
    this.cancel()
  }

  cancel(): void {
    this.#isAborted = true
    for (const listener of this.#onAbort) listener()
  }

  /** Retention may delete again. */
  end(): void {
    this.cancel()
    this.#parts.segments.setReplacement(undefined)
  }

  abort(): void {
    const { environment, directory } = this.#parts
    this.#isUnsynced ||= this.#swapping !== undefined || this.#placing !== undefined
    this.cancel()
    if (this.#swapping) this.#undo()
    this.#putIn()
    this.#place()
    // A refusal keeps what is about to be cut: then it is done the next time.
    if (this.#isUnsynced) environment.files.syncDirectoryNow(directory)
    this.#isUnsynced = false
  }

  stop(): void {
    this.cancel()
    this.#swapping = undefined
    this.#placing = undefined
    this.#replaceOld = undefined
  }

  #putIn(): void {
    this.#replaceOld?.()
    this.#replaceOld = undefined
  }

  #undo(): void {
    if (this.#swapping) this.#removeFiles(this.#swapping.baseOffset, '.swap')
    this.#swapping = undefined
  }

  #place(): void {
    const { maps } = this.#parts.environment
    const placed = this.#placing
    if (!placed) return
    maps.evict(placed.path)
    placed.rename('')
    this.#placing = undefined
    // They speak of the one that it replaced.
    this.#parts.sums.forget(placed.baseOffset)
    // Up to here its indexes were kept in memory: their files had other names.
    placed.release()
  }

  #removeFiles(baseOffset: number, suffix: string): void {
    const { environment, directory } = this.#parts
    for (const kind of ['log', 'index', 'timeindex', 'txnindex'] as const) {
      environment.files.remove(segmentPath(directory, baseOffset, kind) + suffix)
    }
  }

  /**
   * What has begun must be finished: a refusal is waited out, until it is given up. False when others have finished it, or
   * the log is closed.
   */
  async #waitOut(action: () => void): Promise<boolean> {
    const { environment, guard } = this.#parts
    while (this.#placing) {
      try {
        guard.run('Compacting', action)
        return true
      } catch (error) {
        if (this.#isGivenUp || failureKind(error) !== 'refusal') throw error
      }
      await new Promise<void>((resolve) => environment.clock.after(RETRY_MS, resolve))
    }
    return false
  }

  /** The same for the names in the directory. */
  async #syncNames(isWanted: () => boolean): Promise<void> {
    const { environment, directory } = this.#parts
    while (isWanted()) {
      try {
        await environment.files.syncDirectory(directory)
        return
      } catch (error) {
        if (this.#isGivenUp || failureKind(error) !== 'refusal') throw error
      }
      await new Promise<void>((resolve) => environment.clock.after(RETRY_MS, resolve))
    }
  }

  /** Saving the sums syncs the directory too. Without them a start would only make the indexes anew. */
  async #saveSums({ baseOffset }: Segment): Promise<void> {
    const { sums, segments } = this.#parts
    try {
      await sums.finish(baseOffset, (offset) => segments.has(offset))
    } catch (error) {
      if (failureKind(error) !== 'refusal') throw error
      await this.#syncNames(() => !this.#isAborted)
    }
  }
}
