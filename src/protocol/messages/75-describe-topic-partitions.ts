// API key 75: DescribeTopicPartitions, topics, a page at a time.
import { array, nullableArray, nullableStruct, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/** A client reads topics page by page; no topics given means all (KIP-966). */
export const DescribeTopicPartitionsRequest = message(
  { key: 75, versions: [0, 0], flexible: 0 },
  {
    topics: array(struct({ name: string() })),
    responsePartitionLimit: optional(int32(), 2000),
    cursor: optional(nullableStruct({ topicName: string(), partitionIndex: int32() })),
  },
)
/** DescribeTopicPartitionsRequest, decoded. */
export type DescribeTopicPartitionsRequest = Infer<typeof DescribeTopicPartitionsRequest>

/**
 * A page of partitions, and where the next one begins; null cursor: this was the last (KIP-966).
 */
export const DescribeTopicPartitionsResponse = message(
  { key: 75, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        errorCode: int16(),
        name: nullableString(),
        topicId: uuid(),
        isInternal: optional(bool()),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: optional(int32(), -1),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            eligibleLeaderReplicas: optional(nullableArray(int32()), null),
            lastKnownElr: optional(nullableArray(int32()), null),
            offlineReplicas: array(int32()),
          }),
        ),
        topicAuthorizedOperations: optional(int32(), -2_147_483_648),
      }),
    ),
    nextCursor: optional(nullableStruct({ topicName: string(), partitionIndex: int32() })),
  },
)
/** DescribeTopicPartitionsResponse, decoded. */
export type DescribeTopicPartitionsResponse = Infer<typeof DescribeTopicPartitionsResponse>
