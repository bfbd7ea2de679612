// API key 37: CreatePartitions, add partitions to topics.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin raises the number of partitions of topics (KIP-195). v2: flexible. v3: may be refused
 * by quota (KIP-599).
 */
export const CreatePartitionsRequest = message(
  { key: 37, versions: [0, 3], flexible: 2 },
  {
    topics: array(
      struct({
        name: string(),
        count: int32(),
        assignments: nullableArray(struct({ brokerIds: array(int32()) })),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
)
/** CreatePartitionsRequest, decoded. */
export type CreatePartitionsRequest = Infer<typeof CreatePartitionsRequest>

/**
 * What became of each topic. v1: answered before throttling (KIP-219). v2: flexible. v3:
 * THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
export const CreatePartitionsResponse = message(
  { key: 37, versions: [0, 3], flexible: 2 },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        name: string(),
        errorCode: int16(),
        errorMessage: optional(nullableString(), null),
      }),
    ),
  },
)
/** CreatePartitionsResponse, decoded. */
export type CreatePartitionsResponse = Infer<typeof CreatePartitionsResponse>
