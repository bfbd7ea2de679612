// API key 21: DeleteRecords, move the log start offset forward.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, int64Exact, string } from '../codec/primitives.ts'

/**
 * An admin deletes the records below an offset; −1: all up to the high watermark (KIP-107). v2:
 * flexible.
 */
export const DeleteRecordsRequest = message(
  { key: 21, versions: [0, 2], flexible: 2 },
  {
    topics: array(
      struct({
        name: string(),
        partitions: array(struct({ partitionIndex: int32(), offset: int64Exact() })),
      }),
    ),
    timeoutMs: int32(),
  },
)
/** DeleteRecordsRequest, decoded. */
export type DeleteRecordsRequest = Infer<typeof DeleteRecordsRequest>

/** The low watermark after it (KIP-107). v1: answered before throttling (KIP-219). v2: flexible. */
export const DeleteRecordsResponse = message(
  { key: 21, versions: [0, 2], flexible: 2 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({ partitionIndex: int32(), lowWatermark: int64(), errorCode: int16() }),
        ),
      }),
    ),
  },
)
/** DeleteRecordsResponse, decoded. */
export type DeleteRecordsResponse = Infer<typeof DeleteRecordsResponse>
