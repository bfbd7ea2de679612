// The `.index` file: from offsets to positions in the segment.
import { AssertionError } from '../base/errors.ts'
import { countEntries, IndexEntries, type UnwrittenBytes } from './index-entries.ts'

/** The size of one entry in bytes. */
export const OFFSET_INDEX_ENTRY_BYTES = 8

/** An offset, and the position of the batch that holds it. */
export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

/**
 * Sparse, ordered map from offset to file position for one segment (the `.index` file).
 * Entry: int32 offset relative to the base offset (the *last* of its batch), int32 position at which that batch starts.
 * Invariant: both columns strictly increase. There is no checksum: after a crash it is rebuilt from the log.
 */
export class OffsetIndex {
  readonly baseOffset: number
  readonly #entries: IndexEntries

  constructor(baseOffset: number, entries = new IndexEntries(OFFSET_INDEX_ENTRY_BYTES)) {
    this.baseOffset = baseOffset
    this.#entries = entries
  }

  /** Reads a file's content and keeps it; zeros behind the entries and a ragged end are left out. */
  static parse(baseOffset: number, bytes: Uint8Array): OffsetIndex {
    const count = countEntries(bytes, OFFSET_INDEX_ENTRY_BYTES)
    return new OffsetIndex(baseOffset, new IndexEntries(OFFSET_INDEX_ENTRY_BYTES, bytes, count))
  }

  /** The number of entries. */
  get entries(): number {
    return this.#entries.count
  }

  get sizeInBytes(): number {
    return this.#entries.sizeInBytes
  }

  /** The last entry; the start of the segment when there is none. */
  get lastEntry(): OffsetPosition {
    return this.entryAt(this.entries - 1)
  }

  get lastOffset(): number {
    return this.lastEntry.offset
  }

  /** Entry number `index`; the start of the segment for -1. */
  entryAt(index: number): OffsetPosition {
    if (index < 0) return { offset: this.baseOffset, position: 0 }
    const at = index * OFFSET_INDEX_ENTRY_BYTES
    return {
      offset: this.baseOffset + this.#entries.view.getInt32(at),
      position: this.#entries.view.getInt32(at + 4),
    }
  }

  /** Adds the last offset of the batch that starts at `position`. Both must lie beyond the last entry. */
  append({ offset, position }: OffsetPosition): void {
    const { view, count } = this.#entries
    const relative = offset - this.baseOffset
    const last = (count - 1) * OFFSET_INDEX_ENTRY_BYTES
    const isBeyond =
      count === 0 || (relative > view.getInt32(last) && position > view.getInt32(last + 4))
    // The sentences cost more than what they tell of: none is made in vain.
    if (!isBeyond) {
      const { offset: lastOffset, position: lastPosition } = this.lastEntry
      const beyond = `(${lastOffset}, ${lastPosition})`
      throw new AssertionError(`Index entry (${offset}, ${position}) must lie beyond ${beyond}`)
    }
    if (!(relative >= 0 && relative <= 2_147_483_647)) {
      throw new AssertionError(`Offset ${offset} must fit the segment`)
    }
    const at = this.#entries.add()
    this.#entries.view.setInt32(at, relative)
    this.#entries.view.setInt32(at + 4, position)
  }

  /** The last entry at or below `offset`; the start of the segment when there is none. */
  lookup(offset: number): OffsetPosition {
    const relative = offset - this.baseOffset
    const count = this.#entries.countWhile((at) => this.#entries.view.getInt32(at) <= relative)
    return this.entryAt(count - 1)
  }

  /** Removes all entries at or above `offset`. */
  truncateTo(offset: number): void {
    const relative = offset - this.baseOffset
    this.#entries.cut(this.#entries.countWhile((at) => this.#entries.view.getInt32(at) < relative))
  }

  /** True when a file of `maxBytes` has no room for another entry: the segment must roll. */
  isFull(maxBytes: number): boolean {
    return this.entries >= Math.floor(maxBytes / OFFSET_INDEX_ENTRY_BYTES)
  }

  /** What is wrong with the entries for a log file of `logBytes`, as a sentence; undefined when nothing is. */
  validate(logBytes: number): string | undefined {
    let last: OffsetPosition = { offset: this.baseOffset - 1, position: -1 }
    for (let index = 0; index < this.entries; index++) {
      const entry = this.entryAt(index)
      if (entry.offset <= last.offset || entry.position <= last.position) {
        return `Entry ${index} (${entry.offset}, ${entry.position}) is not beyond (${last.offset}, ${last.position})`
      }
      last = entry
    }
    if (last.position < logBytes || this.entries === 0) return undefined
    return `Entry ${this.entries - 1} points at ${last.position}, the log ends at ${logBytes}`
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
