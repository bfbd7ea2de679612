// The bytes of an index file in memory: whole entries, appended to, cut, and written out lazily.

const SMALLEST_CAPACITY_ENTRIES = 16

/**
 * A growable run of entries of one size, byte for byte as the file holds them. It remembers how many of its bytes the
 * file has, so that a segment writes only what is new. The three indexes are made of it.
 */
export class IndexEntries {
  readonly entryBytes: number
  /** A view on all capacity; valid until the next `add`. */
  view: DataView
  #bytes: Uint8Array
  #count: number
  #written: number

  /** Takes the first `count` entries of `bytes`, the file's content. It keeps `bytes` if there is nothing else in it. */
  constructor(entryBytes: number, bytes: Uint8Array = new Uint8Array(0), count = 0) {
    this.entryBytes = entryBytes
    const size = count * entryBytes
    this.#bytes = size === bytes.length ? bytes : bytes.slice(0, size)
    this.view = viewOf(this.#bytes)
    this.#count = count
    this.#written = this.#bytes.length
  }

  get count(): number {
    return this.#count
  }

  get sizeInBytes(): number {
    return this.#count * this.entryBytes
  }

  /** Makes room for one more entry, counts it, and returns its position; the caller fills it in through `view`. */
  add(): number {
    const position = this.sizeInBytes
    if (position + this.entryBytes > this.#bytes.length) this.#grow()
    this.#count++
    return position
  }

  /** Forgets all entries from number `count` on. */
  cut(count: number): void {
    if (count >= this.#count) return
    this.#count = count
    this.#written = Math.min(this.#written, this.sizeInBytes)
  }

  /** The number of leading entries for which `isBefore` holds; it must hold for a prefix only. */
  countWhile(isBefore: (position: number) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(middle * this.entryBytes)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** All entries as the file holds them: a view, valid until the next change. */
  toBytes(): Uint8Array {
    return this.#bytes.subarray(0, this.sizeInBytes)
  }

  /** What the file lacks, and where it goes: a view, valid until the next change. */
  unwritten(): UnwrittenBytes {
    return {
      bytes: this.#bytes.subarray(this.#written, this.sizeInBytes),
      position: this.#written,
    }
  }

  /** Tells that the file now holds everything (`true`), or nothing any more (`false`: it is written anew). */
  markWritten(isWritten = true): void {
    this.#written = isWritten ? this.sizeInBytes : 0
  }

  #grow(): void {
    const capacity = Math.max(SMALLEST_CAPACITY_ENTRIES, this.#count * 2) * this.entryBytes
    const grown = new Uint8Array(capacity)
    grown.set(this.toBytes())
    this.#bytes = grown
    this.view = viewOf(grown)
  }
}

/** Bytes that a file lacks, and the position at which they belong. */
export interface UnwrittenBytes {
  readonly bytes: Uint8Array
  readonly position: number
}

/**
 * How many entries a file holds that may be pre-sized: Kafka fills an active index with zeros up to its full size and
 * leaves them behind in a crash, so zero entries at the end do not count, nor does a ragged last one.
 */
export function countEntries(bytes: Uint8Array, entryBytes: number): number {
  let end = bytes.length - (bytes.length % entryBytes)
  while (end > 0 && bytes[end - 1] === 0) end--
  return Math.ceil(end / entryBytes)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
