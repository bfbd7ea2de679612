// The records section of a batch for records that have nothing rare: measured first, then written into its final place.
import type { Int64 } from '../bytes/int64.ts'

/** What of a record that is to be written (`NewRecord`) decides whether it has something rare. */
interface MaybePlain {
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: { readonly length: number }
  readonly body?: Uint8Array
  readonly timestamp: Int64
  readonly offsetDelta?: number
}

/**
 * The records behind `headerBytes` of room, in memory of their own; undefined when one has headers, an offset of its own, a
 * body from elsewhere, or a timestamp too far from the first for 32 bits.
 */
export function plainRecords(
  records: readonly MaybePlain[],
  headerBytes: number,
): Uint8Array<ArrayBuffer> | undefined {
  const first = records[0]?.timestamp
  let size = headerBytes
  for (let at = 0; at < records.length; at++) {
    const bodySize = plainSize(records[at] as MaybePlain, first, at)
    if (bodySize === 0) return undefined
    size += unsignedSize(bodySize << 1) + bodySize
  }
  const bytes = new Uint8Array(size)
  let position = headerBytes
  for (let at = 0; at < records.length; at++) {
    const record = records[at] as MaybePlain
    position = putUnsigned(bytes, position, plainSize(record, first, at) << 1)
    // Attributes, of which records have none.
    position = putSigned(bytes, position + 1, Number(record.timestamp) - Number(first))
    position = putSigned(bytes, position, at)
    position = putField(bytes, position, record.key)
    // No headers: a count of 0, which is there already.
    position = putField(bytes, position, record.value) + 1
  }
  return bytes
}

/** The bytes behind a record's length; 0 when it has something rare. */
function plainSize(record: MaybePlain, first: Int64 | undefined, index: number): number {
  const { timestamp } = record
  if (typeof timestamp !== 'number' || typeof first !== 'number') return 0
  const delta = timestamp - first
  if (delta !== (delta | 0) || record.body || record.offsetDelta !== undefined) return 0
  if (record.headers !== undefined && record.headers.length > 0) return 0
  const places = unsignedSize(zigzag(delta)) + unsignedSize(index << 1)
  return 1 + places + fieldSize(record.key) + fieldSize(record.value) + 1
}

function fieldSize(bytes: Uint8Array | null | undefined): number {
  return bytes ? unsignedSize(bytes.length << 1) + bytes.length : 1
}

function putField(bytes: Uint8Array, at: number, field: Uint8Array | null | undefined): number {
  if (!field) return putSigned(bytes, at, -1)
  const start = putUnsigned(bytes, at, field.length << 1)
  bytes.set(field, start)
  return start + field.length
}

function putSigned(bytes: Uint8Array, at: number, value: number): number {
  return putUnsigned(bytes, at, zigzag(value))
}

function putUnsigned(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest >>> 0 > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31)
}

function unsignedSize(value: number): number {
  const bits = value >>> 0
  if (bits < 0x80) return 1
  if (bits < 0x4000) return 2
  if (bits < 0x20_0000) return 3
  return bits < 0x1000_0000 ? 4 : 5
}
