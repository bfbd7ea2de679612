// The partitions that a member of a consumer group owns, each with the epoch in which it got it (KIP-1251).
import type { Uuid } from '#storage/base/uuid.ts'
import type { ConsumerGroupCurrentMemberAssignmentValue } from '../../protocol/records/groups/consumer-group.ts'

/**
 * By topic id and partition the member epoch in which the partition was assigned: commits with an older one are those of
 * an earlier owner. No topic has an empty map; nothing is changed once it is made.
 */
export type OwnedPartitions = ReadonlyMap<Uuid, ReadonlyMap<number, number>>

/** Owned partitions that are being put together. */
export type OwnedPartitionsDraft = Map<Uuid, Map<number, number>>

/** Partitions as messages name them. */
export interface TopicPartitions {
  readonly topicId: Uuid
  readonly partitions: readonly number[]
}

/** No partition. */
export const NOTHING_OWNED: OwnedPartitions = new Map()

type OwnedRecord = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions']

/** As records have them. Where an older Kafka left the epochs out, `defaultEpoch` stands in. */
export function ownedFromRecord(topics: OwnedRecord, defaultEpoch: number): OwnedPartitions {
  if (topics.length === 0) return NOTHING_OWNED
  const owned: OwnedPartitionsDraft = new Map()
  for (const { topicId, partitions, assignmentEpochs } of topics) {
    const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : []
    for (const [at, partition] of partitions.entries()) {
      addOwned(owned, topicId, partition, epochs[at] ?? Math.max(0, defaultEpoch))
    }
  }
  return owned
}

/** For records. */
export function ownedToRecord(owned: OwnedPartitions): OwnedRecord {
  return Array.from(owned, ([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }))
}

/** For answers, partitions in order. */
export function ownedToTopicPartitions(
  owned: OwnedPartitions,
): { topicId: Uuid; partitions: number[] }[] {
  return Array.from(owned, ([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()].sort((left, right) => left - right),
  }))
}

/** Adds a partition to a draft. */
export function addOwned(
  draft: OwnedPartitionsDraft,
  topicId: Uuid,
  partition: number,
  epoch: number,
): void {
  const known = draft.get(topicId)
  if (known === undefined) draft.set(topicId, new Map([[partition, epoch]]))
  else known.set(partition, epoch)
}

/** Whether both hold the same partitions since the same epochs. */
export function sameOwned(left: OwnedPartitions, right: OwnedPartitions): boolean {
  if (left === right) return true
  if (left.size !== right.size) return false
  for (const [topicId, epochs] of left) {
    const others = right.get(topicId)
    if (others === epochs) continue
    if (others?.size !== epochs.size) return false
    for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false
  }
  return true
}

/** The epoch in which the partition was assigned; undefined when it is not among them. */
export function ownedSince(
  owned: OwnedPartitions,
  topicId: Uuid,
  partition: number,
): number | undefined {
  return owned.get(topicId)?.get(partition)
}

/** The same partitions, all since `epoch`. */
export function withEpoch(owned: OwnedPartitions, epoch: number): OwnedPartitions {
  if (owned.size === 0) return owned
  return new Map(
    Array.from(owned, ([topicId, epochs]) => [
      topicId,
      new Map(Array.from(epochs.keys(), (partition) => [partition, epoch])),
    ]),
  )
}

/** Whether all that a client says to own is among these. */
export function ownsAll(owned: OwnedPartitions, claimed: readonly TopicPartitions[]): boolean {
  return claimed.every(({ topicId, partitions }) => {
    const epochs = owned.get(topicId)
    return epochs !== undefined && partitions.every((partition) => epochs.has(partition))
  })
}

/** Whether anything that a client says to own is among these. */
export function ownsAny(owned: OwnedPartitions, claimed: readonly TopicPartitions[]): boolean {
  return claimed.some(({ topicId, partitions }) => {
    const epochs = owned.get(topicId)
    return epochs !== undefined && partitions.some((partition) => epochs.has(partition))
  })
}
