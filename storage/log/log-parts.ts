// What a log is made of and whom it tells.
import type { StartThread } from '../base/background-thread.ts'
import type { StorageFault } from '../base/errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import type { Clock, Random } from '../base/world.ts'
import type { FilePool } from '../fs/file-pool.ts'
import type { Files } from '../fs/files.ts'
import type { Segment, SegmentEnvironment } from '../segment/segment.ts'
import type { LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { ProducerState } from '../state/producer-state.ts'
import type { LogConfig } from './log-config.ts'
import type { SliceSource } from './log-slice.ts'
import type { DamagedRange } from './segment-search.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { SumFile } from './sum-file.ts'
import type { UnflushedBytes } from './unflushed-bytes.ts'

/** What a log shares with all others of its directory. */
export interface LogEnvironment extends SliceSource {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  readonly pool: FilePool
  readonly indexCache: SegmentEnvironment['indexCache']
  /** Where there are threads that see the same files. Without it, all work is done on the loop. */
  readonly startThread?: StartThread
}

/** Whom a log tells. */
export interface LogObserver {
  /** The directory must go offline: a system call failed in a way that leaves its bytes in doubt. */
  onFault(fault: StorageFault): void
  /** The recovery point has passed a segment, or was set back: the checkpoint is to be rewritten (RULES 2). */
  onRecoveryPoint?(): void
  /**
   * The log is about to be cut: recovery is to look from `recoveryPoint` on, and that is on disk when it returns. Throws the
   * system's error, and nothing may be cut.
   */
  beforeCut?(topicPartition: TopicPartition, recoveryPoint: number): void
  /** Resolves when the log starts of the directory are on disk. Rejects with `KafkaError` and `StorageFault`. */
  saveLogStart?(): Promise<void>
  /** The log was cut and ends at `logEndOffset` now: what is known of records beyond it is void. */
  onCut?(topicPartition: TopicPartition, logEndOffset: number): void
  /** Where it counts its unflushed bytes: one for each log directory. */
  readonly unflushed?: UnflushedBytes
}

/** What `openPartitionLog` found and made; for it alone. */
export interface LogParts {
  readonly environment: LogEnvironment
  readonly observer: LogObserver
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
  readonly config: LogConfig
  readonly segments: Segment[]
  readonly segmentEnvironment: SegmentEnvironment
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly epochs: LeaderEpochCache
  /** What the leader-epoch-checkpoint holds, without entries when there is none; undefined when it is damaged. */
  readonly savedEpochs: Uint8Array | undefined
  readonly snapshots: SnapshotFiles
  /** The files are as a clean stop leaves them: until something changes, the next stop has nothing to write. */
  readonly isSettled: boolean
  /** The names of the files are known to be on disk. */
  readonly areNamesDurable: boolean
  readonly sums: SumFile
  /** What is damaged, oldest finding first; the log adds what it finds later. */
  readonly damages: DamagedRange[]
}
