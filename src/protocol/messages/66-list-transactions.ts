// API key 66: ListTransactions, which transactions there are.
import { array, struct } from '../codec/composites.ts'
import { since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64Exact, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin asks which transactions this broker coordinates (KIP-664). v1: older than a duration
 * (KIP-994). v2: by a pattern of ids (KIP-1152).
 */
export const ListTransactionsRequest = message(
  { key: 66, versions: [0, 2], flexible: 0 },
  {
    stateFilters: array(string()),
    producerIdFilters: array(int64Exact()),
    durationFilter: since(1, int64Exact(), -1),
    transactionalIdPattern: since(2, nullableString(), null),
  },
)
/** ListTransactionsRequest, decoded. */
export type ListTransactionsRequest = Infer<typeof ListTransactionsRequest>

/** The transactions, and the asked-for states that do not exist (KIP-664). */
export const ListTransactionsResponse = message(
  { key: 66, versions: [0, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array(
      struct({ transactionalId: string(), producerId: int64Exact(), transactionState: string() }),
    ),
  },
)
/** ListTransactionsResponse, decoded. */
export type ListTransactionsResponse = Infer<typeof ListTransactionsResponse>
