// API key 22: InitProducerId, a producer id and epoch.
import { optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64Exact, nullableString } from '../codec/primitives.ts'

/**
 * A producer asks for its id: with a transactional id or, null, for idempotence alone (KIP-98).
 * v2: flexible. v3: its present id and epoch, to go on after an error (KIP-360). v4:
 * PRODUCER_FENCED (KIP-588). v5: TRANSACTION_ABORTABLE (KIP-890).
 */
export const InitProducerIdRequest = message(
  { key: 22, versions: [0, 5], flexible: 2 },
  {
    transactionalId: nullableString(),
    transactionTimeoutMs: int32(),
    producerId: since(3, int64Exact(), -1),
    producerEpoch: since(3, int16(), -1),
  },
)
/** InitProducerIdRequest, decoded. */
export type InitProducerIdRequest = Infer<typeof InitProducerIdRequest>

/**
 * The id and epoch to produce with (KIP-98). v1: answered before throttling (KIP-219). v2:
 * flexible. v4: PRODUCER_FENCED (KIP-588). v5: TRANSACTION_ABORTABLE (KIP-890).
 */
export const InitProducerIdResponse = message(
  { key: 22, versions: [0, 5], flexible: 2 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: optional(int64Exact(), -1),
    producerEpoch: int16(),
  },
)
/** InitProducerIdResponse, decoded. */
export type InitProducerIdResponse = Infer<typeof InitProducerIdResponse>
