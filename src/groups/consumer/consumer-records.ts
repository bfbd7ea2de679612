// The records of consumer groups (types 3 to 8 and 16), made from what a group has.
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Assignment } from '../assignors/assignment.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { ownedToRecord } from './owned-partitions.ts'

/** What a pattern stood for when it was last looked at. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>
  /** The offset of the metadata log. */
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** Type 3. */
export function groupEpochRecord(
  groupId: string,
  { epoch, metadataHash }: { epoch: number; metadataHash: Int64 },
): GroupRecord {
  return { type: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } }
}

/** Type 5. */
export function memberRecord(groupId: string, member: ConsumerMember): GroupRecord {
  const { memberId } = member
  return {
    type: 'ConsumerGroupMemberMetadata',
    key: { groupId, memberId },
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames].sort(),
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classic,
    },
  }
}

/** Type 6. */
export function assignmentEpochRecord(
  groupId: string,
  { epoch, timestamp }: { epoch: number; timestamp: number },
): GroupRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMetadata',
    key: { groupId },
    value: { assignmentEpoch: epoch, assignmentTimestamp: timestamp },
  }
}

/** Type 7. */
export function targetRecord(groupId: string, memberId: string, target: Assignment): GroupRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMember',
    key: { groupId, memberId },
    value: {
      topicPartitions: Array.from(target, ([topicId, partitions]) => ({
        topicId,
        partitions: [...partitions],
      })),
    },
  }
}

/** Type 8. */
export function currentAssignmentRecord(groupId: string, member: ConsumerMember): GroupRecord {
  const { memberId, memberEpoch, previousMemberEpoch, state } = member
  return {
    type: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId, memberId },
    value: {
      memberEpoch,
      previousMemberEpoch,
      state,
      assignedPartitions: ownedToRecord(member.assigned),
      partitionsPendingRevocation: ownedToRecord(member.pendingRevocation),
    },
  }
}

/** Type 16. */
export function regexRecord(groupId: string, regex: string, resolved: ResolvedRegex): GroupRecord {
  const { topics, version, timestamp } = resolved
  return {
    type: 'ConsumerGroupRegularExpression',
    key: { groupId, regularExpression: regex },
    value: { topics: [...topics].sort(), version, timestamp },
  }
}

/** Removes a pattern. */
export function regexTombstone(groupId: string, regex: string): GroupRecord {
  return {
    type: 'ConsumerGroupRegularExpression',
    key: { groupId, regularExpression: regex },
    value: null,
  }
}

/** Removes what Kafka 4.0 and older kept of a group's topics. */
export function partitionMetadataTombstone(groupId: string): GroupRecord {
  return { type: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null }
}

/** Removes a member. */
export function memberTombstones(groupId: string, memberId: string): GroupRecord[] {
  const key = { groupId, memberId }
  return [
    { type: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { type: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { type: 'ConsumerGroupMemberMetadata', key, value: null },
  ]
}

/** Removes a group with these members and patterns. */
export function groupTombstones(
  groupId: string,
  { memberIds, regexes }: { memberIds: readonly string[]; regexes: Iterable<string> },
): GroupRecord[] {
  const key = { groupId }
  const ofMembers = (
    type:
      | 'ConsumerGroupCurrentMemberAssignment'
      | 'ConsumerGroupTargetAssignmentMember'
      | 'ConsumerGroupMemberMetadata',
  ): GroupRecord[] =>
    memberIds.map((memberId) => ({ type, key: { groupId, memberId }, value: null }))
  return [
    ...ofMembers('ConsumerGroupCurrentMemberAssignment'),
    ...ofMembers('ConsumerGroupTargetAssignmentMember'),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key, value: null },
    ...ofMembers('ConsumerGroupMemberMetadata'),
    ...Array.from(regexes, (regex) => regexTombstone(groupId, regex)),
    partitionMetadataTombstone(groupId),
    { type: 'ConsumerGroupMetadata', key, value: null },
  ]
}
