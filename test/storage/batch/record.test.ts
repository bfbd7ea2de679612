// Records of damaged batches: always a KafkaError, never anything else, never without end.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { RecordCursor, readRecords } from '#storage/batch/record.ts'
import {
  announcedSize,
  BATCH_HEADER_BYTES,
  COMPRESSIONS,
  FIELD,
  RecordBatch,
} from '#storage/batch/record-batch.ts'
import { batchOf } from './section.ts'

const corrupt = expect.objectContaining({ code: 'CORRUPT_MESSAGE' })

function recordsOf(compression: (typeof COMPRESSIONS)[number]): Uint8Array<ArrayBuffer> {
  const value = Buffer.from('to and fro, to and fro, to and fro, to and fro')
  const records = [
    { timestamp: 1000, key: Buffer.from('key'), value },
    { timestamp: 1001, headers: [{ key: 'one', value: null }] },
    { timestamp: 999, value, headers: [{ key: '', value: Buffer.from('two') }] },
  ]
  return buildBatch(records, { compression })
}

// 0c 00 00 00 01 01 00: length 6, attributes, time delta 0, offset delta 0, null key, null value, no headers.
test.each([
  { why: 'a record cut short', hex: '0c 00 00 00 01 01', count: 1 },
  { why: 'a length beyond the batch', hex: '7e 00 00 00 01 01 00', count: 1 },
  { why: 'a negative length', hex: '01 00 00 00 01 01 00', count: 1 },
  { why: 'a length one too long', hex: '0e 00 00 00 01 01 00 00', count: 1 },
  { why: 'a length one too short', hex: '0a 00 00 00 01 01 00', count: 1 },
  { why: 'a length that swallows the next', hex: '0e 000000010100 0c 000000010100', count: 2 },
  { why: 'a key beyond the record', hex: '0c 00 00 00 40 01 00', count: 1 },
  { why: 'a value beyond the record', hex: '0e 00 00 00 01 04 41 42 00', count: 1 },
  { why: 'a negative header count', hex: '0c 00 00 00 01 01 01', count: 1 },
  { why: 'more headers than bytes', hex: '0c 00 00 00 01 01 7e', count: 1 },
  { why: 'a header without a key', hex: '10 00 00 00 01 01 02 01 01', count: 1 },
  { why: 'a varint without end', hex: '0c 00 00 ff ff ff ff', count: 1 },
  { why: 'fewer records than counted', hex: '0c 00 00 00 01 01 00', count: 2 },
  { why: 'more records than counted', hex: '0c 00 00 00 01 01 00'.repeat(2), count: 1 },
  { why: 'bytes after the last record', hex: '0c 00 00 00 01 01 00 00', count: 1 },
  { why: 'records in an empty batch', hex: '0c 00 00 00 01 01 00', count: 0 },
  { why: 'a negative count', hex: '', count: -1 },
  { why: 'a huge count', hex: '', count: 2147483647 },
])('readRecords() refuses $why', ({ hex, count }) => {
  expect(() => [...readRecords(batchOf(hex, count))]).toThrow(corrupt)
})

test('readRecords() takes any negative size as null, as Kafka does', () => {
  const [record] = readRecords(batchOf('0c 00 00 00 03 05 00', 1))
  expect(record).toEqual({ offset: 0, timestamp: -1, key: null, value: null, headers: [] })
})

test('readRecords() is lazy: what stands before the damage can be read', () => {
  const reading = readRecords(batchOf('0c 00 00 00 01 01 00 ff', 2))
  expect(reading.next().value).toMatchObject({ offset: 0 })
  expect(() => reading.next()).toThrow(corrupt)
})

test('readRecords() yields views into an uncompressed batch', () => {
  const bytes = recordsOf('none')
  const [record] = readRecords(new RecordBatch(bytes))
  expect(record?.key?.buffer).toBe(bytes.buffer)
})

test('RecordCursor.rewind() starts over', () => {
  const cursor = new RecordCursor(new RecordBatch(recordsOf('zstd')))
  const deltas = () => {
    const found: unknown[] = []
    while (cursor.next()) found.push(cursor.timestampDelta)
    return found
  }
  expect(deltas()).toEqual([0, 1, -1])
  expect(deltas()).toEqual([])
  cursor.rewind()
  expect(deltas()).toEqual([0, 1, -1])
})

/** Reads whatever is still a batch. Only a KafkaError may come out. */
function readAny(bytes: Uint8Array): number {
  try {
    return [...readRecords(new RecordBatch(bytes), { maxDecompressedBytes: 100_000 })].length
  } catch (error) {
    expect(error, `on ${Buffer.from(bytes).toString('hex')}`).toBeInstanceOf(KafkaError)
    return -1
  }
}

test.each(COMPRESSIONS)('readRecords() of a %s batch cut at any byte is refused', (compression) => {
  const whole = recordsOf(compression)
  for (let size = BATCH_HEADER_BYTES; size < whole.length; size++) {
    const cut = whole.slice(0, size)
    new DataView(cut.buffer).setInt32(FIELD.batchLength, size - 12)
    expect(announcedSize(cut, 0)).toBe(size)
    expect(readAny(cut), `cut at ${size}`).toBe(-1)
  }
  expect(readAny(whole)).toBe(3)
})

test.each(COMPRESSIONS)('readRecords() of a %s batch survives any flipped bit', (compression) => {
  const bytes = recordsOf(compression)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const before = bytes[at] ?? 0
    bytes[at] = before ^ (1 << (bit & 7))
    readAny(bytes)
    bytes[at] = before
  }
  expect(readAny(bytes)).toBe(3)
})

test('readRecords() survives any records section under any codec', () => {
  const sections = fc.uint8Array({ maxLength: 80 })
  fc.assert(
    fc.property(sections, fc.nat(4), fc.integer(), (section, codec, count) => {
      const batch = batchOf(section, count)
      batch.bytes[FIELD.attributes + 1] = codec
      readAny(batch.bytes)
    }),
    { numRuns: 500 },
  )
})
