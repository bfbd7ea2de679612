// What changed from one image to the next.
import type { Uuid } from '#storage/base/uuid.ts'
import {
  type ConfigResource,
  EMPTY_IMAGE,
  type MetadataImage,
  type PartitionImage,
} from './image.ts'

/** A partition that changed. Deleted when `after` is undefined, new when `before` is. */
export interface PartitionDelta {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  readonly before: PartitionImage | undefined
  readonly after: PartitionImage | undefined
}

/** A step from one committed image to the next. */
export interface MetadataDelta {
  readonly previous: MetadataImage
  readonly image: MetadataImage
  /** Deleted partitions first, so that a name is free before it is used again. */
  readonly partitions: readonly PartitionDelta[]
  /** Resources whose configs changed; those of a deleted topic are not among them. */
  readonly configs: readonly ConfigResource[]
}

/** What the records changed, by key: topics by id, configs by `configKey`. */
export interface ChangedKeys {
  readonly topics: Iterable<Uuid>
  readonly configs: Iterable<ConfigResource>
}

/** The step from `previous` to `image`, where nothing but `changed` differs. */
export function deltaOf(
  previous: MetadataImage,
  image: MetadataImage,
  changed: ChangedKeys,
): MetadataDelta {
  const partitions = [...changed.topics].flatMap((id) => partitionDeltas(previous, image, id))
  const deleted = partitions.filter((delta) => delta.after === undefined)
  const others = partitions.filter((delta) => delta.after !== undefined)
  return { previous, image, partitions: [...deleted, ...others], configs: [...changed.configs] }
}

/** The step from nothing to `image`: what a broker does first. */
export function wholeDelta(image: MetadataImage): MetadataDelta {
  const configs = [...image.state.configs.values()].map((config) => config.resource)
  return deltaOf(EMPTY_IMAGE, image, { topics: image.state.topics.keys(), configs })
}

function partitionDeltas(
  previous: MetadataImage,
  image: MetadataImage,
  topicId: Uuid,
): PartitionDelta[] {
  const before = previous.topicById(topicId)
  const after = image.topicById(topicId)
  const topic = after?.name ?? before?.name ?? ''
  const count = Math.max(before?.partitions.length ?? 0, after?.partitions.length ?? 0)
  return Array.from({ length: count }, (_, partition) => ({
    topic,
    topicId,
    partition,
    before: before?.partitions[partition],
    after: after?.partitions[partition],
  })).filter((delta) => delta.before !== delta.after)
}
