// The hashes of topics' metadata, kept as long as the metadata is the same.
import type { Int64 } from '#storage/bytes/int64.ts'
import type { BrokerImage, MetadataImage, TopicImage } from '../../metadata/image.ts'
import { groupMetadataHash, hashTopic } from '../subscriptions/metadata-hash.ts'

/** Hashes of the topics that groups are subscribed to. */
export class TopicHashes {
  #hashes = new WeakMap<TopicImage, Int64>()
  #brokers: ReadonlyMap<number, BrokerImage> | undefined

  /** The hash of all these topics as they are now; those that don't exist count for nothing. */
  ofGroup(names: Iterable<string>, image: MetadataImage): Int64 {
    // The racks of brokers are part of a topic's hash.
    if (image.brokers !== this.#brokers) this.#hashes = new WeakMap()
    this.#brokers = image.brokers
    const hashes = new Map<string, Int64>()
    for (const name of names) {
      const topic = image.topic(name)
      if (topic !== undefined) hashes.set(name, this.#ofTopic(topic, image))
    }
    return groupMetadataHash(hashes)
  }

  #ofTopic(topic: TopicImage, { brokers }: MetadataImage): Int64 {
    const known = this.#hashes.get(topic)
    if (known !== undefined) return known
    const hash = hashTopic(topic, (brokerId) => brokers.get(brokerId)?.rack)
    this.#hashes.set(topic, hash)
    return hash
  }
}
