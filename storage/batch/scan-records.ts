// One tight pass over the records of a batch as nearly all producers write it: what a leader has to know before it appends.
//
// It allocates nothing and calls nothing but for varints of several bytes. Whatever is unusual, wrong included, it leaves to
// `RecordCursor`, which names what is at fault: the two agree on everything that the pass accepts.

/** What the last accepted pass has found. One object for all: read it before the next pass. */
export interface ScannedRecords {
  /** The smallest and the largest timestamp delta. */
  readonly minTimestampDelta: number
  readonly maxTimestampDelta: number
  /** Whether every record has a key. */
  readonly haveKeys: boolean
}

const found = { minTimestampDelta: 0, maxTimestampDelta: 0, haveKeys: true }

/** The zigzag form of -1: a null key or value. */
const NULL_SIZE = 1
/** Beyond every array. Adding sizes to it leads further on, never back. */
const NOWHERE = 0x4000_0000
const TOO_LONG = 0x7fff_fff8

/**
 * Walks `count` uncompressed records, at least one, that fill `bytes[start, end)`. Gives undefined unless each of them
 * is exactly as long as it says, their offset deltas are 0, 1, 2, …, and none has a varint of more than four bytes or
 * a negative size other than -1.
 */
export function scanRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): ScannedRecords | undefined {
  let at = start
  let minDelta = 0x7fff_ffff
  let maxDelta = -0x8000_0000
  let haveKeys = true
  // Reads may run past `end`, even past the array, where they give undefined: no record that did so ends where it should.
  for (let index = 0; index < count; index++) {
    let value = bytes[at++] as number
    if (value > 0x7f) {
      const long = longVarint(bytes, at - 1)
      value = long >>> 3
      at += (long & 7) - 1
    }
    const recordEnd = at + (value >>> 1)
    if ((value & 1) === 1 || recordEnd > end) return undefined
    at++
    value = bytes[at++] as number
    if (value > 0x7f) {
      const long = longVarint(bytes, at - 1)
      if (long === TOO_LONG) return undefined
      value = long >>> 3
      at += (long & 7) - 1
    }
    const delta = (value >>> 1) ^ -(value & 1)
    if (delta < minDelta) minDelta = delta
    if (delta > maxDelta) maxDelta = delta
    value = bytes[at++] as number
    if (value > 0x7f) {
      const long = longVarint(bytes, at - 1)
      value = long >>> 3
      at += (long & 7) - 1
    }
    if (value !== index << 1) return undefined
    if (bytes[at] === NULL_SIZE) {
      haveKeys = false
      at++
    } else at = afterSized(bytes, at)
    // Most values need two bytes for their size.
    const low = bytes[at] as number
    const high = bytes[at + 1] as number
    if (low > 0x7f && high < 0x80 && (low & 1) === 0) at += 2 + ((high << 6) | ((low & 0x7f) >> 1))
    else at = afterSized(bytes, at)
    // No headers, mostly.
    if (bytes[at] === 0) at++
    else at = afterHeaders(bytes, at, recordEnd)
    if (at !== recordEnd) return undefined
  }
  if (at !== end) return undefined
  found.minTimestampDelta = minDelta
  found.maxTimestampDelta = maxDelta
  found.haveKeys = haveKeys
  return found
}

/** Behind a size and as many bytes; a position where no record ends when the size is one for the cursor. */
function afterSized(bytes: Uint8Array, at: number): number {
  const long = longVarint(bytes, at)
  const size = long >>> 3
  const next = at + (long & 7)
  // -1 in more bytes than it needs is for the cursor too: a key may be null that nobody saw to be.
  if (size === NULL_SIZE && next === at + 1) return next
  return (size & 1) === 1 ? NOWHERE : next + (size >>> 1)
}

function afterHeaders(bytes: Uint8Array, start: number, end: number): number {
  const long = longVarint(bytes, start)
  const count = long >>> 3
  let at = start + (long & 7)
  if ((count & 1) === 1) return NOWHERE
  for (let left = count >>> 1; left > 0; left--) {
    // A name can't be null.
    if (at >= end || bytes[at] === NULL_SIZE) return NOWHERE
    at = afterSized(bytes, afterSized(bytes, at))
  }
  return at
}

/** A varint of up to four bytes: its value times eight, plus how many bytes it has. TOO_LONG for others; as a size it is odd. */
function longVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return (first << 3) | 1
  const second = bytes[at + 1] as number
  if (second < 0x80) return (((first & 0x7f) | (second << 7)) << 3) | 2
  const third = bytes[at + 2] as number
  if (third < 0x80) return (((first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)) << 3) | 3
  const fourth = bytes[at + 3] as number
  if (!(fourth < 0x80)) return TOO_LONG
  const low = (first & 0x7f) | ((second & 0x7f) << 7)
  return ((low | ((third & 0x7f) << 14) | (fourth << 21)) << 3) | 4
}
