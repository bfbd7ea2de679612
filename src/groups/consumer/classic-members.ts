// Members of the classic protocol in consumer groups: each joins by itself, and is told to join again when it should.
import { KafkaError } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { GroupPlan } from '../group-parts.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, classicProtocols, MEMBER_STATE } from './consumer-member.ts'
import type { ConsumerWorld, Draft, Planned } from './consumer-world.ts'
import { removeMembers } from './fencing.ts'
import { staticSender } from './member-joining.ts'
import { classicAssignment } from './migration.ts'

const PROTOCOL_TYPE = 'consumer'

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
  draft: Draft,
): Planned<LeaveGroupResponse> {
  const leaving = new Set<ConsumerMember>()
  const members = request.members.map(({ memberId, groupInstanceId }) => {
    const { member, code } = leaver(group, memberId, groupInstanceId)
    if (member) leaving.add(member)
    return { memberId, groupInstanceId, errorCode: code }
  })
  const settled = removeMembers(world, group, leaving, draft)
  return { answer: { throttleTimeMs: 0, errorCode: NO_ERROR, members }, settled }
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

function sessionTimeoutOf(member: ConsumerMember): number {
  return member.classic?.sessionTimeoutMs ?? 0
}
