// What removes many offsets: expiry, deleted topics, deleted groups. Where it can wait, in batches that are small for the log
// and for the event loop, each planned on the newest state, so that what happens in between is seen.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Group } from '../group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import { isOfTopic, NO_EXPIRY, type StoredOffset } from './committed-offset.ts'
import type { DeletedTopic, OffsetCounters } from './offset-calls.ts'
import type { PartitionTable } from './partition-table.ts'
import type { PendingOffsets } from './pending-offsets.ts'
import { TombstoneBatch } from './tombstone-batch.ts'

const MINUTE_MS = 60_000
/** So many offsets are looked at in one go, to the end of their group. */
const MAX_LOOKED_AT = 10_000
/** Adds to the batch what is to be removed of a group; asked again if the batch is full. Returns how much it has looked at. */
type Sweep = (groupId: string, batch: TombstoneBatch) => number

/** Removes offsets of one shard. */
export class OffsetSweeps {
  readonly #parts: GroupParts
  readonly #committed: PartitionTable<StoredOffset>
  readonly #pending: PendingOffsets
  readonly #counters: OffsetCounters
  #isLoaded = false
  #cancel: (() => void) | undefined

  constructor(
    parts: GroupParts,
    committed: PartitionTable<StoredOffset>,
    pending: PendingOffsets,
    counters: OffsetCounters,
  ) {
    this.#parts = parts
    this.#committed = committed
    this.#pending = pending
    this.#counters = counters
  }

  /**
   * Begins to look for expired offsets, every `offsets.retention.check.interval.ms`, and forgets those whose topics were
   * deleted while this shard was not loaded.
   */
  loaded(): void {
    this.#isLoaded = true
    // Shards that are loaded together do not all look at the same moment.
    this.#expectExpiry(1 - this.#parts.random.float())
    void this.#run('deleted', (groupId, batch) => this.#forgetOrphans(groupId, batch))
  }

  /** Ends what is under way. */
  unloaded(): void {
    this.#isLoaded = false
    this.#cancel?.()
  }

  /** Begins to forget the offsets of these topics, where they are not of later topics with the same names. */
  removeTopics(topics: readonly DeletedTopic[]): void {
    void this.#run('deleted', (groupId, batch) => this.#forgetTopics(groupId, topics, batch))
  }

