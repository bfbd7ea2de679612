// API key 45: AlterPartitionReassignments, move partitions to other brokers.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin names the new replicas of partitions; null ends a reassignment under way (KIP-455). v1:
 * may forbid a change of the replication factor (KIP-860).
 */
export const AlterPartitionReassignmentsRequest = message(
  { key: 45, versions: [0, 1], flexible: 0 },
  {
    timeoutMs: optional(int32(), 60_000),
    allowReplicationFactorChange: since(1, bool(), true),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({ partitionIndex: int32(), replicas: optional(nullableArray(int32()), null) }),
        ),
      }),
    ),
  },
)
/** AlterPartitionReassignmentsRequest, decoded. */
export type AlterPartitionReassignmentsRequest = Infer<typeof AlterPartitionReassignmentsRequest>

/**
 * What became of each partition (KIP-455). v1: whether the replication factor may change
 * (KIP-860).
 */
export const AlterPartitionReassignmentsResponse = message(
  { key: 45, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: ignorable(since(1, bool(), true)),
    errorCode: int16(),
    errorMessage: nullableString(),
    responses: array(
      struct({
        name: string(),
        partitions: array(
          struct({ partitionIndex: int32(), errorCode: int16(), errorMessage: nullableString() }),
        ),
      }),
    ),
  },
)
/** AlterPartitionReassignmentsResponse, decoded. */
export type AlterPartitionReassignmentsResponse = Infer<typeof AlterPartitionReassignmentsResponse>
