// Which pages of a map were populated, a bit each.

const PAGE_BYTES = 4096

/** Pages of a file's first `size` bytes. Ranges count as the whole pages around them. */
export class PageSet {
  readonly #bits: Uint8Array

  constructor(size: number) {
    this.#bits = new Uint8Array(Math.ceil(size / PAGE_BYTES / 8))
  }

  /** Whether all pages of a range are in the set. */
  has(position: number, size: number): boolean {
    const last = Math.floor((position + size - 1) / PAGE_BYTES)
    for (let page = Math.floor(position / PAGE_BYTES); page <= last; page++) {
      if (((this.#bits[page >>> 3] ?? 0) & (1 << (page & 7))) === 0) return false
    }
    return true
  }

  add(position: number, size: number): void {
    const last = Math.floor((position + size - 1) / PAGE_BYTES)
    for (let page = Math.floor(position / PAGE_BYTES); page <= last; page++) {
      this.#bits[page >>> 3] = (this.#bits[page >>> 3] ?? 0) | (1 << (page & 7))
    }
  }

  clear(): void {
    this.#bits.fill(0)
  }
}
