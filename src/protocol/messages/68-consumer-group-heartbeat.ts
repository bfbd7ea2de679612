// API key 68: ConsumerGroupHeartbeat, membership of the new consumer protocol.
import { array, nullableArray, nullableStruct, struct } from '../codec/composites.ts'
import { optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

const topicPartitions = struct({ topicId: uuid(), partitions: array(int32()) })

/**
 * A member of the new protocol joins (epoch 0), lives, acknowledges or leaves (−1, static −2).
 * Null or −1: unchanged since the last (KIP-848). v1: subscription by regular expression; the
 * member makes its own id (KIP-1082).
 */
export const ConsumerGroupHeartbeatRequest = message(
  { key: 68, versions: [0, 1], flexible: 0 },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: optional(nullableString(), null),
    rackId: optional(nullableString(), null),
    rebalanceTimeoutMs: optional(int32(), -1),
    subscribedTopicNames: optional(nullableArray(string()), null),
    subscribedTopicRegex: since(1, nullableString(), null),
    serverAssignor: optional(nullableString(), null),
    topicPartitions: optional(nullableArray(topicPartitions), null),
  },
)
/** ConsumerGroupHeartbeatRequest, decoded. */
export type ConsumerGroupHeartbeatRequest = Infer<typeof ConsumerGroupHeartbeatRequest>

/** The member's epoch and, when it changed, its assignment (KIP-848). */
export const ConsumerGroupHeartbeatResponse = message(
  { key: 68, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    memberId: optional(nullableString(), null),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: optional(nullableStruct({ topicPartitions: array(topicPartitions) })),
  },
)
/** ConsumerGroupHeartbeatResponse, decoded. */
export type ConsumerGroupHeartbeatResponse = Infer<typeof ConsumerGroupHeartbeatResponse>
