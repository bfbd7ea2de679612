// Members of the classic protocol in consumer groups: each joins by itself, and is told to join again when it should.
import { KafkaError } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import {
  type ConsumerProtocolSubscription,
  parseSubscription,
} from '../../protocol/records/consumer-protocol.ts'
import type { GroupClient } from '../group.ts'
import type { GroupPlan } from '../group-parts.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, classicProtocols, MEMBER_STATE } from './consumer-member.ts'
import { allowsMigration, type ConsumerWorld, type Draft, newDraft } from './consumer-world.ts'
import { removeMembers } from './fencing.ts'
import { changeSubscription, reconcileMember, targetOf } from './member-change.ts'
import { senderOf, staticSender } from './member-joining.ts'
import { updateMember } from './member-update.ts'
import { canDowngrade, classicAssignment, downgrade } from './migration.ts'
import type { TopicPartitions } from './owned-partitions.ts'

/** The first version of JoinGroup in which a new member is told its id before it joins. */
const MEMBER_ID_VERSION = 4
const PROTOCOL_TYPE = 'consumer'

/** A JoinGroup with its sender. */
export interface JoinCall {
  readonly request: JoinGroupRequest
  readonly client: GroupClient
  readonly version: number
}

/** What a plan of these has come to. */
export interface Planned<Answer> {
  readonly answer: Answer
  readonly settled: GroupPlan<Answer>['settled']
}

/**
 * The member joins, or joins again, and is told its epoch as generation; it fetches its assignment by SyncGroup. Nobody
 * waits for anybody. `newMemberId` is for a member without one.
 */
export function planJoin(
  world: ConsumerWorld,
  group: ConsumerGroup,
  { request, client, version, newMemberId }: JoinCall & { newMemberId: string },
  draft: Draft,
): Planned<JoinGroupResponse> {
  checkJoin(world, group, request)
  const { groupInstanceId: instanceId } = request
  const isUnknown = request.memberId === ''
  const memberId = isUnknown ? newMemberId : request.memberId
  if (isUnknown && instanceId === null && version >= MEMBER_ID_VERSION) {
    return { answer: joinAnswer(memberId, errorCode('MEMBER_ID_REQUIRED')), settled: undefined }
  }
  const subscription = subscriptionOf(request)
  const isJoining = instanceId === null || isUnknown
  const before = senderOf(group, { memberId, instanceId, isJoining, epoch: null }, draft.records)
  const after = joined(before, { request, client, subscription })
  const owned = topicPartitions(world, subscription)
  const change = { before, after, owned }
  const replaced = group.staticMember(instanceId)
  const { groupEpoch, hasSubscriptionChanged } = changeSubscription(world, group, change, draft)
  const isDowngrade =
    replaced?.classic === null &&
    canDowngrade(world, group, { leaving: new Set([replaced]), joining: 1 })
  if (isDowngrade) {
    const rebalance = group.assignmentEpoch < groupEpoch
    const target = { epoch: group.assignmentEpoch, assignment: group.target(replaced.memberId) }
    const member = rebalance
      ? after
      : reconcileMember(world, group, { ...change, target, hasSubscriptionChanged }, draft)
    const joining = { replaced, member }
    const leaving = new Set<ConsumerMember>()
    const settled = downgrade(world, group, { leaving, joining, rebalance }, draft)
    return { answer: joinAnswer(memberId, NO_ERROR, member), settled }
  }
  const target = targetOf(world, group, { before, after, groupEpoch }, draft)
  const step = { ...change, target, hasSubscriptionChanged }
  const member = reconcileMember(world, group, step, draft)
  draft.effects.push(() => {
    const who = { groupId: group.groupId, memberId }
    world.timers.stop(who, 'rejoin')
    world.timers.stop(who, 'revoke')
    world.timers.keepSession(who, request.sessionTimeoutMs)
    world.timers.start(who, 'sync', rebalanceTimeoutOf(request))
  })
  return { answer: joinAnswer(memberId, NO_ERROR, member), settled: undefined }
}

