// Finds the partition that a client of the wire protocol means, by name or by topic id.
import { KafkaError } from '#storage/base/errors.ts'
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataProvider } from '../metadata/provider.ts'
import type { Partition } from './partition.ts'
import type { Partitions } from './partitions.ts'

/** A partition as a client names it. Where the id is not zero it counts, and the name is of no matter. */
export interface PartitionId {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
}

/** Who leads a partition; -1 for nobody. */
export interface CurrentLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Looks partitions up in the metadata first: what it does not know does not exist; what others lead is not here. */
export class PartitionLookup {
  readonly #partitions: Partitions
  readonly #provider: MetadataProvider
  /** What `get` found under `#image`, by topic, then by partition. A topic may have another's id for its name. */
  readonly #byId = new Map<Uuid, (Partition | undefined)[]>()
  readonly #byName = new Map<string, (Partition | undefined)[]>()
  #image: MetadataImage | undefined

  constructor(partitions: Partitions, provider: MetadataProvider) {
    this.#partitions = partitions
    this.#provider = provider
  }

  /**
   * The led partition. Throws UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER,
   * INCONSISTENT_TOPIC_ID, KAFKA_STORAGE_ERROR: errors that every client expects of every API.
   */
  get(id: PartitionId): Partition {
    return this.#recall(id) ?? this.#find(id)
  }

  /** As `Partitions.whenReady`. */
  whenReady(id: PartitionId): Promise<void> | undefined {
    const known = this.#recall(id)
    if (known) return known.log.room()
    const { topic: name, topicId, partition } = id
    const { image } = this.#provider
    const topic = topicId === ZERO_UUID ? name : image.topicById(topicId)?.name
    return topic === undefined ? undefined : this.#partitions.whenReady({ topic, partition })
  }

  /** A partition that was found before, as long as the metadata is the same and the partition is open. */
  #recall({ topic, topicId, partition }: PartitionId): Partition | undefined {
    if (this.#image !== this.#provider.image) return undefined
    const found = topicId === ZERO_UUID ? this.#byName.get(topic) : this.#byId.get(topicId)
    const known = found?.[partition]
    return known?.isOpen ? known : undefined
  }

  #find(id: PartitionId): Partition {
    const { topic: name, topicId, partition: index } = id
    const topic = this.topicName(name, topicId)
    const { image } = this.#provider
    const at = { topic, partition: index }
    const known = image.partition(at)
    if (!known) {
      const detail = `Partition ${index} of topic ${topic} does not exist`
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', detail)
    }
    const partition = this.#partitions.find(at)
    if (!partition) {
      const detail = `Partition ${index} of topic ${topic} has leader ${known.leader}`
      throw new KafkaError('NOT_LEADER_OR_FOLLOWER', detail)
    }
    if (topicId !== ZERO_UUID && partition.topicId !== topicId) {
      const detail = `Partition ${index} of topic ${topic} has topic id ${partition.topicId}`
      throw new KafkaError('INCONSISTENT_TOPIC_ID', detail)
    }
    this.#remember(id, partition)
    return partition
  }

  #remember({ topic, topicId, partition: index }: PartitionId, partition: Partition): void {
    const { image } = this.#provider
    if (this.#image !== image) {
      this.#byId.clear()
      this.#byName.clear()
      this.#image = image
    }
    const [found, key] = topicId === ZERO_UUID ? [this.#byName, topic] : [this.#byId, topicId]
    const known = found.get(key) ?? []
    known[index] = partition
    found.set(key, known)
  }

  /** What the metadata says of a partition's leader; undefined when it knows no such partition. */
  leaderOf({ topic: name, topicId, partition }: PartitionId): CurrentLeader | undefined {
    const { image } = this.#provider
    const topic = topicId === ZERO_UUID ? image.topic(name) : image.topicById(topicId)
    const known = topic?.partitions[partition]
    return known && { leaderId: known.leader, leaderEpoch: known.leaderEpoch }
  }

  /** The topic's name. Throws UNKNOWN_TOPIC_ID. */
  topicName(name: string, topicId: Uuid): string {
    if (topicId === ZERO_UUID) return name
    const topic = this.#provider.image.topicById(topicId)
    if (topic) return topic.name
    throw new KafkaError('UNKNOWN_TOPIC_ID', `No topic has the id ${topicId}`)
  }
}
