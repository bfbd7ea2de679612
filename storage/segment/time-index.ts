// The `.timeindex` file: from timestamps to offsets.
import { AssertionError } from '../base/errors.ts'
import { type Int64, readInt64, writeInt64 } from '../bytes/int64.ts'
import { countEntries, IndexEntries, type UnwrittenBytes } from './index-entries.ts'

/** The size of one entry in bytes. */
export const TIME_INDEX_ENTRY_BYTES = 12

/** A timestamp, and the last offset of the batch that has it. */
export interface TimestampOffset {
  readonly timestamp: Int64
  readonly offset: number
}

/**
 * Sparse map from timestamp to offset for one segment (the `.timeindex` file).
 * Entry: int64 largest timestamp of the segment so far, int32 relative last offset of the batch that has it.
 * Invariant: timestamps strictly increase, offsets never fall; no later batch below an entry's offset is newer than it.
 * The last entry of a closed segment holds the segment's largest timestamp.
 */
export class TimeIndex {
  readonly baseOffset: number
  readonly #entries: IndexEntries

  constructor(baseOffset: number, entries = new IndexEntries(TIME_INDEX_ENTRY_BYTES)) {
    this.baseOffset = baseOffset
    this.#entries = entries
  }

  /**
   * Reads a file's content and keeps it; zeros behind the entries and a ragged end are left out. A file of exactly one
   * zero entry is no padding: it says that the largest timestamp is 0.
   */
  static parse(baseOffset: number, bytes: Uint8Array): TimeIndex {
    const isSingle = bytes.length === TIME_INDEX_ENTRY_BYTES
    const count = isSingle ? 1 : countEntries(bytes, TIME_INDEX_ENTRY_BYTES)
    return new TimeIndex(baseOffset, new IndexEntries(TIME_INDEX_ENTRY_BYTES, bytes, count))
  }

  /** The number of entries. */
  get entries(): number {
    return this.#entries.count
  }

  get sizeInBytes(): number {
    return this.#entries.sizeInBytes
  }

  /** The last entry; (-1, base offset) when there is none. */
  get lastEntry(): TimestampOffset {
    return this.entryAt(this.entries - 1)
  }

  get lastOffset(): number {
    return this.lastEntry.offset
  }

  /** Entry number `index`; (-1, base offset) for -1. */
  entryAt(index: number): TimestampOffset {
    if (index < 0) return { timestamp: -1, offset: this.baseOffset }
    const at = index * TIME_INDEX_ENTRY_BYTES
    return {
      timestamp: readInt64(this.#entries.view, at),
      offset: this.baseOffset + this.#entries.view.getInt32(at + 8),
    }
  }

  /**
   * Adds the largest timestamp so far and its offset, if it is larger than the last entry's; true when it was. Offset
   * and timestamp must not lie below the last entry's.
   */
  maybeAppend({ timestamp, offset }: TimestampOffset): boolean {
    const last = this.lastEntry
    // The sentences cost more than what they tell of: none is made in vain.
    if (this.entries > 0 && !(offset >= last.offset && timestamp >= last.timestamp)) {
      const above = `(${last.timestamp}, ${last.offset})`
      throw new AssertionError(`Time entry (${timestamp}, ${offset}) must not lie below ${above}`)
    }
    if (timestamp <= last.timestamp) return false
    const relative = offset - this.baseOffset
    if (!(relative >= 0 && relative <= 2_147_483_647)) {
      throw new AssertionError(`Offset ${offset} must fit the segment`)
    }
    const at = this.#entries.add()
    writeInt64(this.#entries.view, at, timestamp)
    this.#entries.view.setInt32(at + 8, relative)
    return true
  }

  /** The last entry at or below `timestamp`; (-1, base offset) when there is none. */
  lookup(timestamp: Int64): TimestampOffset {
    const count = this.#entries.countWhile((at) => readInt64(this.#entries.view, at) <= timestamp)
    return this.entryAt(count - 1)
  }

  /** Removes all entries at or above `offset`. */
  truncateTo(offset: number): void {
    const relative = offset - this.baseOffset
    this.#entries.cut(
      this.#entries.countWhile((at) => this.#entries.view.getInt32(at + 8) < relative),
    )
  }

  /** True when the segment must roll. One slot of `maxBytes` stays in reserve, for the entry at the roll. */
  isFull(maxBytes: number): boolean {
    return this.entries >= Math.floor(maxBytes / TIME_INDEX_ENTRY_BYTES) - 1
  }

  /** What is wrong with the entries of a log that ends at `logEndOffset`, as a sentence; undefined when nothing is. */
  validate(logEndOffset: number): string | undefined {
    let last: TimestampOffset = { timestamp: -1, offset: this.baseOffset }
    for (let index = 0; index < this.entries; index++) {
      const entry = this.entryAt(index)
      if (entry.offset < last.offset || entry.timestamp <= last.timestamp) {
        return `Entry ${index} (${entry.timestamp}, ${entry.offset}) is not beyond (${last.timestamp}, ${last.offset})`
      }
      last = entry
    }
    if (last.offset < logEndOffset || this.entries === 0) return undefined
    return `Entry ${this.entries - 1} points at ${last.offset}, the log ends at ${logEndOffset}`
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
}
