// API key 9: OffsetFetch, read a group's offsets.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, range, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/**
 * Reads committed offsets. v2: null topics, all (KIP-88). v6: flexible. v7: only offsets that no
 * transaction can still change (KIP-447). v8: several groups at once, in `groups` (KIP-709). v9:
 * the member and its epoch (KIP-848). v10: topic ids (KIP-848).
 */
export const OffsetFetchRequest = message(
  { key: 9, versions: [1, 10], flexible: 6 },
  {
    groupId: until(7, string()),
    topics: until(
      7,
      nullableArray(struct({ name: string(), partitionIndexes: array(int32()) }), 2),
    ),
    groups: since(
      8,
      array(
        struct({
          groupId: string(),
          memberId: ignorable(since(9, nullableString(), null)),
          memberEpoch: ignorable(since(9, int32(), -1)),
          topics: nullableArray(
            struct({
              name: ignorable(until(9, string())),
              topicId: ignorable(since(10, uuid())),
              partitionIndexes: array(int32()),
            }),
          ),
        }),
      ),
    ),
    requireStable: since(7, bool()),
  },
)
/** OffsetFetchRequest, decoded. */
export type OffsetFetchRequest = Infer<typeof OffsetFetchRequest>

/**
 * The offsets; −1 without an error where none was committed. v2: top-level error (KIP-88). v3:
 * throttle time. v4: answered before throttling (KIP-219). v5: leader epoch (KIP-320). v6:
 * flexible. v7: UNSTABLE_OFFSET_COMMIT (KIP-447). v8: by group (KIP-709). v9: STALE_MEMBER_EPOCH
 * (KIP-848). v10: topic ids (KIP-848).
 */
export const OffsetFetchResponse = message(
  { key: 9, versions: [1, 10], flexible: 6 },
  {
    throttleTimeMs: ignorable(since(3, int32())),
    topics: until(
      7,
      array(
        struct({
          name: string(),
          partitions: array(
            struct({
              partitionIndex: int32(),
              committedOffset: int64(),
              committedLeaderEpoch: ignorable(since(5, int32(), -1)),
              metadata: nullableString(),
              errorCode: int16(),
            }),
          ),
        }),
      ),
    ),
    errorCode: ignorable(range([2, 7], int16())),
    groups: since(
      8,
      array(
        struct({
          groupId: string(),
          topics: array(
            struct({
              name: ignorable(until(9, string())),
              topicId: ignorable(since(10, uuid())),
              partitions: array(
                struct({
                  partitionIndex: int32(),
                  committedOffset: int64(),
                  committedLeaderEpoch: optional(int32(), -1),
                  metadata: nullableString(),
                  errorCode: int16(),
                }),
              ),
            }),
          ),
          errorCode: optional(int16()),
        }),
      ),
    ),
  },
)
/** OffsetFetchResponse, decoded. */
export type OffsetFetchResponse = Infer<typeof OffsetFetchResponse>
