// Applies the records of consumer groups: the only place where what is logged of a group changes.
import { toAssignment } from '../assignors/assignment.ts'
import type { Group } from '../group.ts'
import type { GroupRecord } from '../group-record.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { LEAVE_EPOCH, withCurrentAssignment, withMetadata } from './consumer-member.ts'
import { NOTHING_OWNED } from './owned-partitions.ts'

/**
 * Applies a record to the groups; false when it is none of a consumer group. The first record with a value makes the
 * group, in the place of a classic one if there is one: the last word counts. A tombstone of what is unknown is passed
 * over; so is one of a group that is of another type now.
 */
export function replayConsumerRecord(groups: Map<string, Group>, record: GroupRecord): boolean {
  if (!isConsumerRecord(record)) return false
  const { groupId } = record.key
  let group = groups.get(groupId)
  if (!(group instanceof ConsumerGroup)) {
    if (record.value === null) return true
    group = new ConsumerGroup(groupId)
    groups.set(groupId, group)
  }
  if (record.type === 'ConsumerGroupMetadata' && record.value === null) groups.delete(groupId)
  else applyRecord(group as ConsumerGroup, record)
  return true
}

type ConsumerRecord = Extract<GroupRecord, { type: `ConsumerGroup${string}` }>

function isConsumerRecord(record: GroupRecord): record is ConsumerRecord {
  return record.type.startsWith('ConsumerGroup')
}

function applyRecord(group: ConsumerGroup, record: ConsumerRecord): void {
  switch (record.type) {
    case 'ConsumerGroupMetadata':
      if (record.value === null) return
      group.groupEpoch = record.value.epoch
      group.metadataHash = record.value.metadataHash
      return
    case 'ConsumerGroupPartitionMetadata':
      group.hasPartitionMetadataRecord = record.value !== null
      return
    case 'ConsumerGroupMemberMetadata':
      if (record.value === null) group.removeMember(record.key.memberId)
      else group.updateMember(withMetadata(group.memberOrNew(record.key.memberId), record.value))
      return
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1
      group.assignmentTimestamp = record.value?.assignmentTimestamp ?? 0
      return
    case 'ConsumerGroupTargetAssignmentMember':
      if (record.value === null) group.removeTarget(record.key.memberId)
      else {
        const { topicPartitions } = record.value
        const pairs = topicPartitions.map((one) => [one.topicId, one.partitions] as const)
        group.setTarget(record.key.memberId, toAssignment(pairs))
      }
      return
    case 'ConsumerGroupCurrentMemberAssignment':
      applyCurrentAssignment(group, record)
      return
    case 'ConsumerGroupRegularExpression':
      group.resolveRegex(
        record.key.regularExpression,
        record.value === null
          ? undefined
          : { ...record.value, topics: new Set(record.value.topics) },
      )
  }
}

function applyCurrentAssignment(
  group: ConsumerGroup,
  {
    key: { memberId },
    value,
  }: Extract<ConsumerRecord, { type: 'ConsumerGroupCurrentMemberAssignment' }>,
): void {
  if (value !== null) {
    group.updateMember(withCurrentAssignment(group.memberOrNew(memberId), value))
    return
  }
  const member = group.members.get(memberId)
  if (member === undefined) return
  group.updateMember({
    ...member,
    memberEpoch: LEAVE_EPOCH,
    previousMemberEpoch: LEAVE_EPOCH,
    assigned: NOTHING_OWNED,
    pendingRevocation: NOTHING_OWNED,
  })
}
