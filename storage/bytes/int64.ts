// Int64 values that may lie outside ±2^53: timestamps and producer ids (RULES 20).

/**
 * A 64-bit integer, unharmed: a `number` where that is exact, a `bigint` only outside ±(2^53 - 1). The form is
 * canonical, so `===`, `<` and Map keys work on it; arithmetic needs the helpers here, and the compiler insists on them.
 */
export type Int64 = number | bigint

const TWO_32 = 4_294_967_296

/** The int64 at `position`, big-endian. */
export function readInt64(view: DataView, position: number): Int64 {
  const high = view.getInt32(position)
  // Within these bounds high * 2^32 + low is a safe integer.
  if (high >= -2_097_151 && high <= 2_097_151) return high * TWO_32 + view.getUint32(position + 4)
  return canonicalInt64(view.getBigInt64(position))
}

/** Writes an int64 at `position`, big-endian. */
export function writeInt64(view: DataView, position: number, value: Int64): void {
  if (typeof value === 'bigint') {
    view.setBigInt64(position, value)
    return
  }
  view.setInt32(position, Math.floor(value / TWO_32))
  view.setUint32(position + 4, value >>> 0)
}

/** The one form that a value has as Int64. */
export function canonicalInt64(value: bigint): Int64 {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** `left + right`, wrapped to 64 bits as Java does. */
export function addInt64(left: Int64, right: Int64): Int64 {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return canonicalInt64(BigInt.asIntN(64, BigInt(left) + BigInt(right)))
}

/** `left - right`, wrapped to 64 bits as Java does. */
export function subtractInt64(left: Int64, right: Int64): Int64 {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right
    if (Number.isSafeInteger(difference)) return difference
  }
  return canonicalInt64(BigInt.asIntN(64, BigInt(left) - BigInt(right)))
}

/** The larger of the two. */
export function maxInt64(left: Int64, right: Int64): Int64 {
  return left >= right ? left : right
}
