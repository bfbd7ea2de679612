// LZ4 frames. Written exactly as Kafka's Java client frames them, which is also what it can read: blocks of up to 64 KiB that
// do not depend on each other, no content size, no checksums (the batch has its own).
//
// 0  4  04 22 4d 18
// 4  1  FLG 0x60: version 1, independent blocks
// 5  1  BD 0x40: blocks of 64 KiB
// 6  1  0x82: second byte of xxh32 over FLG and BD
// 7     blocks: int32 little-endian size (high bit: stored as it is), then the block
//       00000000
import { KafkaError } from '../../base/errors.ts'
import { loadNativeModule } from '../../base/native-module.ts'
import { concatenate, joinUnpacked } from './concatenate.ts'
import { BLOCKS_AT_ONCE, type Unpacker } from './unpacking.ts'

const MAGIC = 0x184d2204
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const END_MARK = new Uint8Array(4)
const BLOCK_BYTES = 65_536
const STORED_BIT = 0x8000_0000
/** A byte of a match's length stands for 255 bytes of the match. */
const MAX_EXPANSION = 255
/** How far back a dependent block may refer. */
const WINDOW_BYTES = 65_536

interface Lz4Module {
  /** Answers with the unpacked size, int32 little-endian, and the block. */
  compressSync(bytes: Uint8Array): Uint8Array
  /** Takes the same; the size is a limit. */
  uncompressSync(bytes: Uint8Array, dictionary?: Uint8Array): Uint8Array
  uncompress(bytes: Uint8Array, dictionary?: Uint8Array): Promise<Uint8Array>
}
let loaded: Lz4Module | undefined

/** Packs `bytes` as one frame. */
export function lz4(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES)
    const packed = library().compressSync(block).subarray(4)
    const isStored = packed.length >= block.length
    const size = new Uint8Array(4)
    const field = isStored ? block.length + STORED_BIT : packed.length
    new DataView(size.buffer).setUint32(0, field, true)
    parts.push(size, isStored ? block : packed)
  }
  parts.push(END_MARK)
  return concatenate(parts)
}

interface PackedBlock {
  /** With its size limit in front. */
  readonly bytes: Uint8Array
  /** What it may refer to. */
  readonly window: Uint8Array | undefined
}

/**
 * One frame with blocks of any kind. Checksums are skipped, since the batch's own covers the same bytes. Throws
 * CORRUPT_MESSAGE, also for more than `maxBytes` and for bytes behind the frame, or the library's errors.
 */
export const LZ4: Unpacker<PackedBlock> = {
  parts: unpackBlocks,
  now({ bytes, window }) {
    return window === undefined
      ? library().uncompressSync(bytes)
      : library().uncompressSync(bytes, window)
  },
  later({ bytes, window }) {
    return window === undefined ? library().uncompress(bytes) : library().uncompress(bytes, window)
  },
}

function* unpackBlocks(
  bytes: Uint8Array,
  maxBytes: number,
): Generator<PackedBlock, Uint8Array, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const frame = frameHeader(view)
  const parts: Uint8Array[] = []
  const window = frame.isIndependent ? undefined : new Window()
  let left = maxBytes
  let position = frame.size
  for (;;) {
    if (position + 4 > bytes.length) throw cut(position + 4, bytes.length)
    const field = view.getUint32(position, true)
    position += 4
    if (field === 0) break
    const isStored = field >= STORED_BIT
    const size = isStored ? field - STORED_BIT : field
    const end = position + size
    if (size > frame.blockBytes || end > bytes.length) throw cut(end, bytes.length)
    const block = bytes.subarray(position, end)
    // The library takes that much memory, whatever the block holds.
    const limit = Math.min(largestBlock(size, frame), left)
    const part = isStored ? block : yield { bytes: limited(block, limit), window: window?.bytes }
    window?.push(part)
    left -= part.length
    if (left < 0) throw corrupt(`An lz4 frame unpacks to more than ${maxBytes} bytes`)
    parts.push(part)
    position = end + (frame.hasBlockChecksums ? 4 : 0)
  }
  position += frame.hasContentChecksum ? 4 : 0
  if (position !== bytes.length) {
    throw corrupt(`An lz4 frame ends at ${position} of ${bytes.length} bytes`)
  }
  // Stored blocks are views of the batch.
  return joinUnpacked(parts, bytes)
}

