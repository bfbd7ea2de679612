// Which member of a consumer group has which partition.
import type { Uuid } from '#storage/base/uuid.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { OwnedPartitions } from './owned-partitions.ts'

/**
 * The owner of each partition that is assigned to a member, or that a member was told to give up and may still read. A
 * partition that is not in it is free.
 */
export class PartitionOwners {
  readonly #owners = new Map<Uuid, Map<number, string>>()

  /** Whether a member has the partition. */
  has(topicId: Uuid, partition: number): boolean {
    return this.#owners.get(topicId)?.has(partition) ?? false
  }

  /** Follows a change of a member; undefined is nobody. */
  replace(before: ConsumerMember | undefined, after: ConsumerMember | undefined): void {
    if (before !== undefined && before.assigned !== after?.assigned) {
      this.#remove(before.memberId, before.assigned)
    }
    if (before !== undefined && before.pendingRevocation !== after?.pendingRevocation) {
      this.#remove(before.memberId, before.pendingRevocation)
    }
    if (after === undefined) return
    this.#add(after.memberId, after.assigned)
    this.#add(after.memberId, after.pendingRevocation)
  }

  #add(memberId: string, owned: OwnedPartitions): void {
    for (const [topicId, epochs] of owned) {
      let owners = this.#owners.get(topicId)
      if (owners === undefined) {
        owners = new Map()
        this.#owners.set(topicId, owners)
      }
      for (const partition of epochs.keys()) owners.set(partition, memberId)
    }
  }

  #remove(memberId: string, owned: OwnedPartitions): void {
    for (const [topicId, epochs] of owned) {
      const owners = this.#owners.get(topicId)
      if (owners === undefined) continue
      for (const partition of epochs.keys()) {
        if (owners.get(partition) === memberId) owners.delete(partition)
      }
      if (owners.size === 0) this.#owners.delete(topicId)
    }
  }
}
