// Joins what a codec unpacked in parts.
import { freeBuffer } from '../../bytes/free-buffer.ts'

/** All parts in one. A single part is returned as it is. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1 && first.length > 0) return first
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let position = 0
  for (const part of parts) {
    // On Bun a library's empty part can't even be looked at.
    if (part.length === 0) continue
    whole.set(part, position)
    position += part.length
  }
  return whole
}

/** All parts in memory of their own, not much more than they need. That of the parts is freed, unless they are views of `source`. */
export function joinUnpacked(parts: readonly Uint8Array[], source: Uint8Array): Uint8Array {
  const whole = concatenate(parts)
  if (parts.length === 1) {
    const isOwn = whole.buffer !== source.buffer && whole.buffer.byteLength <= 2 * whole.length
    return isOwn ? whole : new Uint8Array(whole)
  }
  for (const part of parts) if (part.buffer !== source.buffer) freeBuffer(part)
  return whole
}
