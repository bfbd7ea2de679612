// API key 19: CreateTopics, make topics.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/**
 * An admin makes topics. −1 partitions or replicas: by assignments or, since v4, the broker's
 * default (KIP-464). v5: flexible. v6: may be refused by quota (KIP-599).
 */
export const CreateTopicsRequest = message(
  { key: 19, versions: [2, 7], flexible: 5 },
  {
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        assignments: array(struct({ partitionIndex: int32(), brokerIds: array(int32()) })),
        configs: array(struct({ name: string(), value: nullableString() })),
      }),
    ),
    timeoutMs: optional(int32(), 60_000),
    validateOnly: optional(bool()),
  },
)
/** CreateTopicsRequest, decoded. */
export type CreateTopicsRequest = Infer<typeof CreateTopicsRequest>

/**
 * What became of each topic. v2: throttle time. v3: answered before throttling (KIP-219). v5:
 * flexible; the topic's configs, partitions and replicas (KIP-525). v6: THROTTLING_QUOTA_EXCEEDED
 * (KIP-599). v7: topic id (KIP-516).
 */
export const CreateTopicsResponse = message(
  { key: 19, versions: [2, 7], flexible: 5 },
  {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        topicId: ignorable(since(7, uuid())),
        errorCode: int16(),
        errorMessage: nullableString(),
        topicConfigErrorCode: ignorable(tagged(0, 5, int16())),
        numPartitions: ignorable(since(5, int32(), -1)),
        replicationFactor: ignorable(since(5, int16(), -1)),
        configs: ignorable(
          since(
            5,
            nullableArray(
              struct({
                name: string(),
                value: nullableString(),
                readOnly: bool(),
                configSource: optional(int8(), -1),
                isSensitive: bool(),
              }),
            ),
          ),
        ),
      }),
    ),
  },
)
/** CreateTopicsResponse, decoded. */
export type CreateTopicsResponse = Infer<typeof CreateTopicsResponse>
