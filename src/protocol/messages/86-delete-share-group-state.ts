// API key 86: DeleteShareGroupState, a share partition ends.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/** A group coordinator has the state of share partitions deleted (KIP-932). */
export const DeleteShareGroupStateRequest = message(
  { key: 86, versions: [0, 0], flexible: 0 },
  {
    groupId: string(),
    topics: array(struct({ topicId: uuid(), partitions: array(struct({ partition: int32() })) })),
  },
)
/** DeleteShareGroupStateRequest, decoded. */
export type DeleteShareGroupStateRequest = Infer<typeof DeleteShareGroupStateRequest>

/** What became of each partition (KIP-932). */
export const DeleteShareGroupStateResponse = message(
  { key: 86, versions: [0, 0], flexible: 0 },
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
/** DeleteShareGroupStateResponse, decoded. */
export type DeleteShareGroupStateResponse = Infer<typeof DeleteShareGroupStateResponse>
