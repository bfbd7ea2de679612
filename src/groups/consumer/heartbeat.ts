// A ConsumerGroupHeartbeat: a member joins, lives, says what it owns, or leaves.
import type { KafkaError } from '#storage/base/errors.ts'
import { NO_ERROR } from '../../protocol/error-codes.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { GroupClient } from '../group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import type { ConsumerWorld, Draft } from './consumer-world.ts'
import { removeMembers, suspendMember } from './fencing.ts'
import { changeSubscription, reconcileMember, targetOf } from './member-change.ts'
import { refuseWhenFull, senderOf, staticSender } from './member-joining.ts'
import { updateMember } from './member-update.ts'
import { ownedToTopicPartitions, sameOwned } from './owned-partitions.ts'

/** A ConsumerGroupHeartbeat with its sender. A member that made no id of its own has been given one. */
export interface HeartbeatCall {
  readonly request: ConsumerGroupHeartbeatRequest
  readonly client: GroupClient
  readonly memberId: string
}

/**
 * The member lives. Its subscription may change the group, which may make a new target for all; the member itself then
 * goes a step towards its own. The answer holds an assignment when there is news, or when the client asks for all.
 */
export function planHeartbeat(
  world: ConsumerWorld,
  group: ConsumerGroup,
  { request, client, memberId }: HeartbeatCall,
  draft: Draft,
): ConsumerGroupHeartbeatResponse {
  const { groupId } = group
  const { memberEpoch, instanceId, topicPartitions: owned } = request
  refuseWhenFull(group, memberId, world.parts.configs.broker.number('group.consumer.max.size'))
  const isJoining = memberEpoch === JOIN_EPOCH
  const sender = { memberId, instanceId, isJoining, epoch: { memberEpoch, owned } }
  const before = senderOf(group, sender, draft.records)
  const after = updateMember(before, {
    clientId: client.clientId,
    clientHost: client.clientHost,
    instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor,
    subscribedTopicNames: request.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex,
    classic: null,
  })
  const change = { before, after, owned }
  const { groupEpoch, hasSubscriptionChanged } = changeSubscription(world, group, change, draft)
  const target = targetOf(world, group, { before, after, groupEpoch }, draft)
  const step = { after, owned, target, hasSubscriptionChanged }
  const member = reconcileMember(world, group, step, draft)
  const { sessionTimeoutMs, heartbeatIntervalMs } = world.settings.of(groupId)
  world.timers.keepSession({ groupId, memberId }, sessionTimeoutMs)
  const hasNews =
    isJoining || isFullRequest(request) || !sameOwned(before.assigned, member.assigned)
  return {
    throttleTimeMs: 0,
    errorCode: NO_ERROR,
    errorMessage: null,
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs,
    assignment: hasNews ? { topicPartitions: ownedToTopicPartitions(member.assigned) } : null,
  }
}

/** The member leaves, for good or, a static one, for a while. Returns also what is to be called when that is settled. */
export function planLeave(
  world: ConsumerWorld,
  group: ConsumerGroup,
  request: ConsumerGroupHeartbeatRequest,
  draft: Draft,
): {
  answer: ConsumerGroupHeartbeatResponse
  settled: ((error: KafkaError | undefined) => void) | undefined
} {
  const { memberId, instanceId, memberEpoch } = request
  const member =
    instanceId === null ? group.member(memberId) : staticSender(group, { memberId, instanceId })
  const isForAWhile = instanceId !== null && memberEpoch === STATIC_LEAVE_EPOCH
  const settled = isForAWhile
    ? suspendMember(group, member, draft)
    : removeMembers(world, group, new Set([member]), draft)
  return { answer: leaveAnswer(memberId, memberEpoch), settled: settled ?? undefined }
}

/** Whether the client says all that it can say: it does so after an error, to be told all. */
function isFullRequest(request: ConsumerGroupHeartbeatRequest): boolean {
  return (
    request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.topicPartitions !== null
  )
}

function leaveAnswer(memberId: string, memberEpoch: number): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode: NO_ERROR,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}
