// What a clean stop leaves behind.
import type { Files } from '../fs/files.ts'
import type { Segment } from '../segment/segment.ts'
import type { ProducerState } from '../state/producer-state.ts'
import { persistIndexes } from './durability.ts'
import type { EpochFile } from './epoch-file.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { SumFile } from './sum-file.ts'

/** The parts of a log that a clean stop writes. */
export interface EndingLog {
  readonly files: Files
  readonly active: Segment
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly epochFile: EpochFile
  readonly snapshots: SnapshotFiles
  readonly sums: SumFile
  hasSegment(baseOffset: number): boolean
}

/**
 * Puts on disk what the next start needs to skip recovery: a last time entry, the indexes, a snapshot, epochs, sums, and
 * a log file without bytes behind its last batch. Then lets go of the active segment.
 */
export async function writeCleanEnd(log: EndingLog): Promise<void> {
  const { active, logEndOffset, snapshots, sums } = log
  active.seal()
  snapshots.write(logEndOffset, log.producers.snapshot())
  await log.epochFile.save()
  await active.sync()
  await persistIndexes(log.files, active, snapshots.path(logEndOffset))
  // They are taken last: what they vouch for is on disk.
  sums.addEpochs()
  active.withFile((file) => sums.addEnd(active.baseOffset, file))
  // This syncs the directory too.
  await sums.save((baseOffset) => log.hasSegment(baseOffset))
  active.release()
}
