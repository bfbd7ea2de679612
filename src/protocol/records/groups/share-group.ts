// Group record types 10 to 15: what is kept of a share group (KIP-932).
import { array, struct } from '../../codec/composites.ts'
import { tagged } from '../../codec/fields.ts'
import { type Infer, message } from '../../codec/message.ts'
import {
  int8,
  int32,
  int64,
  int64Exact,
  nullableString,
  string,
  uuid,
} from '../../codec/primitives.ts'

/** Group and member. */
export const ShareGroupMemberMetadataKey = message(
  { key: 10, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ShareGroupMemberMetadataKey, decoded. */
export type ShareGroupMemberMetadataKey = Infer<typeof ShareGroupMemberMetadataKey>

/** What a member says of itself. */
export const ShareGroupMemberMetadataValue = message(
  { key: 10, versions: [0, 0], flexible: 0 },
  {
    rackId: nullableString(),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
)
/** ShareGroupMemberMetadataValue, decoded. */
export type ShareGroupMemberMetadataValue = Infer<typeof ShareGroupMemberMetadataValue>

/** The group. */
export const ShareGroupMetadataKey = message({ key: 11, versions: [0, 0] }, { groupId: string() })
/** ShareGroupMetadataKey, decoded. */
export type ShareGroupMetadataKey = Infer<typeof ShareGroupMetadataKey>

/** The group epoch and the hash of the metadata of all topics it is subscribed to. */
export const ShareGroupMetadataValue = message(
  { key: 11, versions: [0, 0], flexible: 0 },
  { epoch: int32(), metadataHash: int64Exact() },
)
/** ShareGroupMetadataValue, decoded. */
export type ShareGroupMetadataValue = Infer<typeof ShareGroupMetadataValue>

/** The group. */
export const ShareGroupTargetAssignmentMetadataKey = message(
  { key: 12, versions: [0, 0] },
  { groupId: string() },
)
/** ShareGroupTargetAssignmentMetadataKey, decoded. */
export type ShareGroupTargetAssignmentMetadataKey = Infer<
  typeof ShareGroupTargetAssignmentMetadataKey
>

/** The group epoch that the target assignment was computed for. */
export const ShareGroupTargetAssignmentMetadataValue = message(
  { key: 12, versions: [0, 0], flexible: 0 },
  { assignmentEpoch: int32(), assignmentTimestamp: tagged(0, 0, int64()) },
)
/** ShareGroupTargetAssignmentMetadataValue, decoded. */
export type ShareGroupTargetAssignmentMetadataValue = Infer<
  typeof ShareGroupTargetAssignmentMetadataValue
>

/** Group and member. */
export const ShareGroupTargetAssignmentMemberKey = message(
  { key: 13, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ShareGroupTargetAssignmentMemberKey, decoded. */
export type ShareGroupTargetAssignmentMemberKey = Infer<typeof ShareGroupTargetAssignmentMemberKey>

/** What the member is to read. */
export const ShareGroupTargetAssignmentMemberValue = message(
  { key: 13, versions: [0, 0], flexible: 0 },
  { topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })) },
)
/** ShareGroupTargetAssignmentMemberValue, decoded. */
export type ShareGroupTargetAssignmentMemberValue = Infer<
  typeof ShareGroupTargetAssignmentMemberValue
>

/** Group and member. */
export const ShareGroupCurrentMemberAssignmentKey = message(
  { key: 14, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ShareGroupCurrentMemberAssignmentKey, decoded. */
export type ShareGroupCurrentMemberAssignmentKey = Infer<
  typeof ShareGroupCurrentMemberAssignmentKey
>

/** What the member reads. */
export const ShareGroupCurrentMemberAssignmentValue = message(
  { key: 14, versions: [0, 0], flexible: 0 },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })),
  },
)
/** ShareGroupCurrentMemberAssignmentValue, decoded. */
export type ShareGroupCurrentMemberAssignmentValue = Infer<
  typeof ShareGroupCurrentMemberAssignmentValue
>

/** The group. */
export const ShareGroupStatePartitionMetadataKey = message(
  { key: 15, versions: [0, 0] },
  { groupId: string() },
)
/** ShareGroupStatePartitionMetadataKey, decoded. */
export type ShareGroupStatePartitionMetadataKey = Infer<typeof ShareGroupStatePartitionMetadataKey>

const topicPartitions = struct({ topicId: uuid(), topicName: string(), partitions: array(int32()) })

/** The partitions whose share state is kept, is being made, or is being removed. */
export const ShareGroupStatePartitionMetadataValue = message(
  { key: 15, versions: [0, 0], flexible: 0 },
  {
    initializingTopics: array(topicPartitions),
    initializedTopics: array(topicPartitions),
    deletingTopics: array(struct({ topicId: uuid(), topicName: string() })),
  },
)
/** ShareGroupStatePartitionMetadataValue, decoded. */
export type ShareGroupStatePartitionMetadataValue = Infer<
  typeof ShareGroupStatePartitionMetadataValue
>
