// API key 47: OffsetDelete, forget a group's offsets.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, string } from '../codec/primitives.ts'

/** An admin deletes committed offsets of a group (KIP-496). */
export const OffsetDeleteRequest = message(
  { key: 47, versions: [0, 0] },
  {
    groupId: string(),
    topics: array(
      struct({ name: string(), partitions: array(struct({ partitionIndex: int32() })) }),
    ),
  },
)
/** OffsetDeleteRequest, decoded. */
export type OffsetDeleteRequest = Infer<typeof OffsetDeleteRequest>

/** What became of each partition (KIP-496). */
export const OffsetDeleteResponse = message(
  { key: 47, versions: [0, 0] },
  {
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
      }),
    ),
  },
)
/** OffsetDeleteResponse, decoded. */
export type OffsetDeleteResponse = Infer<typeof OffsetDeleteResponse>
