// Opens the records of batches that may be large, without holding the loop.
import { decompressInBackground, isLarge } from './compression/compression.ts'
import { RecordCursor } from './record.ts'
import { BATCH_HEADER_BYTES, type RecordBatch } from './record-batch.ts'

/**
 * The records of a batch: a promise of them when they are unpacked off this thread. The batch's bytes must stay as they
 * are until then. Throws, or rejects, as `RecordCursor` does.
 */
export function openRecords(
  batch: RecordBatch,
  maxDecompressedBytes: number,
): RecordCursor | Promise<RecordCursor> {
  const { compression, bytes } = batch
  const packed = bytes.subarray(BATCH_HEADER_BYTES)
  if (compression === 'none' || !isLarge(compression, packed)) {
    return new RecordCursor(batch, maxDecompressedBytes)
  }
  return decompressInBackground(compression, packed, maxDecompressedBytes).then((unpacked) => {
    return new RecordCursor(batch, maxDecompressedBytes, unpacked)
  })
}
