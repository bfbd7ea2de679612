// CRC-32C (Castagnoli), the checksum of record batches and producer snapshots.
import { loadNativeModule } from '../base/native-module.ts'

/**
 * From this size on the native code is taken. Calling into it costs as much as our own loop needs for 300 to 550 bytes,
 * depending on the runtime; beyond that it is several times faster.
 */
const NATIVE_FROM_BYTES = 400

const POLYNOMIAL = 0x82f63b78
const tables = makeTables()

type Crc32c = (bytes: Uint8Array, previous: number) => number
let native: Crc32c | undefined

/**
 * The checksum of `bytes[start, end)`, as uint32. `previous` continues one: the checksum of what comes before `start`,
 * so `crc32c(b, 0, 9, crc32c(a))` is that of `a` followed by nine bytes of `b`.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, previous = 0): number {
  if (end - start < NATIVE_FROM_BYTES) return portableCrc32c(bytes, start, end, previous)
  native ??= loadNativeModule<{ crc32c: Crc32c }>('@node-rs/crc32')?.crc32c ?? viewless
  return native(bytes.subarray(start, end), previous)
}

/** The same in TypeScript alone, eight bytes at a step. For short ranges, and where there is no native code. */
export function portableCrc32c(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  previous = 0,
): number {
  let crc = ~previous
  let at = start
  // The casts spare a check per byte: every index is below `end`, or masked to 8 bits.
  for (const last = end - 8; at <= last; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (tables[1792 + (crc & 0xff)] as number) ^
      (tables[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (tables[1024 + (crc >>> 24)] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number)
  }
  for (; at < end; at++) {
    crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[at] as number)) & 0xff] as number)
  }
  return ~crc >>> 0
}

function viewless(bytes: Uint8Array, previous: number): number {
  return portableCrc32c(bytes, 0, bytes.length, previous)
}

/** Eight tables of 256: table n holds the checksum of a byte that is followed by n zero bytes. */
function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at++) {
    const shorter = made[at - 256] ?? 0
    made[at] = (shorter >>> 8) ^ (made[shorter & 0xff] ?? 0)
  }
  return made
}
