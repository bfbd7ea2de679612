// The consumer protocol of one shard of the group coordinator (KIP-848): one request type joins, lives, and leaves.
import { KafkaError } from '#storage/base/errors.ts'
import { randomUuid } from '#storage/base/uuid.ts'
import type { MetadataDelta } from '../../metadata/delta.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { GroupClient } from '../group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import type { GroupRecord } from '../group-record.ts'
import { planJoin } from './classic-joining.ts'
import {
  planHeartbeat as planClassicHeartbeat,
  planLeave as planClassicLeave,
  planSync,
} from './classic-members.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, MEMBER_STATE, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import { replayConsumerRecord } from './consumer-replay.ts'
import { ConsumerSettingsCache } from './consumer-settings.ts'
import { type ConsumerWorld, type Draft, newDraft, notConsumerGroup } from './consumer-world.ts'
import { type DescribedConsumerGroup, describeConsumerGroup } from './describe-group.ts'
import { removeMembers } from './fencing.ts'
import { planHeartbeat, planLeave } from './heartbeat.ts'
import { checkHeartbeat } from './heartbeat-check.ts'
import { assignorNames, wantedAssignor } from './member-change.ts'
import { MemberTimers, type Overdue, type TimedMember } from './member-timers.ts'
import { upgrade } from './migration.ts'
import { RegexLooks } from './regex-looks.ts'
import { TopicHashes } from './topic-hashes.ts'

/**
 * The consumer groups of a shard. Requests become plans on the newest state; what is logged changes in `replay` alone. A
 * heartbeat that brings no news writes nothing. Lives from the load of its partition to its unload.
 */
export class ConsumerGroups {
  readonly #parts: GroupParts
  readonly #world: ConsumerWorld
  readonly #timers: MemberTimers
  readonly #looks: RegexLooks
  #newTopicsVersion = -1
  #isUnloaded = false

