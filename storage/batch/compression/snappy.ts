// snappy, in the framing of snappy-java ("xerial") that Java clients use, or bare, as librdkafka and the Go clients send it.
//
//  0  8  82 53 4e 41 50 50 59 00
//  8  4  version 1
// 12  4  oldest version that can read it, 1
// 16     blocks: int32 size, then a raw snappy block of up to 32 KiB
import { KafkaError } from '../../base/errors.ts'
import { loadNativeModule } from '../../base/native-module.ts'
import { concatenate, joinUnpacked } from './concatenate.ts'
import { BLOCKS_AT_ONCE, type Unpacker } from './unpacking.ts'

const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const MAGIC_BYTES = 8
const BLOCK_BYTES = 32_768
/** A copy of 3 bytes yields 64 at most: what promises more than this times its size is no snappy. */
const MAX_EXPANSION = 22

interface SnappyModule {
  compressSync(bytes: Uint8Array): Uint8Array
  uncompressSync(bytes: Uint8Array, options: { asBuffer: true }): Uint8Array
  uncompress(bytes: Uint8Array, options: { asBuffer: true }): Promise<Uint8Array>
}
let loaded: SnappyModule | undefined

/** Packs `bytes` in xerial framing. */
export function snappy(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = library().compressSync(bytes.subarray(at, at + BLOCK_BYTES))
    const size = new Uint8Array(4)
    new DataView(size.buffer).setInt32(0, block.length)
    parts.push(size, block)
  }
  return concatenate(parts)
}

/** Both forms. A part is a block. Throws CORRUPT_MESSAGE, also for more than `maxBytes`, or the library's errors. */
export const SNAPPY: Unpacker<Uint8Array> = {
  parts: unpackBlocks,
  now: (block) => library().uncompressSync(block, { asBuffer: true }),
  later: (block) => library().uncompress(block, { asBuffer: true }),
}

function* unpackBlocks(
  bytes: Uint8Array,
  maxBytes: number,
): Generator<Uint8Array, Uint8Array, Uint8Array> {
  if (!hasHeader(bytes, 0)) return yield sound(bytes, maxBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  let left = maxBytes
  let position = 0
  while (position < bytes.length) {
    // Streams may stand one behind the other, each with its header.
    if (hasHeader(bytes, position)) {
      position += HEADER.length
      continue
    }
    if (position + 4 > bytes.length) throw corrupt(`A snappy block size at ${position} is cut`)
    const size = view.getInt32(position)
    const start = position + 4
    if (size < 0 || size > bytes.length - start) {
      throw corrupt(`A snappy block of ${size} bytes at ${start} exceeds ${bytes.length} bytes`)
    }
    const part = yield sound(bytes.subarray(start, start + size), left)
    left -= part.length
    parts.push(part)
    position = start + size
  }
  return joinUnpacked(parts, bytes)
}

/** The block, if it declares a size that is possible and allowed. */
function sound(block: Uint8Array, maxBytes: number): Uint8Array {
  const size = declaredSize(block)
  if (size > maxBytes || size > block.length * MAX_EXPANSION) {
    throw corrupt(
      `A snappy block of ${block.length} bytes declares ${size}, allowed are ${maxBytes}`,
    )
  }
  return block
}

/** Whether `bytes` may unpack to more than `limit` before they are refused, as their blocks say; or have too many of those. */
export function maySnappyExceed(limit: number, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let total = 0
  try {
    if (!hasHeader(bytes, 0)) return declaredSize(bytes) > limit
    let position = HEADER.length
    for (let blocks = 0; blocks <= BLOCKS_AT_ONCE && total <= limit; blocks++) {
      if (position >= bytes.length) return false
      if (hasHeader(bytes, position)) position += HEADER.length
      else {
        const start = position + 4
        position = start + view.getUint32(position)
        total += declaredSize(bytes.subarray(start, position))
      }
    }
  } catch {
    // A block is cut, or says no size: no more is unpacked than what stands in front of that.
    return false
  }
  return true
}

/** The unpacked size, a varint in front of the block. */
function declaredSize(block: Uint8Array): number {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return size
  }
  throw corrupt(`A snappy block of ${block.length} bytes declares no size`)
}

function hasHeader(bytes: Uint8Array, position: number): boolean {
  if (position + HEADER.length > bytes.length) return false
  for (let index = 0; index < MAGIC_BYTES; index++) {
    if (bytes[position + index] !== HEADER[index]) return false
  }
  return true
}

function library(): SnappyModule {
  loaded ??= loadNativeModule<SnappyModule>('snappy')
  if (loaded !== undefined) return loaded
  const detail = 'The snappy package has no build for this platform'
  throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', detail)
}

function corrupt(detail: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', detail)
}
