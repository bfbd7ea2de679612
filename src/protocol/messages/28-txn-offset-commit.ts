// API key 28: TxnOffsetCommit, offsets within a transaction.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, int64Exact, nullableString, string } from '../codec/primitives.ts'

/**
 * A producer stores a group's offsets as part of its transaction (KIP-98). v2: leader epoch
 * (KIP-320). v3: flexible; member and generation (KIP-447). v4: TRANSACTION_ABORTABLE; v5: joins
 * the transaction by itself (KIP-890).
 */
export const TxnOffsetCommitRequest = message(
  { key: 28, versions: [0, 5], flexible: 3 },
  {
    transactionalId: string(),
    groupId: string(),
    producerId: int64Exact(),
    producerEpoch: int16(),
    generationId: since(3, int32(), -1),
    memberId: since(3, string()),
    groupInstanceId: since(3, nullableString(), null),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: ignorable(since(2, int32(), -1)),
            committedMetadata: nullableString(),
          }),
        ),
      }),
    ),
  },
)
/** TxnOffsetCommitRequest, decoded. */
export type TxnOffsetCommitRequest = Infer<typeof TxnOffsetCommitRequest>

/**
 * What became of each partition (KIP-98). v1: answered before throttling (KIP-219). v3: flexible;
 * ILLEGAL_GENERATION and others (KIP-447).
 */
export const TxnOffsetCommitResponse = message(
  { key: 28, versions: [0, 5], flexible: 3 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
      }),
    ),
  },
)
/** TxnOffsetCommitResponse, decoded. */
export type TxnOffsetCommitResponse = Infer<typeof TxnOffsetCommitResponse>
