// API key 83: InitializeShareGroupState, a share partition begins.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/** A group coordinator has the state of share partitions made (KIP-932). */
export const InitializeShareGroupStateRequest = message(
  { key: 83, versions: [0, 0], flexible: 0 },
  {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({ partition: int32(), stateEpoch: int32(), startOffset: int64() }),
        ),
      }),
    ),
  },
)
/** InitializeShareGroupStateRequest, decoded. */
export type InitializeShareGroupStateRequest = Infer<typeof InitializeShareGroupStateRequest>

/** What became of each partition (KIP-932). */
export const InitializeShareGroupStateResponse = message(
  { key: 83, versions: [0, 0], flexible: 0 },
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
/** InitializeShareGroupStateResponse, decoded. */
export type InitializeShareGroupStateResponse = Infer<typeof InitializeShareGroupStateResponse>
