// Puts the log cleaner over the logs of all log directories.
import type { DirectoryLogs } from './directory-logs.ts'
import type { LogEnvironment } from './log/log-parts.ts'
import type { PartitionLog } from './log/partition-log.ts'
import { type CleanerSettings, DEFAULT_CLEANER_SETTINGS, LogCleaner } from './upkeep/log-cleaner.ts'

/** What a cleaner needs of its log manager. */
export interface CompactedLogs {
  readonly environment: LogEnvironment
  readonly settings: (() => CleanerSettings) | undefined
  ownerOf(log: PartitionLog): DirectoryLogs | undefined
  logs(): Iterable<PartitionLog>
  /** Brings a checkpoint up to date. What fails is reported, not thrown. */
  checkpoint(owner: DirectoryLogs, kind: 'recoveryPoints'): Promise<void>
  onProblem(error: unknown): void
}

/** A cleaner that keeps how far logs are clean in the checkpoint of their directory. */
export function createCleaner(manager: CompactedLogs): LogCleaner {
  return new LogCleaner({
    environment: manager.environment,
    settings: manager.settings ?? (() => DEFAULT_CLEANER_SETTINGS),
    logs: () => manager.logs(),
    onProblem: (error) => manager.onProblem(error),
    checkpoint: {
      get: (log) => manager.ownerOf(log)?.cleanOffset(log.topicPartition),
      async set(log, offset) {
        const owner = manager.ownerOf(log)
        await owner?.attempt('Writing a checkpoint', () =>
          owner.setCleanOffset(log.topicPartition, offset),
        )
      },
      async saveRecoveryPoint(log) {
        const owner = manager.ownerOf(log)
        if (owner) await manager.checkpoint(owner, 'recoveryPoints')
      },
    },
  })
}
