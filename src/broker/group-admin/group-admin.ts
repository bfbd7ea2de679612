// What people do with groups: look at one, and forget some of its offsets.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Session } from '../../access/session.ts'
import type { DescribedOffset } from '../../groups/offsets/offset-manager.ts'
import type { RecordReading } from '../reading.ts'
import {
  byPartition,
  describeMembership,
  type GroupDescription,
  type GroupMembership,
  type GroupOffsetDescription,
  type GroupPartition,
} from './group-description.ts'
import { byTopic, type GroupLookup, knownGroup } from './group-lookup.ts'
import { partitionsInScope, type ScopeEntry } from './group-scope.ts'

/** A committed offset that was forgotten. */
export interface ForgottenOffset extends GroupPartition {
  readonly offset: number
}

/** What this stands on. */
export interface GroupAdminParts {
  readonly lookup: GroupLookup
  readonly reads: Pick<RecordReading, 'partitionOffsets'>
}

/** Groups of every kind, for doors that have their own words for them. */
export class GroupAdmin {
  readonly #parts: GroupAdminParts

  constructor(parts: GroupAdminParts) {
    this.#parts = parts
  }

  /** Rejects with GROUP_ID_NOT_FOUND. */
  async describe(session: Session, groupId: string): Promise<GroupDescription> {
    const { lookup } = this.#parts
    lookup.checkCoordinator(groupId)
    const { membership, committed } = await lookup.read(groupId, (shard) => ({
      membership: describeMembership(shard, knownGroup(shard, groupId)),
      committed: lookup.committed(shard, groupId),
    }))
    const offsets = this.#offsetsOf(session, membership, committed)
    return { ...membership, coordinator: lookup.coordinatorOf(groupId), offsets }
  }

  /**
   * Forgets what the group has committed of these partitions, and says what that was. Rejects with GROUP_ID_NOT_FOUND,
   * UNKNOWN_TOPIC_OR_PARTITION, GROUP_SUBSCRIBED_TO_TOPIC, NON_EMPTY_GROUP, INVALID_REQUEST.
   */
  async forget(
    _session: Session,
    { groupId, scope }: { readonly groupId: string; readonly scope: readonly ScopeEntry[] },
  ): Promise<readonly ForgottenOffset[]> {
    const { lookup } = this.#parts
    lookup.checkCoordinator(groupId)
    const { image } = lookup
    const wanted = new Set(partitionsInScope(image, scope).map(({ at }) => partitionName(at)))
    return await lookup.write(groupId, (shard) => {
      const group = knownGroup(shard, groupId)
      const forgotten = lookup
        .committed(shard, groupId)
        .filter((at) => wanted.has(partitionName(at)))
      const topics = byTopic(image, forgotten, ({ partition }) => partition)
      const plan = shard.offsets.delete({ groupId, topics })
      const inUse = topics.find(({ topic }) => group.isSubscribedTo(topic))
      if (inUse) {
        const detail = `Group ${groupId} has members that are subscribed to topic ${inUse.topic}`
        throw new KafkaError('GROUP_SUBSCRIBED_TO_TOPIC', detail)
      }
      const answer = forgotten.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
      return { ...plan, answer }
    })
  }

  #offsetsOf(
    session: Session,
    { members }: GroupMembership,
    committed: readonly DescribedOffset[],
  ): GroupOffsetDescription[] {
    const owners = new Map<string, GroupPartition & { memberId: string | null }>()
    for (const { topic, partition } of committed) {
      owners.set(partitionName({ topic, partition }), { topic, partition, memberId: null })
    }
    for (const { memberId, assignment } of members) {
      for (const at of assignment) owners.set(partitionName(at), { ...at, memberId })
    }
    const offsets = new Map(committed.map((one) => [partitionName(one), one]))
    return [...owners.values()].sort(byPartition).map((at) => {
      const found = offsets.get(partitionName(at))
      const range = this.#rangeOf(session, at)
      return {
        ...at,
        committed: found
          ? {
              offset: found.offset,
              leaderEpoch: found.leaderEpoch,
              metadata: found.metadata,
              timestamp: found.commitTimestamp,
            }
          : null,
        logStartOffset: range?.logStartOffset ?? null,
        logEndOffset: range?.highWatermark ?? null,
        lag: found && range ? range.highWatermark - found.offset : null,
      }
    })
  }

  #rangeOf(session: Session, { topic, partition }: GroupPartition) {
    try {
      return this.#parts.reads.partitionOffsets(session, topic, partition)
    } catch (error) {
      if (error instanceof KafkaError) return undefined
      throw error
    }
  }
}
