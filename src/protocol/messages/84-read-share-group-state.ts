// API key 84: ReadShareGroupState, read the state of share partitions.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/** A share-partition leader reads state from the share coordinator (KIP-932). */
export const ReadShareGroupStateRequest = message(
  { key: 84, versions: [0, 0], flexible: 0 },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(struct({ partition: int32(), leaderEpoch: int32() })),
      }),
    ),
  },
)
/** ReadShareGroupStateRequest, decoded. */
export type ReadShareGroupStateRequest = Infer<typeof ReadShareGroupStateRequest>

/** The state, as batches of offsets (KIP-932). */
export const ReadShareGroupStateResponse = message(
  { key: 84, versions: [0, 0], flexible: 0 },
  {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
            stateEpoch: int32(),
            startOffset: int64(),
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
/** ReadShareGroupStateResponse, decoded. */
export type ReadShareGroupStateResponse = Infer<typeof ReadShareGroupStateResponse>
