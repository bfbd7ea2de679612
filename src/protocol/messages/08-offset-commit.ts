// API key 8: OffsetCommit, a group remembers offsets.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  int16,
  int32,
  int64,
  int64Exact,
  nullableString,
  string,
  uuid,
} from '../codec/primitives.ts'

/**
 * A member or a simple consumer stores offsets. v5: no retention time any more (KIP-211). v6:
 * leader epoch (KIP-320). v7: static membership (KIP-345). v8: flexible. v9: for members of the
 * new protocol too (KIP-848). v10: topic ids (KIP-848).
 */
export const OffsetCommitRequest = message(
  { key: 8, versions: [2, 10], flexible: 8 },
  {
    groupId: string(),
    generationIdOrMemberEpoch: optional(int32(), -1),
    memberId: string(),
    groupInstanceId: since(7, nullableString(), null),
    retentionTimeMs: ignorable(until(4, int64Exact(), -1)),
    topics: array(
      struct({
        name: ignorable(until(9, string())),
        topicId: ignorable(since(10, uuid())),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: ignorable(since(6, int32(), -1)),
            committedMetadata: nullableString(),
          }),
        ),
      }),
    ),
  },
)
/** OffsetCommitRequest, decoded. */
export type OffsetCommitRequest = Infer<typeof OffsetCommitRequest>

/**
 * What became of each partition. v3: throttle time. v4: answered before throttling (KIP-219). v8:
 * flexible. v9: STALE_MEMBER_EPOCH, GROUP_ID_NOT_FOUND (KIP-848). v10: topic ids (KIP-848).
 */
export const OffsetCommitResponse = message(
  { key: 8, versions: [2, 10], flexible: 8 },
  {
    throttleTimeMs: ignorable(since(3, int32())),
    topics: array(
      struct({
        name: ignorable(until(9, string())),
        topicId: ignorable(since(10, uuid())),
        partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
      }),
    ),
  },
)
/** OffsetCommitResponse, decoded. */
export type OffsetCommitResponse = Infer<typeof OffsetCommitResponse>
