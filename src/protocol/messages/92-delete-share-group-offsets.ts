// API key 92: DeleteShareGroupOffsets, forget where a share group starts.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/** An admin deletes the start offsets of topics (KIP-932). */
export const DeleteShareGroupOffsetsRequest = message(
  { key: 92, versions: [0, 0], flexible: 0 },
  { groupId: string(), topics: array(struct({ topicName: string() })) },
)
/** DeleteShareGroupOffsetsRequest, decoded. */
export type DeleteShareGroupOffsetsRequest = Infer<typeof DeleteShareGroupOffsetsRequest>

/** What became of each topic (KIP-932). */
export const DeleteShareGroupOffsetsResponse = message(
  { key: 92, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        errorCode: int16(),
        errorMessage: optional(nullableString(), null),
      }),
    ),
  },
)
/** DeleteShareGroupOffsetsResponse, decoded. */
export type DeleteShareGroupOffsetsResponse = Infer<typeof DeleteShareGroupOffsetsResponse>
