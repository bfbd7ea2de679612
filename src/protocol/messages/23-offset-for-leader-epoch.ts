// API key 23: OffsetForLeaderEpoch, where a leader epoch ended.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, string } from '../codec/primitives.ts'

/**
 * A replica or consumer asks where an epoch ended, to find what it has to drop. v2: leader epoch
 * to check (KIP-320). v3: replica id; −2 is a debugging consumer (KIP-392). v4: flexible.
 */
export const OffsetForLeaderEpochRequest = message(
  { key: 23, versions: [2, 4], flexible: 4 },
  {
    replicaId: ignorable(since(3, int32(), -2)),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: optional(int32(), -1),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
)
/** OffsetForLeaderEpochRequest, decoded. */
export type OffsetForLeaderEpochRequest = Infer<typeof OffsetForLeaderEpochRequest>

/**
 * The largest epoch at or below the one asked for, and its end; −1 when unknown (KIP-101). v2:
 * throttle time. v4: flexible.
 */
export const OffsetForLeaderEpochResponse = message(
  { key: 23, versions: [2, 4], flexible: 4 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: optional(int32(), -1),
            endOffset: optional(int64(), -1),
          }),
        ),
      }),
    ),
  },
)
/** OffsetForLeaderEpochResponse, decoded. */
export type OffsetForLeaderEpochResponse = Infer<typeof OffsetForLeaderEpochResponse>
