// Opens the records of batches that may be large, without holding the loop.
import { KafkaError } from '../base/errors.ts'
import { decompressInBackground } from './compression/compression.ts'
import { RecordCursor } from './record.ts'
import { BATCH_HEADER_BYTES, type RecordBatch } from './record-batch.ts'

/** What is not larger, packed and unpacked, is unpacked at once: a thread would take longer. */
const PACKED_AT_ONCE = 65_536
const UNPACKED_AT_ONCE = 1_048_576

/**
 * The records of a batch: a promise of them when they are unpacked off this thread. The batch's bytes must stay as they
 * are until then. Throws, or rejects, as `RecordCursor` does.
 */
export function openRecords(
  batch: RecordBatch,
  maxDecompressedBytes: number,
): RecordCursor | Promise<RecordCursor> {
  if (batch.compression === 'none') return new RecordCursor(batch)
  if (batch.sizeInBytes > PACKED_AT_ONCE) return openInBackground(batch, maxDecompressedBytes)
  const atOnce = Math.min(maxDecompressedBytes, UNPACKED_AT_ONCE)
  try {
    return new RecordCursor(batch, atOnce)
  } catch (error) {
    const isCorrupt = error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE'
    if (!isCorrupt || atOnce === maxDecompressedBytes) throw error
    // Perhaps it is only larger.
    return openInBackground(batch, maxDecompressedBytes)
  }
}

async function openInBackground(
  batch: RecordBatch,
  maxDecompressedBytes: number,
): Promise<RecordCursor> {
  const { compression, bytes } = batch
  if (compression === 'none') return new RecordCursor(batch)
  const packed = bytes.subarray(BATCH_HEADER_BYTES)
  const unpacked = await decompressInBackground(compression, packed, maxDecompressedBytes)
  return new RecordCursor(batch, maxDecompressedBytes, unpacked)
}
