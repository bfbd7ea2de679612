// The newest offset of every key in the dirty part of a log, in bounded memory.
import type { KeyHash } from './key-hash.ts'

/** What one key takes: 16 bytes of hash and 8 of offset, as in Kafka. */
export const SLOT_BYTES = 24

const SLOT_WORDS = SLOT_BYTES / 4
const TWO_32 = 4_294_967_296

/** How much a map may hold. */
export interface OffsetMapLimits {
  /** Half as much comes on top while it grows. */
  readonly maxBytes: number
  /** How full it may get: more than that, and looking for a free slot takes long. */
  readonly loadFactor: number
}

const FIRST_SLOTS = 4096
/** Slots between two pauses while the map grows. */
const SLICE_SLOTS = 4096

/**
 * A hash table in one ArrayBuffer (Kafka's `SkimpyOffsetMap`), with double hashing over a prime number of slots. A slot
 * holds the hash of a key and its offset plus 1, so that zero means "free". Nothing is ever removed. It begins small
 * and grows up to its limit: of most logs a few keys are written again and again.
 */
export class OffsetMap {
  /** Records beyond it are not in the map; -1 before the first. */
  latestOffset = -1
  readonly #hash: KeyHash
  readonly #loadFactor: number
  readonly #maxSlots: number
  #slots = 0
  #capacity = 0
  #words = new Uint32Array(0)
  #size = 0

  constructor(hash: KeyHash, { maxBytes, loadFactor }: OffsetMapLimits) {
    this.#hash = hash
    this.#loadFactor = loadFactor
    this.#maxSlots = primeAtMost(Math.max(3, Math.floor(maxBytes / SLOT_BYTES)))
    this.#allocate(Math.min(FIRST_SLOTS, this.#maxSlots))
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** True when a further key needs `grow` first. */
  get isFull(): boolean {
    return this.#size >= this.#capacity
  }

  get sizeInBytes(): number {
    return this.#words.byteLength
  }

  /** The newest offset of the key in `bytes[start, end)`; -1 when it has none. */
  get(bytes: Uint8Array, start = 0, end = bytes.length): number {
    this.#hash.update(bytes, start, end)
    const at = this.#slotOf(this.#hash.words, 0)
    return (this.#words[at + 4] as number) * TWO_32 + (this.#words[at + 5] as number) - 1
  }

  /** Takes note of a key's newest offset. The map must not be full. */
  put(offset: number, bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#hash.update(bytes, start, end)
    const at = this.#slotOf(this.#hash.words, 0)
    const words = this.#words
    if (words[at + 4] === 0 && words[at + 5] === 0) {
      words.set(this.#hash.words, at)
      this.#size++
    }
    words[at + 4] = Math.floor((offset + 1) / TWO_32)
    words[at + 5] = (offset + 1) >>> 0
  }

  /** Doubles the room; false at the limit. `breathe` lets others have their turn. Nothing may be put meanwhile. */
  async grow(breathe: () => Promise<void>): Promise<boolean> {
    if (this.#slots === this.#maxSlots) return false
    const old = this.#words
    this.#allocate(Math.min(this.#slots * 2, this.#maxSlots))
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      if (at % (SLICE_SLOTS * SLOT_WORDS) === 0) await breathe()
      if (old[at + 4] === 0 && old[at + 5] === 0) continue
      const slot = this.#slotOf(old, at)
      for (let word = 0; word < SLOT_WORDS; word++) {
        this.#words[slot + word] = old[at + word] as number
      }
    }
    return true
  }

  #allocate(atMostSlots: number): void {
    this.#slots = primeAtMost(atMostSlots)
    const wanted = Math.floor(this.#slots * this.#loadFactor)
    // A free slot must be left, or the search for one would not end.
    this.#capacity = Math.max(1, Math.min(this.#slots - 1, wanted))
    this.#words = new Uint32Array(this.#slots * SLOT_WORDS)
  }

  /** Where the slot of the key begins whose hash stands at `from` in `hash`: its own, or a free one. */
  #slotOf(hash: Uint32Array, from: number): number {
    const words = this.#words
    const h0 = hash[from] as number
    const h1 = hash[from + 1] as number
    const h2 = hash[from + 2] as number
    const h3 = hash[from + 3] as number
    const step = 1 + (h1 % (this.#slots - 1))
    for (let slot = h0 % this.#slots; ; slot = (slot + step) % this.#slots) {
      const at = slot * SLOT_WORDS
      if (words[at + 4] === 0 && words[at + 5] === 0) return at
      const isSame = words[at] === h0 && words[at + 1] === h1
      if (isSame && words[at + 2] === h2 && words[at + 3] === h3) return at
    }
  }
}

/** The largest prime up to `limit`, which is 3 at least: then every step leads through all slots. */
function primeAtMost(limit: number): number {
  for (let candidate = limit; ; candidate--) if (isPrime(candidate)) return candidate
}

function isPrime(candidate: number): boolean {
  for (let factor = 2; factor * factor <= candidate; factor++) {
    if (candidate % factor === 0) return false
  }
  return true
}
