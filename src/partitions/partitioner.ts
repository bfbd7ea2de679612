// Which partition a record goes to when the producer does not say: Java's default choice.

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/** Murmur2, 32 bits, as Kafka's Java clients compute it (`Utils.murmur2`): little-endian words, a signed result. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let hash = SEED ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(view.getInt32(at, true), MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  const left = length - at
  if (left >= 3) hash ^= view.getUint8(at + 2) << 16
  if (left >= 2) hash ^= view.getUint8(at + 1) << 8
  if (left >= 1) hash = Math.imul(hash ^ view.getUint8(at), MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition of a keyed record among `partitionCount`, as a Java producer chooses it (`BuiltInPartitioner`). */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}
