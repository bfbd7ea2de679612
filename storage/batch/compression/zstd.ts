// zstd (RFC 8878), by the runtime's zlib. The frames are walked here first, because the runtimes disagree about what is cut
// short (Node throws, Bun returns nothing, Deno a part) and about several frames (Bun reads all, the others the first).
import { KafkaError } from '../../base/errors.ts'
import { loadZlib } from '../../base/late-modules.ts'
import { joinUnpacked } from './concatenate.ts'
import { BLOCKS_AT_ONCE, type Unpacker } from './unpacking.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3
const LARGEST_BLOCK_BYTES = 131_072
/** How much is asked for at a time: what zlib takes by itself, at least. */
const SMALLEST_CHUNK_BYTES = 16_384
const LARGEST_CHUNK_BYTES = 262_144
const EXPECTED_EXPANSION = 4

/** One zstd frame. Level as Kafka's `compression.zstd.level`. */
export function zstd(bytes: Uint8Array, level = 3): Uint8Array {
  const { constants, zstdCompressSync } = loadZlib()
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

interface Frame {
  readonly bytes: Uint8Array
  readonly options: { readonly maxOutputLength: number; readonly chunkSize: number }
}

/** All frames, one behind the other. Throws CORRUPT_MESSAGE, or zlib's errors, also for more than `maxBytes`. */
export const ZSTD: Unpacker<Frame> = {
  parts: unpackFrames,
  now: ({ bytes, options }) => loadZlib().zstdDecompressSync(bytes, options),
  later({ bytes, options }) {
    return new Promise((resolve, reject) => {
      loadZlib().zstdDecompress(bytes, options, (error, plain) => {
        if (error) reject(error)
        else resolve(plain)
      })
    })
  },
}

function* unpackFrames(
  bytes: Uint8Array,
  maxBytes: number,
): Generator<Frame, Uint8Array, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  let position = 0
  let left = maxBytes
  while (position < bytes.length) {
    const { end, isSkippable, blocks } = frameAt(view, position)
    if (end > bytes.length) throw cut(end, bytes.length)
    if (!isSkippable) {
      const options = {
        // A cap of 0 would mean none, so the last byte is left to the check below.
        maxOutputLength: Math.max(left, 1),
        chunkSize: chunkBytes(end - position, blocks),
      }
      const part = yield { bytes: bytes.subarray(position, end), options }
      left -= part.length
      if (left < 0) throw new KafkaError('CORRUPT_MESSAGE', `More than ${maxBytes} bytes of zstd`)
      parts.push(part)
    }
    position = end
  }
  return joinUnpacked(parts, bytes)
}

/** What a frame mostly unpacks to in one go. Node and Deno take that much memory. */
function chunkBytes(packed: number, blocks: number): number {
  const most = Math.min(blocks * LARGEST_BLOCK_BYTES, LARGEST_CHUNK_BYTES)
  return Math.min(most, Math.max(packed * EXPECTED_EXPANSION, SMALLEST_CHUNK_BYTES))
}

/** Whether `bytes` may unpack to more than `limit` before they are refused, told from their blocks; or have too many frames. */
export function mayZstdExceed(limit: number, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let size = 0
  try {
    let position = 0
    for (let frames = 0; frames <= BLOCKS_AT_ONCE && size <= limit; frames++) {
      if (position >= bytes.length) return false
      const { end, blocks } = frameAt(view, position)
      size += blocks * LARGEST_BLOCK_BYTES
      position = end
    }
  } catch {
    // A frame is cut, or none: no more is unpacked than what stands in front of that.
    return false
  }
  return true
}

/** Where the frame at `position` ends, and how many blocks it has. A frame is a header, blocks up to one with the last bit, and maybe a checksum. */
function frameAt(
  view: DataView,
  position: number,
): { end: number; isSkippable: boolean; blocks: number } {
  const length = view.byteLength
  if (position + 5 > length) throw cut(position + 5, length)
  const magic = view.getUint32(position, true)
  if ((magic & ~0xf) === SKIPPABLE_MAGIC) {
    if (position + 8 > length) throw cut(position + 8, length)
    const end = position + 8 + view.getUint32(position + 4, true)
    return { end, isSkippable: true, blocks: 0 }
  }
  if (magic !== FRAME_MAGIC) {
    throw new KafkaError('CORRUPT_MESSAGE', `${magic} at ${position} begins no zstd frame`)
  }
  const descriptor = view.getUint8(position + 4)
  const checksumBytes = descriptor & 0x04 ? 4 : 0
  let at = position + 5 + headerBytes(descriptor)
  for (let blocks = 1; ; blocks++) {
    if (at + 3 > length) throw cut(at + 3, length)
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const type = (block >> 1) & 3
    if (type === RESERVED_BLOCK) {
      throw new KafkaError('CORRUPT_MESSAGE', `The zstd block at ${at} has a reserved type`)
    }
    at += 3 + (type === RLE_BLOCK ? 1 : block >> 3)
    if (block & 1) return { end: at + checksumBytes, isSkippable: false, blocks }
  }
}

/** What follows the descriptor byte: window, dictionary id and content size, each there or not. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const windowBytes = isSingleSegment ? 0 : 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  return windowBytes + dictionaryBytes + contentSizeBytes
}

function cut(wanted: number, length: number): KafkaError {
  return new KafkaError(
    'CORRUPT_MESSAGE',
    `A zstd frame needs ${wanted} bytes, ${length} are there`,
  )
}
