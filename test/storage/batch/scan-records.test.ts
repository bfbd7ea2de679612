// scanRecords() against RecordCursor: it may leave a batch to it, but never see another thing in it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildBatch, type NewRecord } from '#storage/batch/batch-builder.ts'
import { RecordCursor } from '#storage/batch/record.ts'
import { BATCH_HEADER_BYTES, RecordBatch } from '#storage/batch/record-batch.ts'
import { scanRecords } from '#storage/batch/scan-records.ts'
import { batchOf } from './section.ts'

const BASE = 1_700_000_000_000

/** What the cursor sees; undefined when it refuses, or when offsets are not consecutive. */
function walked(batch: RecordBatch) {
  const deltas: (number | bigint)[] = []
  let haveKeys = true
  try {
    const cursor = new RecordCursor(batch)
    for (let index = 0; cursor.next(); index++) {
      if (cursor.offsetDelta !== index) return undefined
      deltas.push(cursor.timestampDelta)
      haveKeys &&= cursor.hasKey
    }
  } catch {
    return undefined
  }
  const ascending = deltas.toSorted((a, b) => (a < b ? -1 : Number(a > b)))
  const [minTimestampDelta, maxTimestampDelta] = [ascending.at(0), ascending.at(-1)]
  return { minTimestampDelta, maxTimestampDelta, haveKeys }
}

function scanned({ bytes, sizeInBytes, recordCount }: RecordBatch) {
  const found = scanRecords(bytes, BATCH_HEADER_BYTES, sizeInBytes, recordCount)
  return found && { ...found }
}

const blob = (size: number) => Buffer.alloc(size, 7)
/** Sizes around those at which a varint gets longer. */
const size = fc.constantFrom(0, 1, 2, 62, 63, 64, 65, 127, 128, 8191, 8192, 8193)
const bytes = fc.option(size.map(blob), { nil: null })
const record: fc.Arbitrary<NewRecord> = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.oneof(
    fc.integer({ min: BASE - 70, max: BASE + 70 }),
    fc.constantFrom(BASE - 8193, BASE + 8192, BASE + 1_048_576, BASE - 100_000_000),
  ),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 70 }), value: bytes }), {
    maxLength: 3,
  }),
})

test('scanRecords() sees in sound batches what the cursor sees', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 80 }), (records) => {
      const batch = new RecordBatch(buildBatch(records))
      const seen = scanned(batch)
      expect(seen).toBeDefined()
      expect(seen).toEqual(walked(batch))
    }),
    { numRuns: 60 },
  )
})

test('scanRecords() accepts nothing in damaged batches that the cursor sees otherwise', () => {
  const damage = fc.record({
    records: fc.array(record, { minLength: 1, maxLength: 4 }),
    // Few bytes are not inside a value.
    at: fc.nat(),
    byte: fc.oneof(fc.constantFrom(0, 1, 2, 126, 127, 128, 129, 254, 255), fc.nat(255)),
    count: fc.integer({ min: -1, max: 1 }),
    cut: fc.integer({ min: 0, max: 2 }),
  })
  let accepted = 0
  fc.assert(
    fc.property(damage, ({ records, at, byte, count, cut }) => {
      const section = buildBatch(records).slice(BATCH_HEADER_BYTES)
      section[at % Math.min(section.length, 40)] = byte
      const kept = section.subarray(0, section.length - cut)
      const batch = batchOf(kept, Math.max(1, records.length + count))
      const seen = scanned(batch)
      if (!seen) return
      accepted++
      expect(seen).toEqual(walked(batch))
    }),
    { numRuns: 4000 },
  )
  expect(accepted).toBeGreaterThan(50)
})

test('scanRecords() reads nothing behind the end that it is given', () => {
  const two = buildBatch([
    { timestamp: BASE, value: blob(100) },
    { timestamp: BASE, value: blob(100) },
  ])
  for (let end = BATCH_HEADER_BYTES; end < two.length; end++) {
    expect(scanRecords(two, BATCH_HEADER_BYTES, end, 2), `end ${end}`).toBeUndefined()
    expect(scanRecords(two.subarray(0, end), BATCH_HEADER_BYTES, end, 2)).toBeUndefined()
  }
  const { length } = two
  expect(scanRecords(two, BATCH_HEADER_BYTES, length, 2)).toBeDefined()
  expect(scanRecords(two, BATCH_HEADER_BYTES, length, 1)).toBeUndefined()
  expect(scanRecords(two, BATCH_HEADER_BYTES, length, 2_147_483_647)).toBeUndefined()
})

// 0c 00 00 00 01 01 00: length 6, attributes, time delta 0, offset delta 0, null key, null value, no headers.
test.each([
  { why: 'a timestamp delta of five bytes', hex: '14 00 80 80 80 80 01 00 01 01 00' },
  { why: 'an offset delta that is not its place', hex: '0c 00 00 02 01 01 00' },
  { why: 'a negative size that is not -1', hex: '0c 00 00 00 03 01 00' },
  { why: 'an overlong size', hex: '8c 80 80 80 00 00 00 00 01 01 00' },
  { why: 'a negative length', hex: '01 00 00 00 01 01 00' },
  { why: 'a header without a name', hex: '10 00 00 00 01 01 02 01 01' },
  { why: 'a null key of two bytes', hex: '0e 00 00 00 81 00 01 00' },
  { why: 'a null value of two bytes', hex: '0e 00 00 00 01 81 00 00' },
  { why: 'a header whose name is null in two bytes', hex: '12 00 00 00 01 01 02 81 00 01' },
  { why: 'a negative count of headers', hex: '0c 00 00 00 01 01 01' },
  { why: 'a huge count of headers', hex: '12 00 00 00 01 01 fe ff ff 7f' },
])('scanRecords() leaves to the cursor: $why', ({ hex }) => {
  expect(scanned(batchOf(hex, 1))).toBeUndefined()
})

test('scanRecords() accepts a varint longer than it need be, as the cursor does', () => {
  const batch = batchOf('8c 00 00 00 00 01 01 00', 1)
  expect(scanned(batch)).toEqual(walked(batch))
  expect(scanned(batch)).toEqual({ minTimestampDelta: 0, maxTimestampDelta: 0, haveKeys: false })
})
