// Integers at a position of a byte array. A DataView for a few fields costs more than reading them: hot paths use these.
import { type Int64, readInt64, writeInt64 } from './int64.ts'

const TWO_32 = 4_294_967_296

/** The int32 at `at`, which must lie inside. */
export function int32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}

/** The int16 at `at`, which must lie inside. */
export function int16At(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) >> 16) | (bytes[at + 1] as number)
}

/** The int64 at `at`, which must lie inside. */
export function int64At(bytes: Uint8Array, at: number): Int64 {
  const high = int32At(bytes, at)
  // Within these bounds high * 2^32 + low is a safe integer.
  if (high >= -2_097_151 && high <= 2_097_151) {
    return high * TWO_32 + (int32At(bytes, at + 4) >>> 0)
  }
  return readInt64(viewOf(bytes), at)
}

/** Writes an int16; a value outside its range wraps. */
export function setInt16At(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

/** Writes an int32; a value outside its range wraps. */
export function setInt32At(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

/** Writes an int64. */
export function setInt64At(bytes: Uint8Array, at: number, value: Int64): void {
  if (typeof value === 'bigint') {
    writeInt64(viewOf(bytes), at, value)
    return
  }
  const isUint32 = value >= 0 && value < TWO_32
  setInt32At(bytes, at, isUint32 ? 0 : Math.floor(value / TWO_32))
  setInt32At(bytes, at + 4, value)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
