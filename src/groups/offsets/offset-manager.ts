// The committed offsets of the groups of one shard: commits, fetches and deletions become plans; replay keeps the state.
// `offset-sweeps.ts` removes what has expired; the members' rights to commit are the groups' own (`group.ts`).
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { addInt64, type Int64 } from '#storage/bytes/int64.ts'
import type { RecordPlace } from '../../coordinators/shard.ts'
import type { Group, OffsetClient } from '../group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import type { GroupRecord, GroupRecordOf } from '../group-record.ts'
import {
  type CommittedOffset,
  isOfTopic,
  NO_EXPIRY,
  type OffsetPlace,
  offsetRecord,
  type StoredOffset,
} from './committed-offset.ts'
import { Interned } from './interned.ts'
import type {
  DeletedTopic,
  FetchedOffset,
  OffsetCommit,
  OffsetCounters,
  OffsetDeletion,
  OffsetQuery,
  OfTopic,
  PartitionOutcome,
} from './offset-calls.ts'
import { OffsetSweeps } from './offset-sweeps.ts'
import { PartitionTable } from './partition-table.ts'
import { PendingOffsets } from './pending-offsets.ts'

const NO_PRODUCER = -1
const DEFAULT_RETENTION = -1
/** The version of OffsetCommit that tells clients of an unknown group; older ones know ILLEGAL_GENERATION alone. */
const UNKNOWN_GROUP_SINCE = 9
const NO_OFFSET = { offset: -1, leaderEpoch: -1, metadata: '', error: undefined } as const

/** A committed offset, for displays. */
export type DescribedOffset = Omit<OffsetPlace, 'groupId'> & StoredOffset

/** The offsets of one shard. */
export class OffsetManager {
  readonly counters: OffsetCounters
  readonly #parts: GroupParts
  readonly #simpleGroup: (groupId: string) => Group
  readonly #committed = new PartitionTable<StoredOffset>()
  readonly #pending = new PendingOffsets()
  readonly #topics = new Interned()
  readonly #topicIds = new Interned()
  readonly #sweeps: OffsetSweeps

  /**
   * `simpleGroup` gives the group of this id, made as an empty classic group without a protocol type if there is none.
   * `counters` are counted on: other shards may share them.
   */
  constructor(
    parts: GroupParts,
    simpleGroup: (groupId: string) => Group,
    counters: OffsetCounters = { committed: 0, expired: 0, deleted: 0 },
  ) {
    this.#parts = parts
    this.counters = counters
    this.#simpleGroup = simpleGroup
    this.#sweeps = new OffsetSweeps(parts, this.#committed, this.#pending, this.counters)
  }

  /** The number of committed offsets. */
  get size(): number {
    return this.#committed.size
  }

  hasOffsets(groupId: string): boolean {
    return this.#committed.hasGroup(groupId)
  }

  /** The committed offsets of a group, those of topics that are gone included. */
  *offsetsOf(groupId: string): Iterable<DescribedOffset> {
    for (const [topic, partitions] of this.#committed.topics(groupId)) {
      for (const [partition, offset] of partitions) yield { topic, partition, ...offset }
    }
  }

