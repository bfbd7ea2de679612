// What a produce request may carry for one partition, told from the batch's header alone.
import { KafkaError } from '#storage/base/errors.ts'
import {
  type Codec,
  decompressInBackground,
  isLarge,
} from '#storage/batch/compression/compression.ts'
import {
  BATCH_HEADER_BYTES,
  COMPRESSIONS,
  FIELD,
  LOG_OVERHEAD_BYTES,
} from '#storage/batch/record-batch.ts'
import type { UnpackedRecords } from '#storage/batch/validate.ts'
import { int32At } from '#storage/bytes/big-endian.ts'

const SMALLEST_BATCH_BYTES = 14
const CODEC_MASK = 0x07
const ZSTD = 4
const TRANSACTIONAL_BIT = 0x10

/** Whether `records` begin with a batch that belongs to a transaction. Whether it is a sound one is not looked at. */
export function isTransactionalBatch(records: Uint8Array): boolean {
  if (records[FIELD.magic] !== 2) return false
  return ((records[FIELD.attributes + 1] ?? 0) & TRANSACTIONAL_BIT) !== 0
}

/** The codec of the batch that `records` begin with when it is too large to be unpacked at once; undefined for all others. */
export function largeCodecOf(records: Uint8Array | null): Codec | undefined {
  if (records === null || records[FIELD.magic] !== 2) return undefined
  const codec = COMPRESSIONS[(records[FIELD.attributes + 1] ?? 0) & CODEC_MASK]
  if (codec === undefined || codec === 'none') return undefined
  // What stands behind the batch is not unpacked, and says nothing of what is.
  const packed = records.subarray(BATCH_HEADER_BYTES, firstBatchSize(records))
  return isLarge(codec, packed) ? codec : undefined
}

/** The size of the batch that `records` begin with; no less than 0 and no more than there is, where it is refused anyway. */
export function firstBatchSize(records: Uint8Array): number {
  if (records.length < BATCH_HEADER_BYTES) return records.length
  const size = int32At(records, FIELD.batchLength) + LOG_OVERHEAD_BYTES
  return Math.max(0, Math.min(size, records.length))
}

/** A batch that was unpacked before its append, or why it could not be. */
export type UnpackedBatch = UnpackedRecords

/** What the records of such a batch unpack to, off this thread; or why they don't. */
export async function unpackProduced(
  records: Uint8Array,
  codec: Codec,
  maxDecompressedBytes: number,
): Promise<UnpackedBatch> {
  try {
    const packed = records.subarray(BATCH_HEADER_BYTES, firstBatchSize(records))
    return await decompressInBackground(codec, packed, maxDecompressedBytes)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

/**
 * Refuses what is not exactly one whole batch of format v2: INVALID_RECORD, CORRUPT_MESSAGE, and
 * UNSUPPORTED_COMPRESSION_TYPE for zstd where the client's version can't have meant it. The log checks the rest.
 */
export function checkProducedBatch(records: Uint8Array | null, allowsZstd: boolean): void {
  const size = records === null ? undefined : batchSize(records, 0)
  if (records === null || size === undefined || size > records.length) {
    throw invalid(`No whole record batch in ${records?.length ?? 'null'} bytes`)
  }
  const magic = records[FIELD.magic] ?? 0
  if (magic > 2) throw new KafkaError('CORRUPT_MESSAGE', `A batch has magic ${magic}`)
  if (magic < 2) throw invalid(`Batches of magic ${magic} are no longer written`)
  const codec = (records[FIELD.attributes + 1] ?? 0) & CODEC_MASK
  if (codec === ZSTD && !allowsZstd) {
    const detail = 'Produce requests below version 7 may not carry zstd'
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', detail)
  }
  const next = batchSize(records, size)
  if (next !== undefined && size + next <= records.length) {
    throw invalid('A produce request carries one batch for a partition, not several')
  }
}

/** The size of the batch at `position`; undefined when too few bytes are left to tell. */
function batchSize(records: Uint8Array, position: number): number | undefined {
  if (records.length - position <= FIELD.magic) return undefined
  const length = int32At(records, position + FIELD.batchLength)
  if (length >= SMALLEST_BATCH_BYTES) return length + LOG_OVERHEAD_BYTES
  throw new KafkaError('CORRUPT_MESSAGE', `A batch says that it has ${length} bytes`)
}

function invalid(detail: string): KafkaError {
  return new KafkaError('INVALID_RECORD', detail)
}
