// Who a request of a consumer group's member comes from: known, new, in the place of another, or refused.
import { KafkaError } from '#storage/base/errors.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, JOIN_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from './consumer-records.ts'
import { ownsAll, type TopicPartitions } from './owned-partitions.ts'

/** What a request says of its sender. */
export interface Sender {
  readonly memberId: string
  readonly instanceId: string | null
  /** Whether the sender may be new. */
  readonly isJoining: boolean
  /** Null for a sender of the classic protocol, whose epoch is checked elsewhere. */
  readonly epoch: {
    readonly memberEpoch: number
    readonly owned: readonly TopicPartitions[] | null
  } | null
}

/** Throws GROUP_MAX_SIZE_REACHED for somebody new when there are as many members as may be. */
export function refuseWhenFull(group: ConsumerGroup, memberId: string, most: number): void {
  if (group.members.size < most || group.members.has(memberId)) return
  const detail = `Group ${group.groupId} has ${group.members.size} members, the most that are allowed`
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', detail)
}

/**
 * The member that a request comes from. A static member that comes back under a new id takes the place of the old one:
 * the records for that are added. Throws UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID,
 * UNRELEASED_INSTANCE_ID.
 */
export function senderOf(
  group: ConsumerGroup,
  sender: Sender,
  records: GroupRecord[],
): ConsumerMember {
  const { memberId, instanceId, isJoining } = sender
  if (instanceId === null) {
    const member = isJoining ? group.memberOrNew(memberId) : group.member(memberId)
    checkEpoch(member, sender)
    return member
  }
  const known = group.staticMember(instanceId)
  if (!isJoining) {
    const member = staticSender(group, { memberId, instanceId })
    checkEpoch(member, sender)
    return member
  }
  if (known === undefined) return group.memberOrNew(memberId)
  const areBothConsumers = sender.epoch !== null && known.classic === null
  if (areBothConsumers && known.memberEpoch !== STATIC_LEAVE_EPOCH) {
    const detail = `Instance ${instanceId} is member ${known.memberId}, which has not left`
    throw new KafkaError('UNRELEASED_INSTANCE_ID', detail)
  }
  return replaced(group, { known, memberId }, records)
}

/** The static member that says to be this member. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function staticSender(
  group: ConsumerGroup,
  { memberId, instanceId }: { memberId: string; instanceId: string },
): ConsumerMember {
  const known = group.staticMember(instanceId)
  if (known === undefined) {
    const detail = `Group ${group.groupId} has no member of instance ${instanceId}`
    throw new KafkaError('UNKNOWN_MEMBER_ID', detail)
  }
  if (known.memberId !== memberId) {
    const detail = `Instance ${instanceId} is member ${known.memberId} now, not ${memberId}`
    throw new KafkaError('FENCED_INSTANCE_ID', detail)
  }
  return known
}

/**
 * Throws FENCED_MEMBER_EPOCH for a member that does not know its own epoch. One step behind is let through if the client
 * owns nothing that it should not: the answer with the newest epoch may have been lost.
 */
function checkEpoch(member: ConsumerMember, { epoch }: Sender): void {
  if (epoch === null || epoch.memberEpoch === JOIN_EPOCH) return
  const { memberEpoch, owned } = epoch
  if (memberEpoch === member.memberEpoch) return
  const isBehind =
    memberEpoch < member.memberEpoch &&
    memberEpoch === member.previousMemberEpoch &&
    owned !== null &&
    ownsAll(member.assigned, owned)
  if (isBehind) return
  const detail = `Member ${member.memberId} is at epoch ${member.memberEpoch}, not at ${memberEpoch}; it must give up its partitions and join again`
  throw new KafkaError('FENCED_MEMBER_EPOCH', detail)
}

function replaced(
  group: ConsumerGroup,
  { known, memberId }: { known: ConsumerMember; memberId: string },
  records: GroupRecord[],
): ConsumerMember {
  const { groupId } = group
  const member = { ...known, memberId, memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
  records.push(
    ...memberTombstones(groupId, known.memberId),
    memberRecord(groupId, member),
    targetRecord(groupId, memberId, group.target(known.memberId)),
    currentAssignmentRecord(groupId, member),
  )
  return member
}
