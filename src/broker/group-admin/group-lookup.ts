// A group found at its coordinator: what all calls of administrators on one group share.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Group } from '../../groups/group.ts'
import type { GroupCoordinator } from '../../groups/group-coordinator.ts'
import type { GroupPlan } from '../../groups/group-parts.ts'
import type { GroupShard } from '../../groups/group-shard.ts'
import type { DescribedOffset } from '../../groups/offsets/offset-manager.ts'
import { type MetadataImage, NO_LEADER } from '../../metadata/image.ts'
import { retried } from '../consumers/retrying.ts'
import { OFFSETS } from '../internal-topic-names.ts'
import { byPartition, committedOffsets, type GroupPartition } from './group-description.ts'

/** What looking at groups stands on. */
export interface GroupLookupParts {
  readonly coordinator: Pick<GroupCoordinator, 'read' | 'write' | 'partitionOf'>
  readonly clock: Clock
  image(): MetadataImage
}

/** Finds groups. A coordinator that is being loaded is waited for, a second at most. */
export class GroupLookup {
  readonly #parts: GroupLookupParts

  constructor(parts: GroupLookupParts) {
    this.#parts = parts
  }

  get image(): MetadataImage {
    return this.#parts.image()
  }

  /** Rejects as `GroupCoordinator.read` does. */
  read<A>(groupId: string, query: (shard: GroupShard) => A): Promise<A> {
    const { clock, coordinator } = this.#parts
    return retried(clock, () => coordinator.read(groupId, query))
  }

  /** Rejects as `GroupCoordinator.write` does. */
  write<A>(groupId: string, plan: (shard: GroupShard) => GroupPlan<A>): Promise<A> {
    const { clock, coordinator } = this.#parts
    return retried(clock, () => coordinator.write(groupId, plan))
  }

  /** The broker that coordinates the group; NO_LEADER for none. */
  coordinatorOf(groupId: string): number {
    const partition = this.#parts.coordinator.partitionOf(groupId)
    return this.image.partition({ topic: OFFSETS, partition })?.leader ?? NO_LEADER
  }

  /** Whether there is a coordinator yet: without its topic no group has anything. */
  get hasCoordinator(): boolean {
    return this.image.topic(OFFSETS) !== undefined
  }

  /** Throws GROUP_ID_NOT_FOUND where there is no coordinator yet. */
  checkCoordinator(groupId: string): void {
    if (!this.hasCoordinator) throw unknownGroup(groupId)
  }

  /** What the group has committed of topics that are there, sorted. */
  committed(shard: GroupShard, groupId: string): DescribedOffset[] {
    return [...committedOffsets(shard, groupId, this.image)].sort(byPartition)
  }
}

/** The group of this shard. Throws GROUP_ID_NOT_FOUND. */
export function knownGroup(shard: GroupShard, groupId: string): Group {
  const group = shard.group(groupId)
  if (group) return group
  throw unknownGroup(groupId)
}

/** Partitions by topic, in the words of the coordinator. */
export function byTopic<P extends GroupPartition, T>(
  image: MetadataImage,
  partitions: readonly P[],
  map: (at: P) => T,
) {
  const topics = Map.groupBy(partitions, ({ topic }) => topic)
  return Array.from(topics, ([topic, ones]) => ({
    topic,
    topicId: image.topic(topic)?.id ?? ZERO_UUID,
    partitions: ones.map(map),
  }))
}

function unknownGroup(groupId: string): KafkaError {
  return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} does not exist`)
}
