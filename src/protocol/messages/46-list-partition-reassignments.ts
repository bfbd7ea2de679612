// API key 46: ListPartitionReassignments, reassignments under way.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string } from '../codec/primitives.ts'

/** An admin asks which reassignments are under way; null topics: all (KIP-455). */
export const ListPartitionReassignmentsRequest = message(
  { key: 46, versions: [0, 0], flexible: 0 },
  {
    timeoutMs: optional(int32(), 60_000),
    topics: optional(
      nullableArray(struct({ name: string(), partitionIndexes: array(int32()) })),
      null,
    ),
  },
)
/** ListPartitionReassignmentsRequest, decoded. */
export type ListPartitionReassignmentsRequest = Infer<typeof ListPartitionReassignmentsRequest>

/** The reassignments under way (KIP-455). */
export const ListPartitionReassignmentsResponse = message(
  { key: 46, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(int32()),
            addingReplicas: array(int32()),
            removingReplicas: array(int32()),
          }),
        ),
      }),
    ),
  },
)
/** ListPartitionReassignmentsResponse, decoded. */
export type ListPartitionReassignmentsResponse = Infer<typeof ListPartitionReassignmentsResponse>
