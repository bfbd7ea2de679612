// API key 25: AddOffsetsToTxn, a group's offsets join a transaction.
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64Exact, string } from '../codec/primitives.ts'

/**
 * A producer adds a group's offsets to its transaction (KIP-98). v2: PRODUCER_FENCED (KIP-588).
 * v3: flexible. v4: TRANSACTION_ABORTABLE (KIP-890).
 */
export const AddOffsetsToTxnRequest = message(
  { key: 25, versions: [0, 4], flexible: 3 },
  {
    transactionalId: string(),
    producerId: int64Exact(),
    producerEpoch: int16(),
    groupId: string(),
  },
)
/** AddOffsetsToTxnRequest, decoded. */
export type AddOffsetsToTxnRequest = Infer<typeof AddOffsetsToTxnRequest>

/** What became of it (KIP-98). v1: answered before throttling (KIP-219). v3: flexible. */
export const AddOffsetsToTxnResponse = message(
  { key: 25, versions: [0, 4], flexible: 3 },
  { throttleTimeMs: int32(), errorCode: int16() },
)
/** AddOffsetsToTxnResponse, decoded. */
export type AddOffsetsToTxnResponse = Infer<typeof AddOffsetsToTxnResponse>
