// Giving memory back at once instead of when the garbage collector finds it.

/**
 * Frees the memory behind `bytes`, which must be all of its buffer: every view of it has no bytes from then on. False, and
 * nothing done, where the buffer is larger (it may be a pool's) or the runtime does not let it go.
 */
export function freeBuffer(bytes: Uint8Array): boolean {
  const buffer = bytes.buffer as ArrayBuffer
  if (bytes.byteLength !== buffer.byteLength) return false
  try {
    // A buffer of no bytes takes its place; the contents go with the old one.
    buffer.transfer(0)
    return true
  } catch {
    // Node before 22 has no transfer(); a pool's buffer may be marked as one that stays.
    return false
  }
}
