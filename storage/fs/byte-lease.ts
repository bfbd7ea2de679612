// Bytes that are lent: views of a map, or of a pooled buffer.

/**
 * Lent bytes. They hold still until `release`; a socket that has not drained may still read them, so release after its
 * write callback, not after the write. Copy what must live longer.
 */
export interface ByteLease {
  /** Empty after `release`. */
  readonly bytes: Uint8Array
  /** Gives the bytes back. Again is allowed. */
  release(): void
}

/** A lease that calls `onRelease` once. */
export function leaseOf(bytes: Uint8Array, onRelease: () => void): ByteLease {
  let lent: Uint8Array | undefined = bytes
  return {
    get bytes() {
      return lent ?? EMPTY
    },
    release() {
      if (lent === undefined) return
      lent = undefined
      onRelease()
    },
  }
}

const EMPTY = new Uint8Array(0)