  /**
   * Refuses single partitions with OFFSET_METADATA_TOO_LARGE. Throws what the group throws, STALE_MEMBER_EPOCH for one
   * partition included, and ILLEGAL_GENERATION or GROUP_ID_NOT_FOUND for a member of a group that does not exist.
   */
  commit(request: OffsetCommit): GroupPlan<readonly OfTopic<PartitionOutcome>[]> {
    const { groupId, client, retentionTimeMs } = request
    const check = this.#checkOf(groupId, client)
    const maxMetadata = this.#parts.configs.broker.number('offset.metadata.max.bytes')
    const commitTimestamp = this.#parts.host.clock.now()
    const expireTimestamp =
      retentionTimeMs === DEFAULT_RETENTION ? NO_EXPIRY : addInt64(commitTimestamp, retentionTimeMs)
    const records: GroupRecord[] = []
    const topics = request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition, metadata, ...what }): PartitionOutcome => {
        if (metadata !== null && metadata.length > maxMetadata) {
          return { partition, error: 'OFFSET_METADATA_TOO_LARGE' }
        }
        check?.(topicId, partition)
        const value = {
          ...what,
          metadata: metadata ?? '',
          topicId,
          commitTimestamp,
          expireTimestamp,
        }
        records.push(offsetRecord({ groupId, topic, partition }, asLogged(value)))
        return { partition, error: undefined }
      }),
    }))
    return { records, answer: topics, settled: this.#counting('committed', records.length) }
  }

  /** Throws what the group throws. A group that does not exist has no offsets. */
  fetch({
    groupId,
    client,
    topics,
    requireStable,
  }: OffsetQuery): GroupPlan<readonly OfTopic<FetchedOffset>[]> {
    this.#parts.groups.get(groupId)?.validateFetch(client)
    const find = ({ topic, topicId, partitions }: OfTopic<number>) => ({
      topic,
      topicId,
      partitions: partitions.map((partition): FetchedOffset => {
        if (requireStable && this.#pending.has(groupId, topic, partition)) {
          return { ...NO_OFFSET, partition, error: 'UNSTABLE_OFFSET_COMMIT' }
        }
        const found = this.#committed.get(groupId, topic, partition)
        if (!found || !isOfTopic(found, topicId)) return { ...NO_OFFSET, partition }
        const { offset, leaderEpoch, metadata } = found
        return { partition, offset, leaderEpoch, metadata, error: undefined }
      }),
    })
    return { records: [], answer: (topics ?? this.#allOf(groupId)).map(find) }
  }

  /** Refuses the topics that members are subscribed to. Throws GROUP_ID_NOT_FOUND and what the group throws. */
  delete({ groupId, topics }: OffsetDeletion): GroupPlan<readonly OfTopic<PartitionOutcome>[]> {
    const group = this.#parts.groups.get(groupId)
    if (!group) throw unknownGroup(groupId)
    group.validateOffsetDelete()
    const records: GroupRecord[] = []
    const answer = topics.map(({ topic, topicId, partitions }) => {
      const error = group.isSubscribedTo(topic) ? ('GROUP_SUBSCRIBED_TO_TOPIC' as const) : undefined
      for (const partition of partitions) {
        if (error || !this.#isKnown(groupId, topic, partition)) continue
        records.push(offsetRecord({ groupId, topic, partition }, null))
      }
      return { topic, topicId, partitions: partitions.map((partition) => ({ partition, error })) }
    })
    return { records, answer, settled: this.#counting('deleted', records.length) }
  }

  /** Removes a group and its offsets. Throws GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  deletion(groupId: string): GroupPlan<void> {
    return this.#sweeps.deletion(groupId)
  }

  /** Begins to remove the offsets of topics that were deleted. */
  removeTopics(topics: readonly DeletedTopic[]): void {
    this.#sweeps.removeTopics(topics)
  }

  /** Applies a commit or its removal; a commit of an unknown group makes a simple group of it. */
  replay({ key, value }: GroupRecordOf<'OffsetCommit'>, place: RecordPlace): void {
    const { group: groupId, topic, partition } = key
    if (value === null) {
      this.#committed.delete(groupId, topic, partition)
      this.#pending.delete({ groupId, topic, partition })
      return
    }
    if (!this.#parts.groups.has(groupId)) this.#simpleGroup(groupId)
    const offset = this.#stored(value, place.offset)
    const name = this.#topics.of(topic)
    if (place.producerId === NO_PRODUCER) this.#committed.set(groupId, name, partition, offset)
    else this.#pending.set(place.producerId, { groupId, topic: name, partition }, offset)
  }

  /** Commits or drops what the transaction of a producer has committed; a newer commit stays as it is. */
  endTransaction(producerId: Int64, isCommitted: boolean): void {
    for (const [{ groupId, topic, partition }, offset] of this.#pending.take(producerId)) {
      if (!isCommitted) continue
      const other = this.#committed.get(groupId, topic, partition)
      if (other && other.recordOffset >= offset.recordOffset) continue
      this.#committed.set(groupId, topic, partition, offset)
    }
  }

  /** Looks for expired offsets from now on. */
  loaded(): void {
    this.#sweeps.loaded()
  }

  /** Stops looking. */
  unloaded(): void {
    this.#sweeps.unloaded()
  }

  #checkOf(groupId: string, client: OffsetClient): ReturnType<Group['validateCommit']> {
    const group = this.#parts.groups.get(groupId)
    if (group) return group.validateCommit(client)
    // Whoever manages its partitions itself may commit; replay makes the group.
    if (client.generationIdOrMemberEpoch < 0) return undefined
    if (client.version >= UNKNOWN_GROUP_SINCE) throw unknownGroup(groupId)
    throw new KafkaError('ILLEGAL_GENERATION', `Group ${groupId} does not exist`)
  }

  /** All partitions of a group that have an offset of a topic that is still there: others have no id to be told by. */
  #allOf(groupId: string): readonly OfTopic<number>[] {
    const image = this.#parts.image()
    const all: OfTopic<number>[] = []
    for (const [topic, offsets] of this.#committed.topics(groupId)) {
      const topicId = image.topic(topic)?.id
      if (topicId === undefined) continue
      const own = [...offsets].filter(([, offset]) => isOfTopic(offset, topicId))
      if (own.length === 0) continue
      all.push({ topic, topicId, partitions: own.map(([partition]) => partition) })
    }
    return all
  }

  #isKnown(groupId: string, topic: string, partition: number): boolean {
    return (
      this.#committed.get(groupId, topic, partition) !== undefined ||
      this.#pending.has(groupId, topic, partition)
    )
  }

  #stored(value: NonNullable<GroupRecordOf<'OffsetCommit'>['value']>, recordOffset: number) {
    const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = value
    const topicId = this.#topicIds.of(value.topicId)
    // Written out: a million of these are kept, and all of them have one shape.
    return {
      offset,
      leaderEpoch,
      metadata,
      commitTimestamp,
      expireTimestamp,
      topicId,
      recordOffset,
    } satisfies StoredOffset
  }

  #counting(what: keyof OffsetCounters, count: number): (error: KafkaError | undefined) => void {
    return (error) => {
      if (!error) this.counters[what] += count
    }
  }
}

/** A record that has an expiry has no room for the rest, and state must be what the log says. */
function asLogged(offset: CommittedOffset): CommittedOffset {
  if (offset.expireTimestamp === NO_EXPIRY) return offset
  return { ...offset, leaderEpoch: -1, topicId: ZERO_UUID }
}

function unknownGroup(groupId: string): KafkaError {
  return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} does not exist`)
}
