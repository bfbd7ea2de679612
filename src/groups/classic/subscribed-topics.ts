// Which topics the consumers of a classic group read: all that a broker looks at in what they tell each other.
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'

/** What consumers call the protocol that they embed in JoinGroup. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/**
 * The topics of all these subscriptions; undefined when one is not what consumers write. All versions begin alike
 * (`ConsumerProtocolSubscription`):
 * ```
 * int16 version, int32 count, count × (int16 length, UTF-8 name), …
 * ```
 */
export function subscribedTopics(
  subscriptions: Iterable<Uint8Array>,
): ReadonlySet<string> | undefined {
  const topics = new Set<string>()
  try {
    for (const subscription of subscriptions) addTopics(subscription, topics)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
  return topics
}

function addTopics(subscription: Uint8Array, topics: Set<string>): void {
  const reader = new ByteReader(subscription)
  reader.int16()
  const count = reader.int32()
  reader.expectElements(count)
  for (let index = 0; index < count; index++) topics.add(reader.utf8(reader.int16()))
}
