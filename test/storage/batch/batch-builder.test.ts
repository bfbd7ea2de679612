// The builder: bytes as Kafka writes them, and round trips through all codecs.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AssertionError } from '#storage/base/errors.ts'
import {
  buildBatch,
  buildControlBatch,
  buildEndTransactionMarker,
  type NewRecord,
} from '#storage/batch/batch-builder.ts'
import { CONTROL_TYPE, controlType, coordinatorEpoch } from '#storage/batch/control-record.ts'
import { type LogRecord, readRecords } from '#storage/batch/record.ts'
import { COMPRESSIONS, RecordBatch } from '#storage/batch/record-batch.ts'
import { canonicalInt64 } from '#storage/bytes/int64.ts'

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

test('buildBatch() writes one plain record as Kafka 4.3 does', () => {
  // As Kafka's MemoryRecordsBuilder makes it.
  const record = {
    timestamp: 1700000000000,
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    headers: [{ key: 'h', value: Buffer.from('x') }],
  }
  expect(hex(buildBatch([record], { baseOffset: 5, leaderEpoch: 2 }))).toBe(
    [
      '0000000000000005', // baseOffset
      '0000003e', // batchLength
      '00000002', // partitionLeaderEpoch
      '02', // magic
      '5e93538d', // crc
      '0000', // attributes
      '00000000', // lastOffsetDelta
      '0000018bcfe56800', // baseTimestamp
      '0000018bcfe56800', // maxTimestamp
      'ffffffffffffffff', // producerId
      'ffff', // producerEpoch
      'ffffffff', // baseSequence
      '00000001', // recordCount
      '18000000026b02760202680278', // record,
    ].join(''),
  )
})

test('buildEndTransactionMarker() writes the 78 bytes of a marker', () => {
  const marker = buildEndTransactionMarker(
    { isCommit: true, producerId: 4000, producerEpoch: 6, coordinatorEpoch: 258, timestamp: 1000 },
    { baseOffset: 12, leaderEpoch: 1 },
  )
  // As Kafka 4.3's MemoryRecords.withEndTransactionMarker() makes it.
  expect(hex(marker)).toBe(
    '000000000000000c000000420000000102bf171ef1003000000000' +
      '00000000000003e8'.repeat(2) +
      '0000000000000fa0' +
      '0006ffffffff00000001' +
      '2000000008000000010c00000000010200',
  )
  expect(marker.length).toBe(78)
  const batch = new RecordBatch(marker)
  expect(batch).toMatchObject({ isControl: true, isTransactional: true })
  expect(batch.isCrcValid()).toBe(true)
  const [record] = readRecords(batch)
  expect(controlType(record as LogRecord)).toBe(CONTROL_TYPE.commit)
  expect(coordinatorEpoch(record as LogRecord)).toBe(258)
})

test('buildControlBatch() writes several records, one per type', () => {
  const types = Object.values(CONTROL_TYPE)
  const records = types.map((type) => ({ type, value: Uint8Array.of(type), timestamp: 50 }))
  const batch = new RecordBatch(buildControlBatch(records, { leaderEpoch: 3 }))
  expect(batch).toMatchObject({ isControl: true, isTransactional: false, producerId: -1 })
  expect([...readRecords(batch)].map(controlType)).toEqual(types)
})

test('buildBatch() without records is the bare header that compaction leaves', () => {
  const options = {
    baseOffset: 100,
    lastOffsetDelta: 9,
    maxTimestamp: 77,
    compression: 'gzip',
  } as const
  const batch = new RecordBatch(buildBatch([], options))
  expect(batch).toMatchObject({
    sizeInBytes: 61,
    baseOffset: 100,
    lastOffset: 109,
    baseTimestamp: -1,
    maxTimestamp: 77,
    recordCount: 0,
    compression: 'none',
  })
  expect(batch.isCrcValid()).toBe(true)
  expect([...readRecords(batch)]).toEqual([])
})

test('buildBatch() with a delete horizon counts timestamps from it, downwards too', () => {
  const records = [
    { timestamp: 2000, offsetDelta: 3 },
    { timestamp: 9000, offsetDelta: 8 },
  ]
  const options = { baseOffset: 10, deleteHorizon: 5000, lastOffsetDelta: 20 }
  const batch = new RecordBatch(buildBatch(records, options))
  expect(batch).toMatchObject({ hasDeleteHorizon: true, baseTimestamp: 5000, maxTimestamp: 9000 })
  expect(batch.lastOffset).toBe(30)
  const read = [...readRecords(batch)].map(({ offset, timestamp }) => [offset, timestamp])
  expect(read).toEqual([
    [13, 2000],
    [18, 9000],
  ])
})

test('readRecords() gives all records of a LogAppendTime batch the time of the batch', () => {
  const options = { timestampType: 'LogAppendTime', maxTimestamp: 12345 } as const
  const batch = new RecordBatch(buildBatch([{ timestamp: 5 }, { timestamp: 99999 }], options))
  expect([...readRecords(batch)].map((record) => record.timestamp)).toEqual([12345, 12345])
})

test('buildBatch() refuses offsets that do not increase', () => {
  const records = [
    { timestamp: 0, offsetDelta: 1 },
    { timestamp: 0, offsetDelta: 1 },
  ]
  expect(() => buildBatch(records)).toThrow(AssertionError)
})

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 4 })
const int64 = fc
  .oneof(
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    fc.bigInt({ min: 1_600_000_000_000n, max: 1_800_000_000_000n }),
  )
  .map(canonicalInt64)
const newRecords = fc
  .array(
    fc.record({
      key: bytes,
      value: bytes,
      headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }), {
        maxLength: 3,
      }),
      timestamp: int64,
      gap: fc.oneof(fc.constant(0), fc.nat(1000)),
    }),
    { maxLength: 20 },
  )
  .map((records) => {
    let next = 0
    return records.map(({ gap, ...record }): NewRecord => {
      const offsetDelta = next + gap
      next = offsetDelta + 1
      return { ...record, offsetDelta }
    })
  })

test.each(COMPRESSIONS)(
  'buildBatch() and readRecords() are inverse with codec %s',
  (compression) => {
    fc.assert(
      fc.property(newRecords, fc.nat(), int64, (records, baseOffset, producerId) => {
        const built = buildBatch(records, { baseOffset, compression, producerId })
        const batch = new RecordBatch(built)
        expect(batch.isCrcValid()).toBe(true)
        expect(batch.recordCount).toBe(records.length)
        expect(batch.producerId).toBe(producerId)
        const expected = records.map(({ offsetDelta = 0, ...rest }) => {
          return { ...rest, offset: baseOffset + offsetDelta }
        })
        expect([...readRecords(batch)]).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  },
)
