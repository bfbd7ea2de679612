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

  place(
    _session: Session,
    wanted: readonly (PartitionName & { readonly path: string })[],
  ): readonly (KafkaErrorName | undefined)[] {
    const directories = this.#parts.logDirectories()
    const owners = new Map(
      directories.flatMap((owner) =>
        owner.logs.map(({ topicPartition }) => [partitionName(topicPartition), owner] as const),
      ),
    )
    return wanted.map((at) => {
      const target = directories.find(({ path }) => path === at.path)
      if (!target) return 'LOG_DIR_NOT_FOUND'
      const owner = owners.get(partitionName(at))
      if (target.isOffline || owner?.isOffline) return 'KAFKA_STORAGE_ERROR'
      if (!owner) return 'UNKNOWN_TOPIC_OR_PARTITION'
      return owner === target ? undefined : 'OPERATION_NOT_ATTEMPTED'
    })
  }
}
