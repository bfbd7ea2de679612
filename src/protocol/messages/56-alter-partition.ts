// API key 56: AlterPartition, a leader changes the ISR.
import { array, struct } from '../codec/composites.ts'
import { optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, int64, uuid } from '../codec/primitives.ts'

/**
 * A leader asks the controller to change the ISR of partitions (KIP-497). v2: topic ids (KIP-841).
 * v3: every replica with its broker epoch (KIP-903).
 */
export const AlterPartitionRequest = message(
  { key: 56, versions: [2, 3], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: optional(int64(), -1),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            leaderEpoch: int32(),
            newIsr: until(2, array(int32())),
            newIsrWithEpochs: since(
              3,
              array(struct({ brokerId: int32(), brokerEpoch: optional(int64(), -1) })),
            ),
            leaderRecoveryState: optional(int8()),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
/** AlterPartitionRequest, decoded. */
export type AlterPartitionRequest = Infer<typeof AlterPartitionRequest>

/**
 * The state of each partition after it (KIP-497). v2: topic ids, INELIGIBLE_REPLICA and
 * NEW_LEADER_ELECTED (KIP-841).
 */
export const AlterPartitionResponse = message(
  { key: 56, versions: [2, 3], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            leaderId: int32(),
            leaderEpoch: int32(),
            isr: array(int32()),
            leaderRecoveryState: optional(int8()),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
/** AlterPartitionResponse, decoded. */
export type AlterPartitionResponse = Infer<typeof AlterPartitionResponse>
