// API key 91: AlterShareGroupOffsets, set where a share group starts.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/** An admin moves the start offsets of an empty group (KIP-932). */
export const AlterShareGroupOffsetsRequest = message(
  { key: 91, versions: [0, 0], flexible: 0 },
  {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(struct({ partitionIndex: int32(), startOffset: int64() })),
      }),
    ),
  },
)
/** AlterShareGroupOffsetsRequest, decoded. */
export type AlterShareGroupOffsetsRequest = Infer<typeof AlterShareGroupOffsetsRequest>

/** What became of each partition (KIP-932). */
export const AlterShareGroupOffsetsResponse = message(
  { key: 91, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: optional(nullableString(), null),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: optional(nullableString(), null),
          }),
        ),
      }),
    ),
  },
)
/** AlterShareGroupOffsetsResponse, decoded. */
export type AlterShareGroupOffsetsResponse = Infer<typeof AlterShareGroupOffsetsResponse>
