// What people do with groups: look at one, set its offsets, forget some of them.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Session } from '../../access/session.ts'
import type { Group, GroupType } from '../../groups/group.ts'
import type { GroupCoordinator } from '../../groups/group-coordinator.ts'
import type { GroupPlan } from '../../groups/group-parts.ts'
import type { GroupShard } from '../../groups/group-shard.ts'
import type { DescribedOffset } from '../../groups/offsets/offset-manager.ts'
import { type MetadataImage, NO_LEADER } from '../../metadata/image.ts'
import { pause, retried } from '../consumers/retrying.ts'
import { OFFSETS } from '../internal-topic-names.ts'
import type { RecordReading } from '../reading.ts'
import {
  byPartition,
  committedOffsets,
  describeMembership,
  type GroupDescription,
  type GroupMembership,
  type GroupOffsetDescription,
  type GroupPartition,
} from './group-description.ts'
import { partitionsInScope, type ScopeEntry } from './group-scope.ts'
import { type PartitionReset, type ResetTarget, resetPartition } from './reset-target.ts'

/** A reset of a group's offsets. */
export interface OffsetResetCall {
  readonly groupId: string
  readonly to: ResetTarget
  /** What to reset, an entry with a target of its own where it has one; undefined for all that the group has committed. */
  readonly scope: readonly (ScopeEntry & { readonly to?: ResetTarget })[] | undefined
  /** Shows what would be, and changes nothing; members are no obstacle. */
  readonly isDryRun: boolean
  /** Puts the members out of the group first. They come back by themselves, and read from the new position. */
  readonly isForced: boolean
}

/** What a reset did, or would do. */
export interface OffsetResetOutcome {
  /** Sorted. */
  readonly partitions: readonly PartitionReset[]
  /** Who was put out of the group; after a dry run, who is in the way. */
  readonly members: readonly string[]
}

/** A committed offset that was forgotten. */
export interface ForgottenOffset extends GroupPartition {
  readonly offset: number
}

/** What this stands on. */
export interface GroupAdminParts {
  readonly coordinator: Pick<GroupCoordinator, 'read' | 'write' | 'partitionOf'>
  readonly reads: Pick<RecordReading, 'findOffset' | 'partitionOffsets'>
  readonly clock: Clock
  image(): MetadataImage
  /** Makes `__consumer_offsets` if there is none. */
  prepare(session: Session, groupId: string): Promise<unknown>
}

/** Members that come back are put out again so often, so long after each other. */
const FORCED_TRIES = 20
const FORCED_RETRY_MS = 250
/** The most members that a message names. */
const NAMED_MEMBERS = 5
/** A tool: no member, and of an API version that knows every refusal. */
const TOOL = {
  memberId: '',
  groupInstanceId: null,
  generationIdOrMemberEpoch: -1,
  version: 10,
} as const
const SERVED_TYPES: ReadonlySet<GroupType> = new Set(['classic', 'consumer'])
const BROKER_RETENTION = -1
const NO_EPOCH = -1

/** Groups of every kind, for doors that have their own words for them. */
export class GroupAdmin {
  readonly #parts: GroupAdminParts

  constructor(parts: GroupAdminParts) {
    this.#parts = parts
  }

