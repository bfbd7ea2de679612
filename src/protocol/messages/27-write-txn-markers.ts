// API key 27: WriteTxnMarkers, write commit or abort markers.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, int64Exact, string } from '../codec/primitives.ts'

/**
 * A transaction coordinator has markers written (KIP-98). v1: flexible. v2: transaction version
 * (KIP-1228).
 */
export const WriteTxnMarkersRequest = message(
  { key: 27, versions: [1, 2], flexible: 1 },
  {
    markers: array(
      struct({
        producerId: int64Exact(),
        producerEpoch: int16(),
        transactionResult: bool(),
        topics: array(struct({ name: string(), partitionIndexes: array(int32()) })),
        coordinatorEpoch: int32(),
        transactionVersion: ignorable(since(2, int8())),
      }),
    ),
  },
)
/** WriteTxnMarkersRequest, decoded. */
export type WriteTxnMarkersRequest = Infer<typeof WriteTxnMarkersRequest>

/** What became of each marker (KIP-98). v1: flexible. */
export const WriteTxnMarkersResponse = message(
  { key: 27, versions: [1, 2], flexible: 1 },
  {
    markers: array(
      struct({
        producerId: int64Exact(),
        topics: array(
          struct({
            name: string(),
            partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
          }),
        ),
      }),
    ),
  },
)
/** WriteTxnMarkersResponse, decoded. */
export type WriteTxnMarkersResponse = Infer<typeof WriteTxnMarkersResponse>
