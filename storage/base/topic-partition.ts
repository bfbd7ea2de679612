// The name of one partition, and of its directory.

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`: Kafka's directory name, and the key for maps. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** Splits a directory name at its last `-`; undefined when it names no partition. */
export function parsePartitionName(name: string): TopicPartition | undefined {
  const dash = name.lastIndexOf('-')
  const digits = name.slice(dash + 1)
  if (dash <= 0 || !/^\d{1,10}$/.test(digits)) return undefined
  const partition = Number(digits)
  return partition <= 2_147_483_647 ? { topic: name.slice(0, dash), partition } : undefined
}
