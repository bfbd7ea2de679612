// API key 26: EndTxn, commit or abort a transaction.
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64Exact, string } from '../codec/primitives.ts'

/**
 * A producer ends its transaction (KIP-98). v2: PRODUCER_FENCED (KIP-588). v3: flexible. v4:
 * TRANSACTION_ABORTABLE (KIP-890). v5: raises the epoch each time (KIP-890).
 */
export const EndTxnRequest = message(
  { key: 26, versions: [0, 5], flexible: 3 },
  {
    transactionalId: string(),
    producerId: int64Exact(),
    producerEpoch: int16(),
    committed: bool(),
  },
)
/** EndTxnRequest, decoded. */
export type EndTxnRequest = Infer<typeof EndTxnRequest>

/**
 * What became of it (KIP-98). v1: answered before throttling (KIP-219). v3: flexible. v5: the id
 * and epoch to go on with (KIP-890).
 */
export const EndTxnResponse = message(
  { key: 26, versions: [0, 5], flexible: 3 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: ignorable(since(5, int64Exact(), -1)),
    producerEpoch: ignorable(since(5, int16(), -1)),
  },
)
/** EndTxnResponse, decoded. */
export type EndTxnResponse = Infer<typeof EndTxnResponse>
