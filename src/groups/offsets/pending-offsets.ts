// Offsets that open transactions have committed: nobody sees them until the transaction ends.
import type { Int64 } from '#storage/bytes/int64.ts'
import type { OffsetPlace, StoredOffset } from './committed-offset.ts'
import { PartitionTable } from './partition-table.ts'

/** The offsets of open transactions, by the producer whose transaction it is. */
export class PendingOffsets {
  readonly #byProducer = new Map<Int64, PartitionTable<StoredOffset>>()
  /** How many open transactions have an offset for a partition. */
  readonly #counts = new PartitionTable<number>()

  set(producerId: Int64, { groupId, topic, partition }: OffsetPlace, offset: StoredOffset): void {
    let table = this.#byProducer.get(producerId)
    if (!table) {
      table = new PartitionTable()
      this.#byProducer.set(producerId, table)
    }
    if (table.get(groupId, topic, partition) === undefined) {
      const count = this.#counts.get(groupId, topic, partition) ?? 0
      this.#counts.set(groupId, topic, partition, count + 1)
    }
    table.set(groupId, topic, partition, offset)
  }

  has(groupId: string, topic: string, partition: number): boolean {
    return this.#counts.get(groupId, topic, partition) !== undefined
  }

  hasGroup(groupId: string): boolean {
    return this.#counts.hasGroup(groupId)
  }

  /** The partitions of a group that have pending offsets, by topic. */
  topics(groupId: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.#counts.topics(groupId)
  }

  /** One of the pending offsets of a partition. */
  anyOf({ groupId, topic, partition }: OffsetPlace): StoredOffset | undefined {
    if (!this.has(groupId, topic, partition)) return undefined
    for (const table of this.#byProducer.values()) {
      const offset = table.get(groupId, topic, partition)
      if (offset) return offset
    }
    return undefined
  }

  /** Forgets the partition in all transactions. */
  delete({ groupId, topic, partition }: OffsetPlace): void {
    if (!this.#counts.delete(groupId, topic, partition)) return
    for (const [producerId, table] of this.#byProducer) {
      table.delete(groupId, topic, partition)
      if (table.size === 0) this.#byProducer.delete(producerId)
    }
  }

  /** Takes out what the producer's transaction has committed. */
  take(producerId: Int64): readonly (readonly [OffsetPlace, StoredOffset])[] {
    const table = this.#byProducer.get(producerId)
    if (!table) return []
    this.#byProducer.delete(producerId)
    const taken: [OffsetPlace, StoredOffset][] = []
    for (const groupId of table.groupIds()) {
      for (const [topic, partitions] of table.topics(groupId)) {
        for (const [partition, offset] of partitions) {
          this.#release(groupId, topic, partition)
          taken.push([{ groupId, topic, partition }, offset])
        }
      }
    }
    return taken
  }

  #release(groupId: string, topic: string, partition: number): void {
    const count = this.#counts.get(groupId, topic, partition) ?? 0
    if (count <= 1) this.#counts.delete(groupId, topic, partition)
    else this.#counts.set(groupId, topic, partition, count - 1)
  }
}