  /** Rejects with GROUP_ID_NOT_FOUND. */
  async describe(session: Session, groupId: string): Promise<GroupDescription> {
    this.#checkExists(groupId)
    const { membership, committed } = await this.#read(groupId, (shard) => ({
      membership: describeMembership(shard, knownGroup(shard, groupId)),
      committed: this.#committed(shard, groupId),
    }))
    const partition = this.#parts.coordinator.partitionOf(groupId)
    const leader = this.#parts.image().partition({ topic: OFFSETS, partition })?.leader
    const offsets = this.#offsetsOf(session, membership, committed)
    return { ...membership, coordinator: leader ?? NO_LEADER, offsets }
  }

  /**
   * All partitions or none; what members commit meanwhile is not lost sight of. Rejects with NON_EMPTY_GROUP, which names
   * the members, GROUP_ID_NOT_FOUND for an unknown group without a scope, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST.
   */
  async reset(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId, isDryRun, isForced } = call
    if (call.scope === undefined) this.#checkExists(groupId)
    if (isDryRun) return await this.#preview(session, call)
    await this.#parts.prepare(session, groupId)
    for (let tries = 1; ; tries++) {
      try {
        return isForced ? await this.#force(session, call) : await this.#reset(session, call)
      } catch (error) {
        const isBack = error instanceof KafkaError && error.code === 'NON_EMPTY_GROUP'
        if (!isBack || !isForced || tries === FORCED_TRIES) throw error
      }
      await pause(this.#parts.clock, FORCED_RETRY_MS)
    }
  }

  /**
   * Forgets what the group has committed of these partitions, and says what that was. Rejects with GROUP_ID_NOT_FOUND,
   * UNKNOWN_TOPIC_OR_PARTITION, GROUP_SUBSCRIBED_TO_TOPIC, NON_EMPTY_GROUP, INVALID_REQUEST.
   */
  async forget(
    _session: Session,
    { groupId, scope }: { readonly groupId: string; readonly scope: readonly ScopeEntry[] },
  ): Promise<readonly ForgottenOffset[]> {
    this.#checkExists(groupId)
    const image = this.#parts.image()
    const wanted = new Set(partitionsInScope(image, scope).map(({ at }) => partitionName(at)))
    return await this.#write(groupId, (shard) => {
      const group = knownGroup(shard, groupId)
      const forgotten = this.#committed(shard, groupId).filter((at) =>
        wanted.has(partitionName(at)),
      )
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

  async #preview(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId } = call
    // Without its topic no group has committed anything.
    if (!this.#hasTopic()) return { partitions: this.#moves(session, call, []), members: [] }
    return await this.#read(groupId, (shard) => ({
      partitions: this.#movesIn(session, call, shard),
      members: memberIds(shard, groupId),
    }))
  }

  #reset(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId } = call
    return this.#write(groupId, (shard) => {
      checkEmpty(shard, groupId)
      const partitions = this.#movesIn(session, call, shard)
      const topics = byTopic(this.#parts.image(), partitions, ({ partition, to: offset }) => ({
        partition,
        offset,
        leaderEpoch: NO_EPOCH,
        metadata: '',
      }))
      const commit = { groupId, client: TOOL, retentionTimeMs: BROKER_RETENTION, topics }
      const { answer: _, ...plan } = shard.offsets.commit(commit)
      return { ...plan, answer: { partitions, members: [] } }
    })
  }

  /** Nobody gets in between the two: both are planned at once, unless the log is full of others' writes. */
  async #force(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId } = call
    const leaving = this.#write(groupId, (shard) => {
      // Nobody is put out for a reset that is going to be refused.
      this.#movesIn(session, call, shard)
      return evict(shard, groupId)
    })
    const resetting = this.#reset(session, call)
    const [left, done] = await Promise.allSettled([leaving, resetting])
    if (left.status === 'rejected') throw left.reason
    if (done.status === 'rejected') throw done.reason
    return { ...done.value, members: left.value }
  }

  /** As the coordinator does; one that is being loaded is waited for, a second at most. */
  #read<A>(groupId: string, query: (shard: GroupShard) => A): Promise<A> {
    const { clock, coordinator } = this.#parts
    return retried(clock, () => coordinator.read(groupId, query))
  }

  /** The same. */
  #write<A>(groupId: string, plan: (shard: GroupShard) => GroupPlan<A>): Promise<A> {
    const { clock, coordinator } = this.#parts
    return retried(clock, () => coordinator.write(groupId, plan))
  }

  #movesIn(session: Session, call: OffsetResetCall, shard: GroupShard) {
    const { groupId, scope } = call
    if (scope === undefined) knownGroup(shard, groupId)
    return this.#moves(session, call, this.#committed(shard, groupId))
  }

  #moves(
    session: Session,
    { groupId, scope, to }: OffsetResetCall,
    committed: readonly DescribedOffset[],
  ): readonly PartitionReset[] {
    const known = new Map(committed.map((one) => [partitionName(one), one.offset]))
    const wanted =
      scope === undefined
        ? committed.map((at) => ({ at, entry: { to } }))
        : partitionsInScope(this.#parts.image(), scope)
    if (wanted.length === 0) {
      const detail = `Group ${groupId} has committed nothing: name the topics to reset`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
    const { reads } = this.#parts
    return wanted.map(({ at: { topic, partition }, entry }) => {
      const { logStartOffset, highWatermark } = reads.partitionOffsets(session, topic, partition)
      return resetPartition(entry.to ?? to, {
        topic,
        partition,
        committed: known.get(partitionName({ topic, partition })) ?? null,
        logStartOffset,
        logEndOffset: highWatermark,
        offsetAt: (timestamp) =>
          reads.findOffset(session, { topic, partition, spec: { timestamp } }),
      })
    })
  }

  /** Sorted. */
  #committed(shard: GroupShard, groupId: string): DescribedOffset[] {
    return [...committedOffsets(shard, groupId, this.#parts.image())].sort(byPartition)
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

  #hasTopic(): boolean {
    return this.#parts.image().topic(OFFSETS) !== undefined
  }

  /** Before there is a coordinator there is no group. Throws GROUP_ID_NOT_FOUND. */
  #checkExists(groupId: string): void {
    if (!this.#hasTopic()) throw unknownGroup(groupId)
  }
}

function knownGroup(shard: GroupShard, groupId: string): Group {
  const group = shard.group(groupId)
  if (group) return group
  throw unknownGroup(groupId)
}

/** Throws NON_EMPTY_GROUP with who is in it. */
function checkEmpty(shard: GroupShard, groupId: string): void {
  const group = shard.group(groupId)
  // Groups of other kinds say themselves that they are not served here.
  if (!group || group.isEmpty || !SERVED_TYPES.has(group.type)) return
  const { state, members } = describeMembership(shard, group)
  const names = members.slice(0, NAMED_MEMBERS).map((member) => {
    const name = member.instanceId ?? member.clientId
    return `${name || member.memberId} at ${member.host || 'an unknown address'}`
  })
  const rest = members.length - names.length
  if (rest > 0) names.push(`${rest} more`)
  const count = members.length === 1 ? '1 active member' : `${members.length} active members`
  const who = names.length === 0 ? '' : `: ${names.join(', ')}`
  const detail = `Group ${groupId} is ${state} with ${count}${who}; only a forced reset puts them out`
  throw new KafkaError('NON_EMPTY_GROUP', detail)
}

/** Has all members leave, as if each had asked to. */
function evict(shard: GroupShard, groupId: string): GroupPlan<readonly string[]> {
  const group = shard.group(groupId)
  const leavers = group ? describeMembership(shard, group).members : []
  const answer = leavers.map(({ memberId }) => memberId)
  if (leavers.length === 0) return { records: [], answer }
  const members = leavers.map(({ memberId, instanceId }) => ({
    memberId,
    groupInstanceId: instanceId,
    reason: 'The offsets of the group are being reset',
  }))
  const { answer: _, ...plan } = shard.leave({ groupId, memberId: '', members })
  return { ...plan, answer }
}

function memberIds(shard: GroupShard, groupId: string): readonly string[] {
  const group = shard.group(groupId)
  return group ? describeMembership(shard, group).members.map(({ memberId }) => memberId) : []
}

/** Partitions by topic, in the words of the coordinator. */
function byTopic<P extends GroupPartition, T>(
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
