// API key 85: WriteShareGroupState, write the state of share partitions.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/**
 * A share-partition leader stores state at the share coordinator (KIP-932). v1: delivery complete
 * count (KIP-1226).
 */
export const WriteShareGroupStateRequest = message(
  { key: 85, versions: [0, 1], flexible: 0 },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            stateEpoch: int32(),
            leaderEpoch: int32(),
            startOffset: int64(),
            deliveryCompleteCount: ignorable(since(1, int32(), -1)),
            stateBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                deliveryState: int8(),
                deliveryCount: int16(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
/** WriteShareGroupStateRequest, decoded. */
export type WriteShareGroupStateRequest = Infer<typeof WriteShareGroupStateRequest>

/** What became of each partition (KIP-932). */
export const WriteShareGroupStateResponse = message(
  { key: 85, versions: [0, 1], flexible: 0 },
  {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
          }),
        ),
      }),
    ),
  },
)
/** WriteShareGroupStateResponse, decoded. */
export type WriteShareGroupStateResponse = Infer<typeof WriteShareGroupStateResponse>