  /**
   * Removes a group and its offsets, all in one go: somebody might join in between, who counts on them. Throws
   * GROUP_ID_NOT_FOUND and what `validateDelete` throws.
   */
  deletion(groupId: string): GroupPlan<void> {
    const group = this.#parts.groups.get(groupId)
    if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} does not exist`)
    group.validateDelete()
    const batch = new TombstoneBatch(Infinity)
    this.#forgetAll(groupId, batch)
    batch.remove(() => group.tombstones())
    return this.#planOf(batch, 'deleted', undefined)
  }

  #expectExpiry(share = 1): void {
    const { host, configs } = this.#parts
    const intervalMs = configs.broker.number('offsets.retention.check.interval.ms')
    this.#cancel = host.deadlines.add(intervalMs * share, () => {
      const sweep: Sweep = (groupId, batch) => this.#forgetExpired(groupId, batch)
      void this.#run('expired', sweep).then(() => {
        if (this.#isLoaded) this.#expectExpiry()
      })
    })
  }

  /** Sweeps all groups. What can't be written now is left for the next time. */
  async #run(counted: keyof OffsetCounters, sweep: Sweep): Promise<void> {
    const { host, groups } = this.#parts
    const groupIds = [...new Set([...groups.keys(), ...this.#committed.groupIds()])]
    let at = 0
    const plan = (): GroupPlan<void> => {
      const batch = new TombstoneBatch()
      for (let lookedAt = 0; at < groupIds.length && lookedAt < MAX_LOOKED_AT; at++) {
        lookedAt += 1 + sweep(groupIds[at] as string, batch)
        if (batch.isFull) break
      }
      return this.#planOf(batch, counted, undefined)
    }
    try {
      while (this.#isLoaded && at < groupIds.length) {
        await host.write(plan)
        // Others have their turn in between.
        if (at < groupIds.length) await new Promise<void>((go) => host.deadlines.add(0, go))
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  #forgetExpired(groupId: string, batch: TombstoneBatch): number {
    const group = this.#parts.groups.get(groupId)
    const isExpired = this.#expiryOf(group)
    let isKept = this.#pending.hasGroup(groupId)
    let lookedAt = 0
    for (const [topic, offsets] of this.#committed.topics(groupId)) {
      const isSubscribed = group?.isSubscribedTo(topic) ?? false
      for (const [partition, offset] of offsets) {
        lookedAt++
        const isDue = this.#isOrphan(offset) || (!isSubscribed && isExpired(offset))
        if (!isDue || this.#pending.has(groupId, topic, partition)) isKept = true
        else if (!batch.forget({ groupId, topic, partition })) return lookedAt
      }
    }
    if (!isKept && group?.isEmpty) batch.remove(() => group.tombstones())
    return lookedAt
  }

  #forgetOrphans(groupId: string, batch: TombstoneBatch): number {
    let lookedAt = 0
    for (const [topic, offsets] of this.#committed.topics(groupId)) {
      for (const [partition, offset] of offsets) {
        lookedAt++
        if (!this.#isOrphan(offset)) continue
        if (!batch.forget({ groupId, topic, partition })) return lookedAt
      }
    }
    return lookedAt
  }

  #expiryOf(group: Group | undefined): (offset: StoredOffset) => boolean {
    const { host, configs } = this.#parts
    const now = host.clock.now()
    const retentionMs = configs.broker.number('offsets.retention.minutes') * MINUTE_MS
    // Offsets without a group are in no log that was written whole; they count as a simple consumer's.
    const expiration = group ? group.offsetExpiration() : { baseTimestamp: (time: number) => time }
    if (!expiration) return () => false
    return ({ expireTimestamp, commitTimestamp }) => {
      if (expireTimestamp !== NO_EXPIRY) return now >= expireTimestamp
      return now - expiration.baseTimestamp(Number(commitTimestamp)) >= retentionMs
    }
  }

  /** Whether the topic is gone: the image is never older than the log of a shard that is loaded. */
  #isOrphan({ topicId }: StoredOffset): boolean {
    return topicId !== ZERO_UUID && this.#parts.image().topicById(topicId) === undefined
  }

  #forgetTopics(groupId: string, topics: readonly DeletedTopic[], batch: TombstoneBatch): number {
    const committed = this.#committed.topics(groupId)
    const pending = this.#pending.topics(groupId)
    for (const { name: topic, id } of topics) {
      const partitions = [
        ...(committed.get(topic)?.keys() ?? []),
        ...(pending.get(topic)?.keys() ?? []),
      ]
      for (const partition of new Set(partitions)) {
        const place = { groupId, topic, partition }
        const known = committed.get(topic)?.get(partition) ?? this.#pending.anyOf(place)
        if (known && isOfTopic(known, id) && !batch.forget(place)) return topics.length
      }
    }
    return topics.length
  }

  #forgetAll(groupId: string, batch: TombstoneBatch): void {
    for (const table of [this.#committed.topics(groupId), this.#pending.topics(groupId)]) {
      for (const [topic, partitions] of table) {
        for (const partition of partitions.keys()) {
          const isTwice =
            partitions !== this.#committed.topics(groupId).get(topic) &&
            this.#committed.get(groupId, topic, partition) !== undefined
          if (!isTwice) batch.forget({ groupId, topic, partition })
        }
      }
    }
  }

  #planOf<A>(batch: TombstoneBatch, counted: keyof OffsetCounters, answer: A): GroupPlan<A> {
    const settled = (error: KafkaError | undefined) => {
      if (!error) this.#counters[counted] += batch.forgottenCount
    }
    return { records: batch.records, isDivisible: true, answer, settled }
  }
}
