// Values by group, topic and partition.

/** The partitions of one topic that have a value. */
export type TopicPartitions<V> = ReadonlyMap<number, V>

const NO_TOPICS: ReadonlyMap<string, TopicPartitions<never>> = new Map()

/** A value for each partition of each topic of each group. What has no values takes no memory. */
export class PartitionTable<V> {
  readonly #groups = new Map<string, Map<string, Map<number, V>>>()
  #size = 0

  /** The number of values. */
  get size(): number {
    return this.#size
  }

  get(groupId: string, topic: string, partition: number): V | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  set(groupId: string, topic: string, partition: number, value: V): void {
    let topics = this.#groups.get(groupId)
    if (!topics) {
      topics = new Map()
      this.#groups.set(groupId, topics)
    }
    let partitions = topics.get(topic)
    if (!partitions) {
      partitions = new Map()
      topics.set(topic, partitions)
    }
    const sizeBefore = partitions.size
    partitions.set(partition, value)
    this.#size += partitions.size - sizeBefore
  }

  /** True if there was a value. */
  delete(groupId: string, topic: string, partition: number): boolean {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (!topics || !partitions?.delete(partition)) return false
    this.#size--
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(groupId)
    return true
  }

  hasGroup(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** The groups that have values. */
  groupIds(): Iterable<string> {
    return this.#groups.keys()
  }

  /** The topics of a group that have values; empty for a group that has none. */
  topics(groupId: string): ReadonlyMap<string, TopicPartitions<V>> {
    return this.#groups.get(groupId) ?? NO_TOPICS
  }
}
