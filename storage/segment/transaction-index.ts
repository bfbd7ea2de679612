// The `.txnindex` file: the aborted transactions whose markers a segment holds.
import { assert } from '../base/errors.ts'
import { type Int64, readInt64, writeInt64 } from '../bytes/int64.ts'
import { IndexEntries, type UnwrittenBytes } from './index-entries.ts'

/** The size of one entry in bytes. */
export const TRANSACTION_INDEX_ENTRY_BYTES = 34

/** One aborted transaction of one partition. */
export interface AbortedTransaction {
  readonly producerId: Int64
  readonly firstOffset: number
  /** The offset of the ABORT marker. */
  readonly lastOffset: number
  /** The last stable offset when the marker was written. */
  readonly lastStableOffset: number
}

/** What `TransactionIndex.query` found. */
export interface AbortedTransactions {
  readonly transactions: readonly AbortedTransaction[]
  /** False when later segments may hold more that overlap the range. */
  readonly isComplete: boolean
}

/**
 * The aborted transactions of one segment (the `.txnindex` file, which exists only when there are some).
 * Entry: int16 version 0, int64 producerId, firstOffset, lastOffset, lastStableOffset.
 * Invariant: last offsets strictly increase, and all lie in the segment.
 */
export class TransactionIndex {
  readonly baseOffset: number
  readonly #entries: IndexEntries

  constructor(baseOffset: number, entries = new IndexEntries(TRANSACTION_INDEX_ENTRY_BYTES)) {
    this.baseOffset = baseOffset
    this.#entries = entries
  }

  /** Reads a file's content and keeps it. Kafka never pre-sizes it; a ragged end is left out. */
  static parse(baseOffset: number, bytes: Uint8Array): TransactionIndex {
    const count = Math.floor(bytes.length / TRANSACTION_INDEX_ENTRY_BYTES)
    const entries = new IndexEntries(TRANSACTION_INDEX_ENTRY_BYTES, bytes, count)
    return new TransactionIndex(baseOffset, entries)
  }

  /** The number of entries. */
  get entries(): number {
    return this.#entries.count
  }

  get sizeInBytes(): number {
    return this.#entries.sizeInBytes
  }

  get lastEntry(): AbortedTransaction | undefined {
    return this.entries === 0 ? undefined : this.entryAt(this.entries - 1)
  }

  /** The offset of the last ABORT marker; undefined when there is none. */
  get lastOffset(): number | undefined {
    return this.lastEntry?.lastOffset
  }

  /** Entry number `index`. */
  entryAt(index: number): AbortedTransaction {
    const { view } = this.#entries
    const at = index * TRANSACTION_INDEX_ENTRY_BYTES
    return {
      producerId: readInt64(view, at + 2),
      firstOffset: Number(readInt64(view, at + 10)),
      lastOffset: this.#lastOffsetAt(at),
      lastStableOffset: Number(readInt64(view, at + 26)),
    }
  }

  /** Adds an aborted transaction, whose marker must lie beyond the last one. */
  append(aborted: AbortedTransaction): void {
    const last = this.lastOffset ?? this.baseOffset - 1
    assert(aborted.lastOffset > last, `Marker ${aborted.lastOffset} must lie beyond ${last}`)
    const at = this.#entries.add()
    const { view } = this.#entries
    view.setInt16(at, 0)
    writeInt64(view, at + 2, aborted.producerId)
    writeInt64(view, at + 10, aborted.firstOffset)
    writeInt64(view, at + 18, aborted.lastOffset)
    writeInt64(view, at + 26, aborted.lastStableOffset)
  }

  /**
   * The aborted transactions that overlap [from, upTo). The search ends at the first entry whose last stable offset
   * was at or beyond `upTo`: everything below `upTo` was decided then. Otherwise it goes on in the next segment.
   */
  query({ from, upTo }: { from: number; upTo: number }): AbortedTransactions {
    const transactions: AbortedTransaction[] = []
    const first = this.#entries.countWhile((at) => this.#lastOffsetAt(at) < from)
    for (let index = first; index < this.entries; index++) {
      const aborted = this.entryAt(index)
      if (aborted.firstOffset < upTo) transactions.push(aborted)
      if (aborted.lastStableOffset >= upTo) return { transactions, isComplete: true }
    }
    return { transactions, isComplete: false }
  }

  /** Removes the transactions whose marker lies at or above `offset`. */
  truncateTo(offset: number): void {
    this.#entries.cut(this.#entries.countWhile((at) => this.#lastOffsetAt(at) < offset))
  }

  /** What is wrong with the entries, as a sentence; undefined when nothing is. */
  validate(): string | undefined {
    let last = this.baseOffset - 1
    for (let index = 0; index < this.entries; index++) {
      const version = this.#entries.view.getInt16(index * TRANSACTION_INDEX_ENTRY_BYTES)
      const { firstOffset, lastOffset } = this.entryAt(index)
      if (version !== 0) return `Entry ${index} has version ${version}`
      if (lastOffset <= last) return `Entry ${index} ends at ${lastOffset}, not beyond ${last}`
      if (firstOffset < 0 || firstOffset > lastOffset) {
        return `Entry ${index} begins at ${firstOffset} and ends at ${lastOffset}`
      }
      last = lastOffset
    }
    return undefined
  }

  /** The whole file: a view, valid until the next change. */
  toBytes(): Uint8Array {
    return this.#entries.toBytes()
  }

  /** What the file lacks: a view, valid until the next change. */
  unwritten(): UnwrittenBytes {
    return this.#entries.unwritten()
  }

  /** Tells that the file now holds everything; with false that it holds nothing of this. */
  markWritten(isWritten = true): void {
    this.#entries.markWritten(isWritten)
  }

  #lastOffsetAt(at: number): number {
    return Number(readInt64(this.#entries.view, at + 18))
  }
}