  constructor(parts: GroupParts, classic: ConsumerWorld['classic']) {
    this.#parts = parts
    this.#timers = new MemberTimers(parts.host, (who, overdue, epoch) => {
      this.#overdue(who, overdue, epoch)
    })
    const hashes = new TopicHashes()
    this.#looks = new RegexLooks({
      ...parts,
      hashes,
      refused: (groupId) => this.#takeBack(groupId),
    })
    this.#world = {
      parts,
      classic,
      settings: new ConsumerSettingsCache(parts),
      hashes,
      timers: this.#timers,
      newTopicsVersion: () => this.#newTopicsVersion,
    }
  }

  /**
   * A ConsumerGroupHeartbeat. Throws INVALID_REQUEST, UNSUPPORTED_VERSION where the protocol is off, UNSUPPORTED_ASSIGNOR,
   * INVALID_REGULAR_EXPRESSION, GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH,
   * FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID.
   */
  heartbeat(
    client: GroupClient,
    request: ConsumerGroupHeartbeatRequest,
    version: number,
  ): GroupPlan<ConsumerGroupHeartbeatResponse> {
    this.#checkEnabled()
    checkHeartbeat(request, version, assignorNames(this.#parts))
    const { groupId, memberEpoch } = request
    const draft = newDraft()
    if (memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH) {
      const { answer, settled } = planLeave(this.#world, this.#group(groupId), request, draft)
      return this.#plan(draft, answer, { groupId, settled })
    }
    const group =
      memberEpoch === JOIN_EPOCH ? this.#groupToJoin(groupId, draft) : this.#group(groupId)
    const memberId = request.memberId || randomUuid(this.#parts.random)
    const answer = planHeartbeat(this.#world, group, { request, client, memberId }, draft)
    return this.#plan(draft, answer, { groupId })
  }

  /** A classic member joins a consumer group that has members. Throws INCONSISTENT_GROUP_PROTOCOL and what members get. */
  joinClassic(
    client: GroupClient,
    request: JoinGroupRequest,
    version: number,
  ): GroupPlan<JoinGroupResponse> {
    const { groupId } = request
    const draft = newDraft()
    const newMemberId = randomUuid(this.#parts.random)
    const joining = { client, request, version, newMemberId }
    const { answer, settled } = planJoin(this.#world, this.#group(groupId), joining, draft)
    return this.#plan(draft, answer, { groupId, settled })
  }

  /** A classic member asks for its assignment. */
  syncClassic(request: SyncGroupRequest): GroupPlan<SyncGroupResponse> {
    return planSync(this.#world, this.#group(request.groupId), request)
  }

  /** A classic member lives; REBALANCE_IN_PROGRESS is in the answer. */
  heartbeatClassic(request: HeartbeatRequest): GroupPlan<HeartbeatResponse> {
    return planClassicHeartbeat(this.#world, this.#group(request.groupId), request)
  }

  /** Classic members leave, or are removed. Refusals of single members are in the answer. */
  leaveClassic(request: LeaveGroupRequest): GroupPlan<LeaveGroupResponse> {
    const { groupId } = request
    const draft = newDraft()
    const { answer, settled } = planClassicLeave(this.#world, this.#group(groupId), request, draft)
    return this.#plan(draft, answer, { groupId, settled })
  }

  /** What an administrator may know of the group. Throws GROUP_ID_NOT_FOUND, UNSUPPORTED_VERSION. */
  describe(groupId: string): DescribedConsumerGroup {
    this.#checkEnabled()
    const group = this.#group(groupId)
    const assignorName = wantedAssignor(group, this.#parts).name
    return describeConsumerGroup(group, { image: this.#parts.image(), assignorName })
  }

  /** Applies a record of a consumer group; false when it is none. */
  replay(record: GroupRecord): boolean {
    return replayConsumerRecord(this.#parts.groups, record)
  }

  /** All is replayed: members are waited for from now on. */
  loaded(): void {
    this.#newTopicsVersion = this.#parts.image().offset
    for (const group of this.#parts.groups.values()) {
      if (group instanceof ConsumerGroup) this.#watch(group)
    }
  }

  /** Nobody is waited for any more. */
  unloaded(): void {
    this.#isUnloaded = true
    this.#looks.end()
    this.#timers.clear()
  }

  /** Topics came, went or changed: the groups that are subscribed to them look again at their next heartbeat. */
  metadataChanged({ image, partitions, previous }: MetadataDelta): void {
    const topics = new Set<string>()
    for (const { topic, topicId } of partitions) {
      if (topics.has(topic)) continue
      topics.add(topic)
      // Only new topics make patterns look again: those that are gone go with the metadata.
      if (previous.topicById(topicId) === undefined) this.#newTopicsVersion = image.offset
    }
    if (topics.size === 0) return
    for (const group of this.#parts.groups.values()) {
      if (!(group instanceof ConsumerGroup) || group.isMetadataStale) continue
      group.isMetadataStale = isSubscribedToAny(group, topics)
    }
  }

  #plan<Answer>(
    draft: Draft,
    answer: Answer,
    { groupId, settled }: { groupId: string; settled?: GroupPlan<Answer>['settled'] },
  ): GroupPlan<Answer> {
    const { records, effects, needsRegexRefresh } = draft
    for (const effect of effects) effect()
    if (records.length === 0 && !needsRegexRefresh) return { records, answer }
    return {
      records,
      answer,
      settled: (error) => {
        settled?.(error)
        if (error !== undefined) this.#takeBack(groupId)
        else if (needsRegexRefresh) this.#looks.begin(groupId)
      },
    }
  }

  /** What a plan did beside its records stands, but the records were refused: a full disk, say. */
  #takeBack(groupId: string): void {
    const group = this.#parts.groups.get(groupId)
    if (this.#isUnloaded || !(group instanceof ConsumerGroup)) return
    group.isMetadataStale = true
    this.#watch(group)
  }

  /** Sees that every member is waited for. */
  #watch({ groupId, members }: ConsumerGroup): void {
    const { sessionTimeoutMs } = this.#world.settings.of(groupId)
    for (const { memberId, state, memberEpoch, rebalanceTimeoutMs } of members.values()) {
      const who = { groupId, memberId }
      this.#timers.beginSession(who, sessionTimeoutMs)
      if (state === MEMBER_STATE.UNREVOKED_PARTITIONS) {
        this.#timers.startOnce(who, 'revoke', rebalanceTimeoutMs, memberEpoch)
      }
    }
  }

  #group(groupId: string): ConsumerGroup {
    const group = this.#parts.groups.get(groupId)
    if (group instanceof ConsumerGroup) return group
    throw notConsumerGroup(groupId, group ? `is a ${group.type} group` : 'does not exist')
  }

  /** The group, which may be new, or come out of a classic one. */
  #groupToJoin(groupId: string, draft: Draft): ConsumerGroup {
    const group = this.#parts.groups.get(groupId)
    if (group === undefined) return new ConsumerGroup(groupId)
    if (!(group instanceof ClassicGroup)) return this.#group(groupId)
    if (!group.isEmpty) return upgrade(this.#world, group, draft)
    draft.records.push(...group.tombstones())
    return new ConsumerGroup(groupId)
  }

  #checkEnabled(): void {
    const { configs, image } = this.#parts
    const isOffered = configs.broker
      .list('group.coordinator.rebalance.protocols')
      .some((name) => name.toLowerCase() === 'consumer')
    if (isOffered && (image().features.get('group.version') ?? 0) >= 1) return
    throw new KafkaError('UNSUPPORTED_VERSION', 'The consumer protocol is turned off here')
  }

  /** A member has not done in time what it should. */
  #overdue(who: TimedMember, overdue: Overdue, epoch: number | undefined): void {
    const { groupId, memberId } = who
    this.#write(groupId, () => {
      const group = this.#parts.groups.get(groupId)
      const member = group instanceof ConsumerGroup ? group.members.get(memberId) : undefined
      if (!(group instanceof ConsumerGroup) || member === undefined) {
        this.#timers.forget(who)
        return { records: [], answer: undefined }
      }
      // It has gone on since, or was never told to revoke, because that could not be written.
      const isRevoking = member.state === MEMBER_STATE.UNREVOKED_PARTITIONS
      const isLate = overdue !== 'revoke' || (isRevoking && member.memberEpoch === epoch)
      const draft = newDraft()
      const settled = isLate
        ? removeMembers(this.#world, group, new Set([member]), draft)
        : undefined
      return this.#plan(draft, undefined, { groupId, settled })
    })
  }

  /** What the shard begins by itself. */
  #write(groupId: string, plan: () => GroupPlan<void>): void {
    if (this.#isUnloaded) return
    this.#parts.host.write(plan).catch((error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      this.#takeBack(groupId)
    })
  }
}

function isSubscribedToAny(group: ConsumerGroup, topics: ReadonlySet<string>): boolean {
  if (topics.size < group.topics.size) {
    for (const topic of topics) if (group.isSubscribedTo(topic)) return true
    return false
  }
  for (const topic of group.topics.names()) if (topics.has(topic)) return true
  return false
}
