// What a partition remembers of one producer: the material of idempotence and transactions.
import type { Int64 } from '../bytes/int64.ts'

/** How many batches of a producer can be recognised as duplicates: what a client may have in flight. */
export const REMEMBERED_BATCHES = 5

/** One appended batch of a producer. Its first sequence and offset follow from `offsetDelta`. */
export interface AppendedBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  /** The last offset minus the first, and so of the sequences too. */
  readonly offsetDelta: number
  readonly timestamp: Int64
}

/** The state of one producer id in one partition. Owned and changed by `ProducerState` only. */
export interface ProducerEntry {
  readonly producerId: Int64
  /** -1 when nothing was appended yet. */
  epoch: number
  /** Of the last transaction marker; -1 when there was none. */
  coordinatorEpoch: number
  lastTimestamp: Int64
  /** Where the open transaction began; -1 when none is open. */
  currentTxnFirstOffset: number
  /** At most `REMEMBERED_BATCHES` of the current epoch, oldest first. */
  readonly batches: AppendedBatch[]
}

/** The state of a producer that was never seen. */
export function newProducerEntry(producerId: Int64): ProducerEntry {
  return {
    producerId,
    epoch: -1,
    coordinatorEpoch: -1,
    lastTimestamp: -1,
    currentTxnFirstOffset: -1,
    batches: [],
  }
}

/** The last sequence of the current epoch; -1 when there is none. */
export function lastSequenceOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? -1
}

/** The last data offset that is remembered; -1 when there is none. */
export function lastDataOffsetOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastOffset ?? -1
}

/** The sequence `count` before `sequence`: 0 comes after 2147483647. */
export function sequenceBefore(sequence: number, count: number): number {
  return sequence >= count ? sequence - count : sequence - count + 2_147_483_648
}

/** A new epoch makes the batches of the old one meaningless. */
export function setEpoch(entry: ProducerEntry, epoch: number): void {
  if (entry.epoch === epoch) return
  entry.epoch = epoch
  entry.batches.length = 0
}

/** Remembers a batch and forgets the oldest beyond the limit. */
export function rememberBatch(entry: ProducerEntry, batch: AppendedBatch): void {
  if (entry.batches.length === REMEMBERED_BATCHES) entry.batches.shift()
  entry.batches.push(batch)
}
