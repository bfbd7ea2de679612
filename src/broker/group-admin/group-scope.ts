// Which partitions an administrator means: topics, single partitions, or all that a group has committed.
import { KafkaError } from '#storage/base/errors.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { byPartition, type GroupPartition } from './group-description.ts'

/** A topic with all of its partitions, or one partition of it. */
export interface ScopeEntry {
  readonly topic: string
  readonly partition?: number
}

/**
 * The partitions of a scope, sorted, each with the entry that names it. Throws UNKNOWN_TOPIC_OR_PARTITION, and
 * INVALID_REQUEST when one is named twice.
 */
export function partitionsInScope<Entry extends ScopeEntry>(
  image: MetadataImage,
  scope: readonly Entry[],
): { readonly at: GroupPartition; readonly entry: Entry }[] {
  const found = scope.flatMap((entry) =>
    partitionsNamed(image, entry).map((partition) => ({
      at: { topic: entry.topic, partition },
      entry,
    })),
  )
  found.sort((left, right) => byPartition(left.at, right.at))
  for (const [index, { at }] of found.entries()) {
    const next = found[index + 1]
    if (next && byPartition(at, next.at) === 0) {
      const detail = `Partition ${at.partition} of topic ${at.topic} is named twice`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
  }
  return found
}

function partitionsNamed(image: MetadataImage, { topic, partition }: ScopeEntry): number[] {
  const known = image.topic(topic)
  if (!known) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${topic} does not exist`)
  const count = known.partitions.length
  if (partition === undefined) return Array.from({ length: count }, (_, index) => index)
  if (partition < count) return [partition]
  const detail = `Topic ${topic} has no partition ${partition}: it has ${count}`
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
}
