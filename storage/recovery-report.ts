// What the start of a log manager found and did, as data.
import type { TopicPartition } from './base/topic-partition.ts'
import type { LogRecovery } from './log/log-recovery.ts'

/** One log directory at start. */
export interface DirectoryReport {
  readonly path: string
  /** Undefined when the directory failed before it was known. */
  readonly directoryId: string | undefined
  readonly hadCleanShutdown: boolean
  /** It was made, or given its identity, by this start. */
  readonly isNew: boolean
  /** False when a Kafka running on the directory could not have been noticed. */
  readonly isLockSeenByKafka: boolean
  readonly logCount: number
  /** What was odd, as sentences: malformed checkpoints, the fault that took it offline. */
  readonly notes: readonly string[]
  /** Directories of deleted partitions that were removed now. */
  readonly finishedDeletions: readonly string[]
  /** Directories kept under `-stray`, those renamed now included. */
  readonly strays: readonly string[]
  /** Directories that are no partitions: harmless here, but a Kafka would not start. */
  readonly strange: readonly string[]
}

/** One log whose opening was more than routine. */
export interface RecoveredLog extends TopicPartition {
  readonly recovery: LogRecovery
  /** Records beyond what was known to be on disk were kept, or some are gone: it needs a new leader epoch (RULES 5). */
  readonly needsNewEpoch: boolean
}

/** One partition that could not be opened, and why. */
export interface UnreadableLog extends TopicPartition {
  readonly path: string
  readonly problem: string
}

/** The outcome of loading all logs. */
export interface RecoveryReport {
  readonly directories: readonly DirectoryReport[]
  /** Logs of which anything was scanned, cut, found damaged or put right; the metadata log may be one of them. */
  readonly recovered: readonly RecoveredLog[]
  readonly unreadable: readonly UnreadableLog[]
  readonly logCount: number
  readonly durationMs: number
}

/** Describes the opening of one log; undefined when there is nothing to tell. */
export function recoveredLog(
  topicPartition: TopicPartition,
  recovery: LogRecovery,
): RecoveredLog | undefined {
  const { hadCleanShutdown, scannedBytes, cuts, damages, repairs } = recovery
  const isKeptBeyond = !hadCleanShutdown && recovery.logEndOffset > recovery.recoveryPoint
  // New records take the offsets of lost ones: a consumer tells them apart by their epoch.
  const isLost = recovery.lostBelowHighWatermark > 0
  const needsNewEpoch = isKeptBeyond || isLost || cuts.length > 0
  const findings = scannedBytes + cuts.length + damages.length + repairs.length
  if (findings === 0 && !needsNewEpoch) return undefined
  return { ...topicPartition, recovery, needsNewEpoch }
}
