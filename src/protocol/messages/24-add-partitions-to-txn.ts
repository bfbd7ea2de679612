// API key 24: AddPartitionsToTxn, partitions join a transaction.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64Exact, string } from '../codec/primitives.ts'

const transactionTopic = struct({ name: string(), partitions: array(int32()) })

const partitionResult = struct({ partitionIndex: int32(), partitionErrorCode: int16() })

const topicResult = struct({ name: string(), resultsByPartition: array(partitionResult) })

/**
 * A producer adds partitions to its transaction (KIP-98); v4 and above come from brokers. v2:
 * PRODUCER_FENCED (KIP-588). v3: flexible. v4: several transactions; verify only (KIP-890). v5:
 * TRANSACTION_ABORTABLE (KIP-890).
 */
export const AddPartitionsToTxnRequest = message(
  { key: 24, versions: [0, 5], flexible: 3 },
  {
    transactions: since(
      4,
      array(
        struct({
          transactionalId: string(),
          producerId: int64Exact(),
          producerEpoch: int16(),
          verifyOnly: optional(bool()),
          topics: array(transactionTopic),
        }),
      ),
    ),
    v3AndBelowTransactionalId: until(3, string()),
    v3AndBelowProducerId: until(3, int64Exact()),
    v3AndBelowProducerEpoch: until(3, int16()),
    v3AndBelowTopics: until(3, array(transactionTopic)),
  },
)
/** AddPartitionsToTxnRequest, decoded. */
export type AddPartitionsToTxnRequest = Infer<typeof AddPartitionsToTxnRequest>

/**
 * What became of each partition (KIP-98). v1: answered before throttling (KIP-219). v3: flexible.
 * v4: by transaction; top-level error (KIP-890).
 */
export const AddPartitionsToTxnResponse = message(
  { key: 24, versions: [0, 5], flexible: 3 },
  {
    throttleTimeMs: int32(),
    errorCode: ignorable(since(4, int16())),
    resultsByTransaction: since(
      4,
      array(struct({ transactionalId: string(), topicResults: array(topicResult) })),
    ),
    resultsByTopicV3AndBelow: until(3, array(topicResult)),
  },
)
/** AddPartitionsToTxnResponse, decoded. */
export type AddPartitionsToTxnResponse = Infer<typeof AddPartitionsToTxnResponse>
