// What a partition knows of its producers: sequences, epochs, open transactions.
import { assert } from '../base/errors.ts'
import { type Int64, subtractInt64 } from '../bytes/int64.ts'
import { type AppendOrigin, type EndedTransaction, ProducerAppend } from './producer-append.ts'
import {
  lastDataOffsetOf,
  lastSequenceOf,
  type ProducerEntry,
  rememberBatch,
  setEpoch,
} from './producer-entry.ts'
import type { ProducerSnapshotEntry } from './producer-snapshot.ts'

/** How many producers a partition remembers unless told otherwise. */
export const MAX_PRODUCERS = 100_000

const NONE: readonly never[] = []

/** A transaction that an applied append ended. */
export interface CompletedTransaction extends EndedTransaction {
  /** The last stable offset that its marker leaves behind: what `.txnindex` stores. */
  readonly lastStableOffset: number
}

/**
 * The producers of one partition (Kafka's `ProducerStateManager`). An append goes `prepare` → `add` per batch → write →
 * `apply`; recovery does the same with origin `replication`. It holds no file: snapshots are data.
 *
 * Transactions are in three stages: open; decided, but the marker is not below the high watermark; gone. The first two
 * hold back the last stable offset.
 */
export class ProducerState {
  readonly #expirationMs: number
  readonly #maxProducers: number
  readonly #producers = new Map<Int64, ProducerEntry>()
  /** By first offset, ascending: transactions begin in the order of the log. */
  readonly #open = new Map<number, Int64>()
  /** First offset to marker offset. */
  readonly #decided = new Map<number, number>()
  #endOffset: number

  constructor(options: { expirationMs: number; endOffset?: number; maxProducers?: number }) {
    this.#expirationMs = options.expirationMs
    this.#maxProducers = options.maxProducers ?? MAX_PRODUCERS
    this.#endOffset = options.endOffset ?? 0
  }

  /** The state covers the log up to this offset, exclusive (Kafka's `mapEndOffset`). */
  get endOffset(): number {
    return this.#endOffset
  }

  get isEmpty(): boolean {
    return this.#producers.size === 0 && this.#open.size === 0
  }

  /** The first offset that a read_committed reader may not see; undefined when there is none. */
  get firstUnstableOffset(): number | undefined {
    return this.firstUnstableAt(0)
  }

