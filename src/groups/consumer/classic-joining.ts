// A member of the classic protocol joins a consumer group, or joins it again.
import { KafkaError } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import {
  type ConsumerProtocolSubscription,
  parseSubscription,
} from '../../protocol/records/consumer-protocol.ts'
import type { GroupClient } from '../group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, classicProtocols } from './consumer-member.ts'
import { allowsMigration, type ConsumerWorld, type Draft, type Planned } from './consumer-world.ts'
import { changeSubscription, reconcileMember, targetOf } from './member-change.ts'
import { refuseWhenFull, senderOf } from './member-joining.ts'
import { updateMember } from './member-update.ts'
import { canDowngrade, downgrade } from './migration.ts'
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
      supportedProtocols: request.protocols,
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
