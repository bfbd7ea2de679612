// Names of the directories under a log directory: what each is, and the names for deleted and stray partitions.
import { parsePartitionName, partitionName, type TopicPartition } from './base/topic-partition.ts'
import type { Random } from './base/world.ts'

/** The metadata log's partition, which no LogManager of Kafka loads. */
export const METADATA_PARTITION: TopicPartition = { topic: '__cluster_metadata', partition: 0 }

/** Whether this is the metadata log's partition. */
export function isMetadata({ topic, partition }: TopicPartition): boolean {
  return topic === METADATA_PARTITION.topic && partition === METADATA_PARTITION.partition
}

/**
 * What a directory is by its name. `deleted` awaits removal, `stray` was found unassigned and is kept, `future` is a
 * replica that Kafka was moving between directories; `ignored` ones are harmless, `strange` ones stop a Kafka at start.
 */
export type DirectoryKind =
  | { readonly kind: 'partition'; readonly topicPartition: TopicPartition }
  | { readonly kind: 'metadata' | 'deleted' | 'stray' | 'future' | 'ignored' | 'strange' }

const RENAMED = /\.[\da-f]{32}-(delete|stray|future)$/
const RENAMED_KINDS = { delete: 'deleted', stray: 'stray', future: 'future' } as const
// `lost+found` is the file system's own; the other is the cache of tiered storage.
const IGNORED = new Set(['lost+found', 'remote-log-index-cache'])
const MAX_NAME_LENGTH = 255

/** Tells what a directory under a log directory is. */
export function directoryKind(name: string): DirectoryKind {
  if (name === partitionName(METADATA_PARTITION)) return { kind: 'metadata' }
  if (IGNORED.has(name)) return { kind: 'ignored' }
  const renamed = RENAMED.exec(name)?.[1]
  if (renamed) return { kind: RENAMED_KINDS[renamed as keyof typeof RENAMED_KINDS] }
  const topicPartition = parsePartitionName(name)
  return topicPartition ? { kind: 'partition', topicPartition } : { kind: 'strange' }
}

/** `topic-partition.<32 hex>-delete` or `-stray`; the topic is cut so that a file system takes the name. */
export function renamedDirectory(
  { topic, partition }: TopicPartition,
  suffix: 'delete' | 'stray',
  random: Random,
): string {
  const hex = Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const end = `-${partition}.${hex}-${suffix}`
  return topic.slice(0, MAX_NAME_LENGTH - end.length) + end
}
