// Packs and unpacks the records section of a batch. One file per codec beside this one.
import { KafkaError } from '../../base/errors.ts'
import type { Compression } from '../record-batch.ts'
import { GZIP, gzip, mayGzipExceed } from './gzip.ts'
import { LZ4, lz4, mayLz4Exceed } from './lz4.ts'
import { maySnappyExceed, SNAPPY, snappy } from './snappy.ts'
import { type Unpacker, unpackLater, unpackNow } from './unpacking.ts'
import { mayZstdExceed, ZSTD, zstd } from './zstd.ts'

/** What Kafka's own limit is at most, and what every runtime's zlib accepts as a limit. */
const LARGEST_LIMIT = 2_147_483_639
const PACKED_AT_ONCE = 65_536
const UNPACKED_AT_ONCE = 1_048_576

/** A codec that does something. */
export type Codec = Exclude<Compression, 'none'>

/**
 * Packs `bytes`. `level` is Kafka's for gzip (1-9, -1 for the default) and zstd; snappy has none, and lz4 is always packed
 * fast. Throws UNSUPPORTED_COMPRESSION_TYPE where the codec lacks a build for this platform.
 */
export function compress(codec: Codec, bytes: Uint8Array, level?: number): Uint8Array {
  switch (codec) {
    case 'gzip':
      return plain(gzip(bytes, level))
    case 'snappy':
      return snappy(bytes)
    case 'lz4':
      return lz4(bytes)
    case 'zstd':
      return plain(zstd(bytes, level))
  }
}

/**
 * Unpacks `bytes` into memory of its own. More than `maxBytes`, or anything that the codec cannot read, is refused with
 * CORRUPT_MESSAGE before it takes memory. Also throws UNSUPPORTED_COMPRESSION_TYPE, as `compress` does.
 */
export function decompress(codec: Codec, bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return plain(unpackNow(unpackerOf(codec), bytes, Math.min(maxBytes, LARGEST_LIMIT)))
  } catch (error) {
    throw unreadable(error, codec, bytes, maxBytes)
  }
}

/**
 * Whether unpacking `bytes` may hold the loop for long, as far as they show it: more than 1 MiB once unpacked, or hundreds of
 * blocks. What lz4 and snappy make of 64 KiB is bounded by that, and takes a few milliseconds at worst; gzip is slow, so that
 * more than 64 KiB of it always are.
 */
export function isLarge(codec: Codec, bytes: Uint8Array): boolean {
  const isShort = bytes.length <= PACKED_AT_ONCE
  const limit = isShort ? Infinity : UNPACKED_AT_ONCE
  switch (codec) {
    case 'gzip':
      return !isShort || mayGzipExceed(UNPACKED_AT_ONCE, bytes)
    case 'snappy':
      return maySnappyExceed(limit, bytes)
    case 'lz4':
      return mayLz4Exceed(limit, bytes)
    case 'zstd':
      return mayZstdExceed(UNPACKED_AT_ONCE, bytes)
  }
}

/** What `decompress` does, off this thread (RULES 6). `bytes` must stay as they are until it resolves. */
export async function decompressInBackground(
  codec: Codec,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    return plain(await unpackLater(unpackerOf(codec), bytes, Math.min(maxBytes, LARGEST_LIMIT)))
  } catch (error) {
    throw unreadable(error, codec, bytes, maxBytes)
  }
}

/** What a part is, is the unpacker's own affair. */
function unpackerOf(codec: Codec): Unpacker<unknown> {
  const unpackers = { gzip: GZIP, snappy: SNAPPY, lz4: LZ4, zstd: ZSTD }
  return unpackers[codec] as Unpacker<unknown>
}

function unreadable(error: unknown, codec: Codec, bytes: Uint8Array, maxBytes: number): KafkaError {
  if (error instanceof KafkaError) return error
  const what = isTooLarge(error) ? `unpacks to more than ${maxBytes} bytes` : 'cannot be unpacked'
  const detail = `A batch of ${bytes.length} ${codec} bytes ${what}`
  return new KafkaError('CORRUPT_MESSAGE', detail, { cause: error })
}

/** The libraries answer with Buffers, whose subarrays are Buffers again. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
