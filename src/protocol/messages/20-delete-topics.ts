// API key 20: DeleteTopics, delete topics.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uuid } from '../codec/primitives.ts'

/**
 * An admin deletes topics. v4: flexible. v5: may be refused by quota (KIP-599). v6: by name or by
 * id (KIP-516).
 */
export const DeleteTopicsRequest = message(
  { key: 20, versions: [1, 6], flexible: 4 },
  {
    topics: since(6, array(struct({ name: optional(nullableString(), null), topicId: uuid() }))),
    topicNames: ignorable(until(5, array(string()))),
    timeoutMs: int32(),
  },
)
/** DeleteTopicsRequest, decoded. */
export type DeleteTopicsRequest = Infer<typeof DeleteTopicsRequest>

/**
 * What became of each topic. v1: throttle time. v2: answered before throttling (KIP-219). v3:
 * TOPIC_DELETION_DISABLED (KIP-322). v4: flexible. v5: error message (KIP-599). v6: topic id; the
 * name may be null (KIP-516).
 */
export const DeleteTopicsResponse = message(
  { key: 20, versions: [1, 6], flexible: 4 },
  {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        name: nullableString(6),
        topicId: ignorable(since(6, uuid())),
        errorCode: int16(),
        errorMessage: ignorable(since(5, nullableString(), null)),
      }),
    ),
  },
)
/** DeleteTopicsResponse, decoded. */
export type DeleteTopicsResponse = Infer<typeof DeleteTopicsResponse>
