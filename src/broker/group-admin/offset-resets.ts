// Sets where groups go on reading, while nobody is in them or by putting their members out.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Session } from '../../access/session.ts'
import type { GroupType } from '../../groups/group.ts'
import type { GroupPlan } from '../../groups/group-parts.ts'
import type { GroupShard } from '../../groups/group-shard.ts'
import type { DescribedOffset } from '../../groups/offsets/offset-manager.ts'
import { pause } from '../consumers/retrying.ts'
import type { RecordReading } from '../reading.ts'
import { describeMembership } from './group-description.ts'
import { byTopic, type GroupLookup, knownGroup } from './group-lookup.ts'
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

/** What this stands on. */
export interface OffsetResetsParts {
  readonly lookup: GroupLookup
  readonly reads: Pick<RecordReading, 'findOffset' | 'partitionOffsets'>
  readonly clock: Clock
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

/** Resets offsets, in the sense of Kafka's ConsumerGroupCommand. */
export class OffsetResets {
  readonly #parts: OffsetResetsParts

  constructor(parts: OffsetResetsParts) {
    this.#parts = parts
  }

  /**
   * All partitions or none; what members commit meanwhile is not lost sight of. Rejects with NON_EMPTY_GROUP, which names
   * the members, GROUP_ID_NOT_FOUND for an unknown group without a scope, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST.
   */
  async reset(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId, isDryRun, isForced } = call
    if (call.scope === undefined) this.#parts.lookup.checkCoordinator(groupId)
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

  async #preview(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId } = call
    const { lookup } = this.#parts
    if (!lookup.hasCoordinator) return { partitions: this.#moves(session, call, []), members: [] }
    return await lookup.read(groupId, (shard) => ({
      partitions: this.#movesIn(session, call, shard),
      members: memberIds(shard, groupId),
    }))
  }

  #reset(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    const { groupId } = call
    return this.#parts.lookup.write(groupId, (shard) => {
      checkEmpty(shard, groupId)
      const partitions = this.#movesIn(session, call, shard)
      const topics = byTopic(this.#parts.lookup.image, partitions, ({ partition, to: offset }) => ({
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
    const leaving = this.#parts.lookup.write(groupId, (shard) => {
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

  #movesIn(session: Session, call: OffsetResetCall, shard: GroupShard) {
    const { groupId, scope } = call
    if (scope === undefined) knownGroup(shard, groupId)
    return this.#moves(session, call, this.#parts.lookup.committed(shard, groupId))
  }

  #moves(
    session: Session,
    { groupId, scope, to }: OffsetResetCall,
    committed: readonly DescribedOffset[],
  ): readonly PartitionReset[] {
    const { lookup, reads } = this.#parts
    const known = new Map(committed.map((one) => [partitionName(one), one.offset]))
    const wanted =
      scope === undefined
        ? committed.map((at) => ({ at, entry: { to } }))
        : partitionsInScope(lookup.image, scope)
    if (wanted.length === 0) {
      const detail = `Group ${groupId} has committed nothing: name the topics to reset`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
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
