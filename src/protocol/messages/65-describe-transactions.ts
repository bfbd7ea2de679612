// API key 65: DescribeTransactions, the state of transactions.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64Exact, string } from '../codec/primitives.ts'

/** An admin asks about transactions by their ids (KIP-664). */
export const DescribeTransactionsRequest = message(
  { key: 65, versions: [0, 0], flexible: 0 },
  { transactionalIds: array(string()) },
)
/** DescribeTransactionsRequest, decoded. */
export type DescribeTransactionsRequest = Infer<typeof DescribeTransactionsRequest>

/** The state of each, its producer and its partitions (KIP-664). */
export const DescribeTransactionsResponse = message(
  { key: 65, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    transactionStates: array(
      struct({
        errorCode: int16(),
        transactionalId: string(),
        transactionState: string(),
        transactionTimeoutMs: int32(),
        transactionStartTimeMs: int64Exact(),
        producerId: int64Exact(),
        producerEpoch: int16(),
        topics: array(struct({ topic: string(), partitions: array(int32()) })),
      }),
    ),
  },
)
/** DescribeTransactionsResponse, decoded. */
export type DescribeTransactionsResponse = Infer<typeof DescribeTransactionsResponse>
