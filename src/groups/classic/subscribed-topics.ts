// Which topics the consumers of a classic group read: all that a coordinator looks at in what they tell each other.
import { KafkaError } from '#storage/base/errors.ts'
import { parseSubscribedTopics } from '../../protocol/records/consumer-protocol.ts'

/** What consumers call the protocol that they embed in JoinGroup. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** The topics of all these subscriptions; undefined when one is not what consumers write. */
export function subscribedTopics(
  subscriptions: readonly Uint8Array[],
): ReadonlySet<string> | undefined {
  try {
    return new Set(subscriptions.flatMap((bytes) => parseSubscribedTopics(bytes)))
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}
