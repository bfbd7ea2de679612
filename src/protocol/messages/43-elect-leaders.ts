// API key 43: ElectLeaders, elect partition leaders.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin has leaders elected; null topics: for all partitions (KIP-183). v1: preferred (0) or
 * unclean (1) (KIP-460). v2: flexible.
 */
export const ElectLeadersRequest = message(
  { key: 43, versions: [0, 2], flexible: 2 },
  {
    electionType: since(1, int8()),
    topicPartitions: nullableArray(struct({ topic: string(), partitions: array(int32()) })),
    timeoutMs: optional(int32(), 60_000),
  },
)
/** ElectLeadersRequest, decoded. */
export type ElectLeadersRequest = Infer<typeof ElectLeadersRequest>

/** What became of each election. v1: top-level error (KIP-460). v2: flexible. */
export const ElectLeadersResponse = message(
  { key: 43, versions: [0, 2], flexible: 2 },
  {
    throttleTimeMs: int32(),
    errorCode: since(1, int16()),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({ partitionId: int32(), errorCode: int16(), errorMessage: nullableString() }),
        ),
      }),
    ),
  },
)
/** ElectLeadersResponse, decoded. */
export type ElectLeadersResponse = Infer<typeof ElectLeadersResponse>
