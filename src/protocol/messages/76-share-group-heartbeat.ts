// API key 76: ShareGroupHeartbeat, membership of a share group.
import { array, nullableArray, nullableStruct, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

const topicPartitions = struct({ topicId: uuid(), partitions: array(int32()) })

/** A member joins (epoch 0), lives or leaves (−1) (KIP-932). Version 0 was never stable. */
export const ShareGroupHeartbeatRequest = message(
  { key: 76, versions: [1, 1], flexible: 0 },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: optional(nullableString(), null),
    subscribedTopicNames: optional(nullableArray(string()), null),
  },
)
/** ShareGroupHeartbeatRequest, decoded. */
export type ShareGroupHeartbeatRequest = Infer<typeof ShareGroupHeartbeatRequest>

/** The member's epoch and, when it changed, its assignment (KIP-932). */
export const ShareGroupHeartbeatResponse = message(
  { key: 76, versions: [1, 1], flexible: 0 },
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
/** ShareGroupHeartbeatResponse, decoded. */
export type ShareGroupHeartbeatResponse = Infer<typeof ShareGroupHeartbeatResponse>
