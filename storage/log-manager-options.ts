// What a log manager is made with, and what it tells.
import type { StorageFault } from './base/errors.ts'
import type { TopicPartition } from './base/topic-partition.ts'
import type { Uuid } from './base/uuid.ts'
import type { LoadingProgress } from './loading-progress.ts'
import type { LogEnvironment } from './log/log-parts.ts'
import type { LogPlace } from './log-loader.ts'
import type { FoundDirectories } from './open-data-directories.ts'
import type { RecoveredLog } from './recovery-report.ts'
import type { CleanerSettings } from './upkeep/log-cleaner.ts'
import type { UpkeepIntervals } from './upkeep-schedule.ts'

/** What a log manager is made with. */
export interface LogManagerOptions {
  readonly environment: LogEnvironment
  /** `log.dirs`: absolute paths, none of them twice. */
  readonly logDirs: readonly string[]
  /** `metadata.log.dir`, one of them; the first unless told otherwise. */
  readonly metadataLogDir?: string | undefined
  readonly nodeId: number
  /** For new directories; that of the others, or a random one, unless told otherwise. */
  readonly clusterId?: string | undefined
  readonly intervals?: Partial<UpkeepIntervals>
  /** `num.recovery.threads.per.data.dir`; 2, Kafka's default. */
  readonly recoveryThreads?: number
  /** `millrace.log.unflushed.max.bytes`; 64 MiB. */
  readonly unflushedMaxBytes?: number
  /** How logs are compacted, asked each time; Kafka's defaults. */
  readonly cleaner?: () => CleanerSettings
  /** `millrace.scrub.max.bytes.per.second`, asked each time; 0, no scrub. */
  readonly scrubBytesPerSecond?: () => number
  /** As in `DirectoriesRequest`: what it throws, `openLogManager` throws. */
  readonly examine?: (found: FoundDirectories) => void
  /** A log directory went offline, with the partitions whose logs were in it. */
  readonly onOffline?: (offline: OfflineDirectory) => void
  /**
   * A log that was refused at start could be opened now, and what recovering it found, if anything. It is there for others
   * once this has resolved.
   */
  readonly onOpenedLate?: (
    topicPartition: TopicPartition,
    recovered: RecoveredLog | undefined,
  ) => Promise<void>
  /** Told every few seconds while `load` is at work. */
  readonly onProgress?: (progress: LoadingProgress) => void
  /** Something failed that is tried again later, or that nobody asked for. */
  readonly onProblem?: (error: unknown) => void
}

/** A log directory that failed. */
export interface OfflineDirectory {
  readonly path: string
  readonly directoryId: Uuid
  readonly fault: StorageFault
  readonly partitions: readonly TopicPartition[]
}

/** A partition to be created. */
export interface NewLog extends LogPlace {
  /** The directory that the metadata names; that with the fewest partitions otherwise. */
  readonly directoryId?: Uuid | undefined
}
