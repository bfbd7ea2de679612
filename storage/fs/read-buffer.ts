// Buffers for positional reads, used again and again: a fresh one for every read costs two to four times the CPU.
import { type ByteLease, leaseOf } from './byte-lease.ts'

const SMALLEST_BYTES = 4096

/**
 * Lends buffers. Sizes are rounded up to powers of two; what comes back is kept up to `maxKeptBytes` in all, and left to
 * the garbage collector beyond that. There is no limit on what is lent: callers limit what they have in flight.
 */
export class ReadBufferPool {
  readonly #maxKeptBytes: number
  readonly #kept = new Map<number, Uint8Array[]>()
  #keptBytes = 0
  #lentBytes = 0

  constructor(maxKeptBytes = 16 * 1_048_576) {
    this.#maxKeptBytes = maxKeptBytes
  }

  /** `size` bytes with arbitrary content. */
  lease(size: number): ByteLease {
    let capacity = SMALLEST_BYTES
    while (capacity < size) capacity *= 2
    const buffer = this.#kept.get(capacity)?.pop()
    if (buffer !== undefined) this.#keptBytes -= capacity
    const whole = buffer ?? new Uint8Array(capacity)
    this.#lentBytes += capacity
    return leaseOf(whole.subarray(0, size), () => this.#takeBack(whole))
  }

  /** For metrics. */
  get stats(): { readonly keptBytes: number; readonly lentBytes: number } {
    return { keptBytes: this.#keptBytes, lentBytes: this.#lentBytes }
  }

  #takeBack(buffer: Uint8Array): void {
    this.#lentBytes -= buffer.length
    if (this.#keptBytes + buffer.length > this.#maxKeptBytes) return
    this.#keptBytes += buffer.length
    const sameSize = this.#kept.get(buffer.length) ?? []
    sameSize.push(buffer)
    this.#kept.set(buffer.length, sameSize)
  }
}
