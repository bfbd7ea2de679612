// API key 90: DescribeShareGroupOffsets, where share groups start.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, nullableString, string, uuid } from '../codec/primitives.ts'

/** An admin asks for start offsets; null topics: all (KIP-932). */
export const DescribeShareGroupOffsetsRequest = message(
  { key: 90, versions: [0, 1], flexible: 0 },
  {
    groups: array(
      struct({
        groupId: string(),
        topics: nullableArray(struct({ topicName: string(), partitions: array(int32()) })),
      }),
    ),
  },
)
/** DescribeShareGroupOffsetsRequest, decoded. */
export type DescribeShareGroupOffsetsRequest = Infer<typeof DescribeShareGroupOffsetsRequest>

/** The start offsets (KIP-932). v1: lag (KIP-1226). */
export const DescribeShareGroupOffsetsResponse = message(
  { key: 90, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicName: string(),
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                startOffset: int64(),
                leaderEpoch: int32(),
                lag: ignorable(since(1, int64(), -1)),
                errorCode: int16(),
                errorMessage: optional(nullableString(), null),
              }),
            ),
          }),
        ),
        errorCode: int16(),
        errorMessage: optional(nullableString(), null),
      }),
    ),
  },
)
/** DescribeShareGroupOffsetsResponse, decoded. */
export type DescribeShareGroupOffsetsResponse = Infer<typeof DescribeShareGroupOffsetsResponse>
