// Batches around record bytes that nobody would write.
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { BATCH_HEADER_BYTES, FIELD, RecordBatch } from '#storage/batch/record-batch.ts'

/** A batch of these record bytes, which may be anything; a text holds them in hexadecimal. Its CRC is wrong. */
export function batchOf(records: Uint8Array | string, recordCount: number): RecordBatch {
  const section =
    typeof records === 'string' ? Buffer.from(records.replaceAll(' ', ''), 'hex') : records
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + section.length)
  bytes.set(buildBatch([]))
  bytes.set(section, BATCH_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt32(FIELD.batchLength, bytes.length - 12)
  view.setInt32(FIELD.recordCount, recordCount)
  return new RecordBatch(bytes)
}
