// API key 2: ListOffsets, find offsets by time.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, int64, int64Exact, string } from '../codec/primitives.ts'

/**
 * Which offset has a timestamp at or after the given one? −1: latest, −2: earliest. v2: isolation
 * level (KIP-98). v4: leader epoch (KIP-320). v6: flexible. v7: −3, the largest timestamp
 * (KIP-734). v8: −4, earliest local (KIP-405). v9: −5, latest tiered (KIP-1005). v10: timeout for
 * tiered partitions (KIP-1075). v11: −6, earliest pending upload (KIP-1023).
 */
export const ListOffsetsRequest = message(
  { key: 2, versions: [1, 11], flexible: 6 },
  {
    replicaId: int32(),
    isolationLevel: since(2, int8()),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: ignorable(since(4, int32(), -1)),
            timestamp: int64Exact(),
          }),
        ),
      }),
    ),
    timeoutMs: ignorable(since(10, int32())),
  },
)
/** ListOffsetsRequest, decoded. */
export type ListOffsetsRequest = Infer<typeof ListOffsetsRequest>

/**
 * The offset found, its timestamp and leader epoch; all −1 when there is none. v2: throttle time.
 * v3: answered before throttling (KIP-219). v4: leader epoch (KIP-320). v5: OFFSET_NOT_AVAILABLE
 * (KIP-207). v6: flexible.
 */
export const ListOffsetsResponse = message(
  { key: 2, versions: [1, 11], flexible: 6 },
  {
    throttleTimeMs: ignorable(since(2, int32())),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: optional(int64Exact(), -1),
            offset: optional(int64(), -1),
            leaderEpoch: since(4, int32(), -1),
          }),
        ),
      }),
    ),
  },
)
/** ListOffsetsResponse, decoded. */
export type ListOffsetsResponse = Infer<typeof ListOffsetsResponse>