  /** The same with this high watermark, whether `releaseBelow` has been told of it or not. */
  firstUnstableAt(highWatermark: number): number | undefined {
    let first = this.firstUndecidedOffset
    if (this.#decided.size === 0) return first
    for (const [decided, markerOffset] of this.#decided) {
      if (markerOffset < highWatermark) continue
      if (first === undefined || decided < first) first = decided
    }
    return first
  }

  /** Where the oldest transaction began that has no marker yet; undefined when there is none. */
  get firstUndecidedOffset(): number | undefined {
    if (this.#open.size === 0) return undefined
    const [open] = this.#open.keys()
    return open
  }

  /** All producers, in no particular order. Read only. */
  producers(): IterableIterator<Readonly<ProducerEntry>> {
    return this.#producers.values()
  }

  /** What is known of one producer. */
  producer(producerId: Int64): Readonly<ProducerEntry> | undefined {
    return this.#producers.get(producerId)
  }

  /** Begins an append: check its batches with `add`, write them, then `apply` it. Any number may be thrown away. */
  prepare(origin: AppendOrigin): ProducerAppend {
    return new ProducerAppend(this.#producers, origin)
  }

  /** Makes an append's changes. Returns the transactions that it ended, in order, with the stable offset each leaves. */
  apply(append: ProducerAppend, endOffset: number): readonly CompletedTransaction[] {
    const { updated, started, ended } = append
    if (updated.size > 0) for (const changed of updated.values()) this.#update(changed)
    for (const { firstOffset, producerId } of started) this.#open.set(firstOffset, producerId)
    const completed = ended.length === 0 ? NONE : ended.map((one) => this.#complete(one))
    if (this.#producers.size > this.#maxProducers) this.#evict()
    this.advanceTo(endOffset)
    return completed
  }

  /** Tells that the log goes on to `endOffset` with batches that have no producer. */
  advanceTo(endOffset: number): void {
    if (endOffset > this.#endOffset) this.#endOffset = endOffset
  }

  /** Forgets decided transactions whose marker lies below the high watermark; true when there were some. */
  releaseBelow(highWatermark: number): boolean {
    const before = this.#decided.size
    if (before === 0) return false
    for (const [firstOffset, markerOffset] of this.#decided) {
      if (markerOffset < highWatermark) this.#decided.delete(firstOffset)
    }
    return this.#decided.size < before
  }

  /** Follows the log start offset. Producers stay: only time makes them expire. */
  advanceStartTo(logStartOffset: number): void {
    this.releaseBelow(logStartOffset)
    this.advanceTo(logStartOffset)
  }

  /** Forgets producers without an open transaction whose last *record time* lies `expirationMs` or more before `nowMs`. */
  removeExpired(nowMs: number): void {
    for (const [producerId, entry] of this.#producers) {
      if (this.#isExpired(entry, nowMs)) this.#producers.delete(producerId)
    }
  }

  /** Forgets everything. The state then covers the log up to `endOffset`; truncation goes on with `restore` and replay. */
  clear(endOffset: number): void {
    this.#producers.clear()
    this.#open.clear()
    this.#decided.clear()
    this.#endOffset = endOffset
  }

  /** Takes over what another state holds, which is not to be used any more. */
  become(other: ProducerState): void {
    this.clear(other.#endOffset)
    for (const [producerId, entry] of other.#producers) this.#producers.set(producerId, entry)
    for (const [firstOffset, producerId] of other.#open) this.#open.set(firstOffset, producerId)
    for (const [firstOffset, marker] of other.#decided) this.#decided.set(firstOffset, marker)
  }

  /** Replaces everything by a snapshot taken at `endOffset`. Expired producers are left out. */
  restore(
    entries: readonly ProducerSnapshotEntry[],
    { endOffset, nowMs }: { endOffset: number; nowMs: number },
  ): void {
    this.clear(endOffset)
    const open: [number, Int64][] = []
    for (const entry of entries) {
      const restored = entryOf(entry)
      if (this.#isExpired(restored, nowMs)) continue
      this.#producers.set(entry.producerId, restored)
      if (entry.currentTxnFirstOffset >= 0)
        open.push([entry.currentTxnFirstOffset, entry.producerId])
    }
    open.sort(([left], [right]) => left - right)
    for (const [firstOffset, producerId] of open) this.#open.set(firstOffset, producerId)
  }

  /**
   * Replaces a replayed state by the snapshot that was taken at the same offset, but keeps the batches that the replay
   * found besides the last one, where they lead up to it.
   */
  confirm(
    entries: readonly ProducerSnapshotEntry[],
    place: { endOffset: number; nowMs: number },
  ): void {
    const replayed = new Map(this.#producers)
    this.restore(entries, place)
    for (const [producerId, entry] of this.#producers) {
      const { epoch, batches = [] } = replayed.get(producerId) ?? {}
      const [noted, last] = [entry.batches.at(-1), batches.at(-1)]
      const isSame = last?.lastOffset === noted?.lastOffset && epoch === entry.epoch
      if (noted && isSame && last?.lastSequence === noted.lastSequence) {
        entry.batches.splice(0, 1, ...batches)
      }
    }
  }

  /** What a snapshot at `endOffset` holds: of each producer, only the last batch. */
  snapshot(): ProducerSnapshotEntry[] {
    return Array.from(this.#producers.values(), (entry) => ({
      producerId: entry.producerId,
      epoch: entry.epoch,
      lastSequence: lastSequenceOf(entry),
      lastOffset: lastDataOffsetOf(entry),
      offsetDelta: entry.batches.at(-1)?.offsetDelta ?? 0,
      timestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnFirstOffset: entry.currentTxnFirstOffset,
    }))
  }

  #update(changed: ProducerEntry): void {
    const entry = this.#producers.get(changed.producerId)
    if (!entry) {
      this.#producers.set(changed.producerId, changed)
      return
    }
    setEpoch(entry, changed.epoch)
    for (const batch of changed.batches) rememberBatch(entry, batch)
    entry.coordinatorEpoch = changed.coordinatorEpoch
    entry.lastTimestamp = changed.lastTimestamp
    entry.currentTxnFirstOffset = changed.currentTxnFirstOffset
  }

  #complete(ended: EndedTransaction): CompletedTransaction {
    const isKnown = this.#open.delete(ended.firstOffset)
    assert(isKnown, `The transaction that began at ${ended.firstOffset} must be open when it ends`)
    this.#decided.set(ended.firstOffset, ended.lastOffset)
    const lastStableOffset = this.firstUndecidedOffset ?? ended.lastOffset + 1
    return { ...ended, lastStableOffset }
  }

  #isExpired(entry: ProducerEntry, nowMs: number): boolean {
    if (entry.currentTxnFirstOffset >= 0) return false
    return subtractInt64(nowMs, entry.lastTimestamp) >= this.#expirationMs
  }

  /** Beyond the limit, a tenth goes: those whose last data is oldest. One by one would cost a search each. */
  #evict(): void {
    const idle = Array.from(this.#producers.values())
      .filter((entry) => entry.currentTxnFirstOffset < 0)
      .sort((left, right) => lastDataOffsetOf(left) - lastDataOffsetOf(right))
    const surplus = this.#producers.size - Math.floor(this.#maxProducers * 0.9)
    for (const { producerId } of idle.slice(0, surplus)) this.#producers.delete(producerId)
  }
}

function entryOf(entry: ProducerSnapshotEntry): ProducerEntry {
  const { producerId, epoch, coordinatorEpoch, currentTxnFirstOffset, timestamp } = entry
  const { lastSequence, lastOffset, offsetDelta } = entry
  const batches = lastOffset < 0 ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }]
  return {
    producerId,
    epoch,
    coordinatorEpoch,
    lastTimestamp: timestamp,
    currentTxnFirstOffset,
    batches,
  }
}
