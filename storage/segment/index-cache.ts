// The indexes of sealed segments that were used lately.
import type { SegmentIndexes } from './segment-indexes.ts'

const DEFAULT_MAX_BYTES = 64 * 1_048_576
/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 512

/**
 * Keeps loaded indexes, at most `maxBytes` of them, and drops those that were not used for longest. One is shared by
 * all logs of a process. Active segments keep their own indexes and do not count here.
 */
export class IndexCache {
  readonly #maxBytes: number
  readonly #entries = new Map<string, SegmentIndexes>()
  #sizeInBytes = 0

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** The bytes that are held now. */
  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  /** The indexes of the segment whose log file is at `path`; `load` is called when they are not here. */
  get(path: string, load: () => SegmentIndexes): SegmentIndexes {
    const known = this.#entries.get(path)
    if (known) {
      this.#entries.delete(path)
      this.#entries.set(path, known)
      return known
    }
    const loaded = load()
    this.#entries.set(path, loaded)
    this.#sizeInBytes += sizeOf(loaded)
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeInBytes <= this.#maxBytes || oldest === path) break
      this.delete(oldest)
    }
    return loaded
  }

  /** Forgets a segment's indexes. */
  delete(path: string): void {
    const known = this.#entries.get(path)
    if (!known) return
    this.#entries.delete(path)
    this.#sizeInBytes -= sizeOf(known)
  }
}

function sizeOf(indexes: SegmentIndexes): number {
  return indexes.sizeInBytes + OVERHEAD_BYTES
}
