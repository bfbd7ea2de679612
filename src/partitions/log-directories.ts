// The log directories as an admin sees them: what lies in them, and what room is left.
import { systemCode } from '#storage/base/errors.ts'
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import type { Files } from '#storage/fs/files.ts'
import type { LogManager } from '#storage/log-manager.ts'

/** One log directory. */
export interface LogDirectory {
  /** Absolute. */
  readonly path: string
  readonly isOffline: boolean
  readonly logs: readonly {
    readonly topicPartition: TopicPartition
    readonly sizeInBytes: number
  }[]
  /** Of its file system; -1 when it does not say. */
  space(): { readonly totalBytes: number; readonly usableBytes: number }
}

/** All log directories, in the order of `log.dirs`. */
export function logDirectories(manager: LogManager, files: Files): readonly LogDirectory[] {
  return manager.directories.map(({ path, isOffline, logs }) => ({
    path,
    isOffline,
    logs,
    space: () => spaceOf(files, path),
  }))
}

function spaceOf(files: Files, path: string) {
  try {
    return files.space(path)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return { totalBytes: -1, usableBytes: -1 }
  }
}