/** The member asks for its assignment. */
export function planSync(
  world: ConsumerWorld,
  group: ConsumerGroup,
  request: SyncGroupRequest,
): GroupPlan<SyncGroupResponse> {
  const member = classicSender(group, request)
  const { protocolType, protocolName } = request
  checkProtocol(member, { protocolType, protocolName })
  const who = { groupId: group.groupId, memberId: member.memberId }
  const isBehind =
    group.assignmentEpoch > member.memberEpoch && member.state !== MEMBER_STATE.UNREVOKED_PARTITIONS
  if (isBehind) {
    world.timers.startOnce(who, 'rejoin', member.rebalanceTimeoutMs)
    const detail = `Member ${member.memberId} is at epoch ${member.memberEpoch}, the group at ${group.assignmentEpoch}`
    throw new KafkaError('REBALANCE_IN_PROGRESS', detail)
  }
  world.timers.stop(who, 'sync')
  world.timers.keepSession(who, sessionTimeoutOf(member))
  const owned = Array.from(member.assigned, ([topicId, one]) => [topicId, one.keys()] as const)
  const assignment = classicAssignment(member, owned, world.parts.image())
  const answer = { throttleTimeMs: 0, errorCode: NO_ERROR, protocolType, protocolName, assignment }
  return { records: [], answer }
}

/** The member lives, and is told to join again when its assignment is not what it should be. */
export function planHeartbeat(
  world: ConsumerWorld,
  group: ConsumerGroup,
  request: HeartbeatRequest,
): GroupPlan<HeartbeatResponse> {
  const member = classicSender(group, request)
  const who = { groupId: group.groupId, memberId: member.memberId }
  world.timers.keepSession(who, sessionTimeoutOf(member))
  const shouldRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    member.state === MEMBER_STATE.UNREVOKED_PARTITIONS ||
    (member.state === MEMBER_STATE.UNRELEASED_PARTITIONS && !group.isWaitingForPartitions(member))
  if (shouldRejoin) world.timers.startOnce(who, 'rejoin', member.rebalanceTimeoutMs)
  const code = shouldRejoin ? errorCode('REBALANCE_IN_PROGRESS') : NO_ERROR
  return { records: [], answer: { throttleTimeMs: 0, errorCode: code } }
}

/** Members leave, or an administrator removes static members by instance id. */
export function planLeave(
  world: ConsumerWorld,
  group: ConsumerGroup,
  request: LeaveGroupRequest,
): GroupPlan<LeaveGroupResponse> {
  const leaving = new Set<ConsumerMember>()
  const members = request.members.map(({ memberId, groupInstanceId }) => {
    const { member, code } = leaver(group, memberId, groupInstanceId)
    if (member) leaving.add(member)
    return { memberId, groupInstanceId, errorCode: code }
  })
  const draft = newDraft()
  const settled = removeMembers(world, group, leaving, draft)
  for (const effect of draft.effects) effect()
  return {
    records: draft.records,
    answer: { throttleTimeMs: 0, errorCode: NO_ERROR, members },
    ...(settled && { settled }),
  }
}

function leaver(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
): { member?: ConsumerMember; code: number } {
  try {
    if (instanceId === null) return { member: group.member(memberId), code: NO_ERROR }
    const known = group.staticMember(instanceId)?.memberId ?? ''
    const claimed = memberId === '' ? known : memberId
    return { member: staticSender(group, { memberId: claimed, instanceId }), code: NO_ERROR }
  } catch (error) {
    if (error instanceof KafkaError) return { code: errorCode(error.code) }
    throw error
  }
}

function checkJoin(
  { parts }: ConsumerWorld,
  group: ConsumerGroup,
  { groupId, memberId, protocolType, protocols, sessionTimeoutMs }: JoinGroupRequest,
): void {
  const { broker } = parts.configs
  if (!allowsMigration(parts, 'ANY')) {
    const detail = `Group ${groupId} is a consumer group, which classic members may not join here`
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', detail)
  }
  const [least, most] = [
    broker.number('group.min.session.timeout.ms'),
    broker.number('group.max.session.timeout.ms'),
  ]
  if (sessionTimeoutMs < least || sessionTimeoutMs > most) {
    const detail = `The session timeout ${sessionTimeoutMs} is outside [${least}, ${most}]`
    throw new KafkaError('INVALID_SESSION_TIMEOUT', detail)
  }
  refuseWhenFull(group, memberId, broker.number('group.consumer.max.size'))
  const names = protocols.map(({ name }) => name)
  if (protocolType !== PROTOCOL_TYPE || !group.supportsClassicProtocols(names)) {
    const detail = `Group ${groupId} has members that know none of ${names.join(', ') || 'no protocols'} of type ${protocolType}`
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', detail)
  }
}

