// The log directories of this broker, for admins.

import type { KafkaErrorName } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Session } from '../access/session.ts'
import type { LogDirAdmin, LogDirState, PartitionName } from './admin.ts'
import type { AdminParts } from './admin-parts.ts'

/** Describes the directories; has them keep what they have. */
export class LogDirs implements LogDirAdmin {
  readonly #parts: AdminParts

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  describe(_session: Session): readonly LogDirState[] {
    return this.#parts.logDirectories().map(({ path, isOffline, logs, space }) => ({
      path,
      isOffline,
      ...(isOffline ? { totalBytes: -1, usableBytes: -1 } : space()),
      logs: logs.map(({ topicPartition, sizeInBytes }) => ({ ...topicPartition, sizeInBytes })),
    }))
  }

  place(_session: Session, at: PartitionName, path: string): KafkaErrorName | undefined {
    const directories = this.#parts.logDirectories()
    const target = directories.find((directory) => directory.path === path)
    if (!target) return 'LOG_DIR_NOT_FOUND'
    if (target.isOffline) return 'KAFKA_STORAGE_ERROR'
    const name = partitionName(at)
    const owner = directories.find(({ logs }) =>
      logs.some(({ topicPartition }) => partitionName(topicPartition) === name),
    )
    if (!owner) return 'UNKNOWN_TOPIC_OR_PARTITION'
    if (owner === target) return undefined
    return owner.isOffline ? 'KAFKA_STORAGE_ERROR' : 'OPERATION_NOT_ATTEMPTED'
  }
}