/** Whether `bytes` may unpack to more than `limit` before they are refused, told from their blocks; or have too many of those. */
export function mayLz4Exceed(limit: number, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let size = 0
  try {
    const frame = frameHeader(view)
    let position = frame.size
    for (let blocks = 0; blocks <= BLOCKS_AT_ONCE && size <= limit; blocks++) {
      const field = view.getUint32(position, true)
      if (field === 0) return false
      const isStored = field >= STORED_BIT
      const packed = isStored ? field - STORED_BIT : field
      size += isStored ? packed : largestBlock(packed, frame)
      position += 4 + packed + (frame.hasBlockChecksums ? 4 : 0)
    }
  } catch {
    // The frame is cut, or none: no more is unpacked than what stands in front of that.
    return false
  }
  return true
}

/** The most that a block of so many bytes may unpack to. */
function largestBlock(packed: number, { blockBytes }: FrameHeader): number {
  return Math.min(blockBytes, packed * MAX_EXPANSION)
}

interface FrameHeader {
  readonly size: number
  readonly blockBytes: number
  readonly isIndependent: boolean
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
}

function frameHeader(view: DataView): FrameHeader {
  if (view.byteLength < HEADER.length) throw cut(HEADER.length, view.byteLength)
  const magic = view.getUint32(0, true)
  if (magic !== MAGIC) throw corrupt(`${magic} begins no lz4 frame`)
  const flags = view.getUint8(4)
  if (flags >> 6 !== 1) throw corrupt(`An lz4 frame has version ${flags >> 6}`)
  const blockCode = (view.getUint8(5) >> 4) & 7
  if (blockCode < 4) throw corrupt(`An lz4 frame has block size code ${blockCode}`)
  const hasContentSize = (flags & 0x08) !== 0
  const hasDictionary = (flags & 0x01) !== 0
  if (hasDictionary) throw corrupt('An lz4 frame needs a dictionary')
  return {
    size: HEADER.length + (hasContentSize ? 8 : 0),
    blockBytes: 2 ** (8 + 2 * blockCode),
    isIndependent: (flags & 0x20) !== 0,
    hasBlockChecksums: (flags & 0x10) !== 0,
    hasContentChecksum: (flags & 0x04) !== 0,
  }
}

/** As the library takes it: with what it may unpack to in front. */
function limited(block: Uint8Array, limit: number): Uint8Array {
  const sized = new Uint8Array(4 + block.length)
  new DataView(sized.buffer).setUint32(0, limit, true)
  sized.set(block, 4)
  return sized
}

/** The last 64 KiB that were unpacked. Blocks may be as small as a byte: each costs no more than its size. */
class Window {
  readonly #buffer = new Uint8Array(2 * WINDOW_BYTES)
  #size = 0

  /** Undefined at the start. Valid until the next `push`. */
  get bytes(): Uint8Array | undefined {
    if (this.#size === 0) return undefined
    return this.#buffer.subarray(Math.max(0, this.#size - WINDOW_BYTES), this.#size)
  }

  push(part: Uint8Array): void {
    const last = part.subarray(-WINDOW_BYTES)
    if (this.#size + last.length > this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#size - WINDOW_BYTES, this.#size)
      this.#size = WINDOW_BYTES
    }
    this.#buffer.set(last, this.#size)
    this.#size += last.length
  }
}

function library(): Lz4Module {
  loaded ??= loadNativeModule<Lz4Module>('lz4-napi')
  if (loaded !== undefined) return loaded
  const detail = 'The lz4-napi package has no build for this platform'
  throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', detail)
}

function cut(wanted: number, length: number): KafkaError {
  return corrupt(`An lz4 frame needs ${wanted} bytes, ${length} are there`)
}

function corrupt(detail: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', detail)
}