/** Throws GROUP_MAX_SIZE_REACHED for somebody new when there are as many members as may be. */
export function refuseWhenFull(group: ConsumerGroup, memberId: string, most: number): void {
  if (group.members.size < most || group.members.has(memberId)) return
  const detail = `Group ${group.groupId} has ${group.members.size} members, the most that are allowed`
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', detail)
}

function classicSender(
  group: ConsumerGroup,
  request: Pick<SyncGroupRequest, 'memberId' | 'groupInstanceId' | 'generationId'>,
): ConsumerMember {
  const { memberId, groupInstanceId: instanceId, generationId } = request
  const member =
    instanceId === null ? group.member(memberId) : staticSender(group, { memberId, instanceId })
  if (member.classic === null) {
    const detail = `Member ${memberId} does not speak the classic protocol`
    throw new KafkaError('UNKNOWN_MEMBER_ID', detail)
  }
  if (generationId !== member.memberEpoch) {
    const detail = `Member ${memberId} is in generation ${member.memberEpoch}, not ${generationId}`
    throw new KafkaError('ILLEGAL_GENERATION', detail)
  }
  return member
}

function checkProtocol(
  member: ConsumerMember,
  said: { protocolType: string | null; protocolName: string | null },
): void {
  const name = classicProtocols(member)[0]?.name
  const isType = said.protocolType === null || said.protocolType === PROTOCOL_TYPE
  const isName = said.protocolName === null || said.protocolName === name
  if (isType && isName) return
  const detail = `Member ${member.memberId} has joined with ${PROTOCOL_TYPE}/${name}, not ${said.protocolType}/${said.protocolName}`
  throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', detail)
}

function joined(
  before: ConsumerMember,
  {
    request,
    client,
    subscription,
  }: { request: JoinGroupRequest; client: GroupClient; subscription: ConsumerProtocolSubscription },
): ConsumerMember {
  return updateMember(before, {
    ...client,
    instanceId: request.groupInstanceId,
    rackId: subscription.rackId || null,
    rebalanceTimeoutMs: rebalanceTimeoutOf(request),
    serverAssignor: null,
    subscribedTopicNames: subscription.topics,
    subscribedTopicRegex: '',
    classic: {
      sessionTimeoutMs: request.sessionTimeoutMs,
      // The request's bytes are views.
      supportedProtocols: request.protocols.map(({ name, metadata }) => ({
        name,
        metadata: metadata.slice(),
      })),
    },
  })
}

function subscriptionOf({ protocols }: JoinGroupRequest): ConsumerProtocolSubscription {
  try {
    return parseSubscription(protocols[0]?.metadata ?? new Uint8Array(0))
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const detail = `The subscription cannot be understood: ${error.message}`
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', detail)
  }
}

function topicPartitions(
  { parts }: ConsumerWorld,
  { ownedPartitions }: ConsumerProtocolSubscription,
): TopicPartitions[] {
  const image = parts.image()
  return ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = image.topic(topic)?.id
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

/** Clients before v1 wait for as long as their session lasts. */
function rebalanceTimeoutOf(request: JoinGroupRequest): number {
  const { rebalanceTimeoutMs, sessionTimeoutMs } = request
  return rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs
}

function sessionTimeoutOf(member: ConsumerMember): number {
  return member.classic?.sessionTimeoutMs ?? 0
}

function joinAnswer(memberId: string, code: number, member?: ConsumerMember): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: code,
    generationId: member?.memberEpoch ?? -1,
    protocolType: member ? PROTOCOL_TYPE : null,
    protocolName: member ? (classicProtocols(member)[0]?.name ?? null) : null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}
