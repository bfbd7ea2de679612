// Group record types 0 and 1: the offset that a group has committed for a partition.
import { ignorable, range, since, tagged } from '../../codec/fields.ts'
import { type Infer, message } from '../../codec/message.ts'
import { int32, int64, int64Exact, string, uuid } from '../../codec/primitives.ts'

/** Group, topic and partition. Type 0, of Kafka before 0.9, has the same form. */
export const OffsetCommitKey = message(
  { key: 1, versions: [0, 0] },
  { group: string(), topic: string(), partition: int32() },
)
/** OffsetCommitKey, decoded. */
export type OffsetCommitKey = Infer<typeof OffsetCommitKey>

/** The committed offset. v1: an expiry of its own instead of the retention. v3: leader epoch (KIP-320). v4: topic id. */
export const OffsetCommitValue = message(
  { key: 1, versions: [0, 4], flexible: 4 },
  {
    offset: int64(),
    leaderEpoch: ignorable(since(3, int32(), -1)),
    metadata: string(),
    commitTimestamp: int64Exact(),
    expireTimestamp: ignorable(range([1, 1], int64Exact(), -1)),
    topicId: ignorable(tagged(0, 4, uuid())),
  },
)
/** OffsetCommitValue, decoded. */
export type OffsetCommitValue = Infer<typeof OffsetCommitValue>
