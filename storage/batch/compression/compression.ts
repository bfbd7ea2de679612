// Packs and unpacks the records section of a batch. One file per codec beside this one.
import { KafkaError } from '../../base/errors.ts'
import type { Compression } from '../record-batch.ts'
import { gzip, ungzip } from './gzip.ts'
import { lz4, unlz4 } from './lz4.ts'
import { snappy, unsnappy } from './snappy.ts'
import { unzstd, zstd } from './zstd.ts'

/** What Kafka's own limit is at most, and what every runtime's zlib accepts as a limit. */
const LARGEST_LIMIT = 2_147_483_639

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
    return plain(unpack(codec, bytes, Math.min(maxBytes, LARGEST_LIMIT)))
  } catch (error) {
    if (error instanceof KafkaError) throw error
    const what = isTooLarge(error) ? `unpacks to more than ${maxBytes} bytes` : 'cannot be unpacked'
    throw new KafkaError('CORRUPT_MESSAGE', `A batch of ${bytes.length} ${codec} bytes ${what}`, {
      cause: error,
    })
  }
}

function unpack(codec: Codec, bytes: Uint8Array, maxBytes: number): Uint8Array {
  switch (codec) {
    case 'gzip':
      return ungzip(bytes, maxBytes)
    case 'snappy':
      return unsnappy(bytes, maxBytes)
    case 'lz4':
      return unlz4(bytes, maxBytes)
    case 'zstd':
      return unzstd(bytes, maxBytes)
  }
}

/** The libraries answer with Buffers, whose subarrays are Buffers again. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
