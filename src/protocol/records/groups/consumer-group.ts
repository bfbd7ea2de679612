// Group record types 3 to 8 and 16: what is kept of a consumer group (KIP-848).
import { array, nullableArray, nullableTaggedStruct, struct } from '../../codec/composites.ts'
import { tagged } from '../../codec/fields.ts'
import { type Infer, message } from '../../codec/message.ts'
import {
  bytes,
  int8,
  int32,
  int64,
  int64Exact,
  nullableString,
  string,
  uuid,
} from '../../codec/primitives.ts'

/** The group. */
export const ConsumerGroupMetadataKey = message({ key: 3, versions: [0, 0] }, { groupId: string() })
/** ConsumerGroupMetadataKey, decoded. */
export type ConsumerGroupMetadataKey = Infer<typeof ConsumerGroupMetadataKey>

/** The group epoch and the hash of the metadata of all topics it is subscribed to (KIP-1101). */
export const ConsumerGroupMetadataValue = message(
  { key: 3, versions: [0, 0], flexible: 0 },
  { epoch: int32(), metadataHash: tagged(0, 0, int64Exact()) },
)
/** ConsumerGroupMetadataValue, decoded. */
export type ConsumerGroupMetadataValue = Infer<typeof ConsumerGroupMetadataValue>

/** The group. Kafka 4.0 and older wrote these; since then they are only removed. */
export const ConsumerGroupPartitionMetadataKey = message(
  { key: 4, versions: [0, 0] },
  { groupId: string() },
)
/** ConsumerGroupPartitionMetadataKey, decoded. */
export type ConsumerGroupPartitionMetadataKey = Infer<typeof ConsumerGroupPartitionMetadataKey>

/** The topics that the group is subscribed to. */
export const ConsumerGroupPartitionMetadataValue = message(
  { key: 4, versions: [0, 0], flexible: 0 },
  {
    topics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array(struct({ partition: int32(), racks: array(string()) })),
      }),
    ),
  },
)
/** ConsumerGroupPartitionMetadataValue, decoded. */
export type ConsumerGroupPartitionMetadataValue = Infer<typeof ConsumerGroupPartitionMetadataValue>

/** Group and member. */
export const ConsumerGroupMemberMetadataKey = message(
  { key: 5, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ConsumerGroupMemberMetadataKey, decoded. */
export type ConsumerGroupMemberMetadataKey = Infer<typeof ConsumerGroupMemberMetadataKey>

/** What a member says of itself; a member that speaks the classic protocol has its protocols here. */
export const ConsumerGroupMemberMetadataValue = message(
  { key: 5, versions: [0, 0], flexible: 0 },
  {
    instanceId: nullableString(),
    rackId: nullableString(),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: nullableString(),
    rebalanceTimeoutMs: int32(),
    serverAssignor: nullableString(),
    classicMemberMetadata: tagged(
      0,
      0,
      nullableTaggedStruct({
        sessionTimeoutMs: int32(),
        supportedProtocols: array(struct({ name: string(), metadata: bytes() })),
      }),
      // Kafka's default is a member without protocols, so that its null is written.
      { sessionTimeoutMs: 0, supportedProtocols: [] },
    ),
  },
)
/** ConsumerGroupMemberMetadataValue, decoded. */
export type ConsumerGroupMemberMetadataValue = Infer<typeof ConsumerGroupMemberMetadataValue>

/** The group. */
export const ConsumerGroupTargetAssignmentMetadataKey = message(
  { key: 6, versions: [0, 0] },
  { groupId: string() },
)
/** ConsumerGroupTargetAssignmentMetadataKey, decoded. */
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<
  typeof ConsumerGroupTargetAssignmentMetadataKey
>

/** The group epoch that the target assignment was computed for. */
export const ConsumerGroupTargetAssignmentMetadataValue = message(
  { key: 6, versions: [0, 0], flexible: 0 },
  { assignmentEpoch: int32(), assignmentTimestamp: tagged(0, 0, int64()) },
)
/** ConsumerGroupTargetAssignmentMetadataValue, decoded. */
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<
  typeof ConsumerGroupTargetAssignmentMetadataValue
>

/** Group and member. */
export const ConsumerGroupTargetAssignmentMemberKey = message(
  { key: 7, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ConsumerGroupTargetAssignmentMemberKey, decoded. */
export type ConsumerGroupTargetAssignmentMemberKey = Infer<
  typeof ConsumerGroupTargetAssignmentMemberKey
>

/** What the member is to own. */
export const ConsumerGroupTargetAssignmentMemberValue = message(
  { key: 7, versions: [0, 0], flexible: 0 },
  { topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })) },
)
/** ConsumerGroupTargetAssignmentMemberValue, decoded. */
export type ConsumerGroupTargetAssignmentMemberValue = Infer<
  typeof ConsumerGroupTargetAssignmentMemberValue
>

/** Group and member. */
export const ConsumerGroupCurrentMemberAssignmentKey = message(
  { key: 8, versions: [0, 0] },
  { groupId: string(), memberId: string() },
)
/** ConsumerGroupCurrentMemberAssignmentKey, decoded. */
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<
  typeof ConsumerGroupCurrentMemberAssignmentKey
>

const topicPartitions = struct({
  topicId: uuid(),
  partitions: array(int32()),
  assignmentEpochs: tagged(0, 0, nullableArray(int32())),
})

/** What the member owns and has to give up, and how far it has come. */
export const ConsumerGroupCurrentMemberAssignmentValue = message(
  { key: 8, versions: [0, 0], flexible: 0 },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
)
/** ConsumerGroupCurrentMemberAssignmentValue, decoded. */
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<
  typeof ConsumerGroupCurrentMemberAssignmentValue
>

/** Group and pattern. */
export const ConsumerGroupRegularExpressionKey = message(
  { key: 16, versions: [0, 0] },
  { groupId: string(), regularExpression: string() },
)
/** ConsumerGroupRegularExpressionKey, decoded. */
export type ConsumerGroupRegularExpressionKey = Infer<typeof ConsumerGroupRegularExpressionKey>

/** The topics that a pattern stood for, and when: offset of the metadata and time. */
export const ConsumerGroupRegularExpressionValue = message(
  { key: 16, versions: [0, 0], flexible: 0 },
  { topics: array(string()), version: int64(), timestamp: int64() },
)
/** ConsumerGroupRegularExpressionValue, decoded. */
export type ConsumerGroupRegularExpressionValue = Infer<typeof ConsumerGroupRegularExpressionValue>
