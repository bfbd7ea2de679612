// validateBatch(): Kafka's LogValidator rules, one by one.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { type BatchOptions, buildBatch, type NewRecord } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import {
  BATCH_HEADER_BYTES,
  COMPRESSIONS,
  FIELD,
  LOG_OVERHEAD_BYTES,
  RecordBatch,
  type TimestampType,
} from '#storage/batch/record-batch.ts'
import { scanRecords } from '#storage/batch/scan-records.ts'
import {
  type AppendOrigin,
  type AppendRules,
  InvalidRecordsError,
  validateBatch,
} from '#storage/batch/validate.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import type { Int64 } from '#storage/bytes/int64.ts'

const NOW = 1_700_000_000_000
const RULES: AppendRules = {
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  levels: { gzip: -1, lz4: 9, zstd: 3 },
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: 3_600_000,
  isCompacted: false,
  now: NOW,
  maxDecompressedBytes: 1_000_000,
}

function keyed(key: string, timestamp: Int64 = NOW): NewRecord {
  return { key: Buffer.from(key), value: Buffer.from(`value of ${key}`), timestamp }
}

const TWO = [keyed('a'), keyed('b', NOW + 1)]

function batchOf(records: readonly NewRecord[], options: BatchOptions = {}): RecordBatch {
  return new RecordBatch(buildBatch(records, options))
}

/** The batch with one field changed behind the builder's back, and a CRC to match. */
function forged(batch: RecordBatch, change: (view: DataView) => void): RecordBatch {
  const bytes = batch.bytes.slice()
  const view = new DataView(bytes.buffer)
  change(view)
  view.setUint32(FIELD.crc, crc32c(bytes, FIELD.attributes))
  return new RecordBatch(bytes)
}

function refusal(batch: RecordBatch, rules: Partial<AppendRules>, origin: AppendOrigin = 'client') {
  const before = batch.bytes.slice()
  try {
    validateBatch(batch, { ...RULES, ...rules }, origin)
  } catch (error) {
    expect(batch.bytes).toEqual(before)
    return error
  }
  return undefined
}

test.each([
  {
    why: 'a base offset other than 0',
    batch: () => batchOf(TWO, { baseOffset: 1 }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'more bytes than the topic allows',
    batch: () => batchOf(TWO),
    rules: { maxMessageBytes: 80 },
    code: 'MESSAGE_TOO_LARGE',
  },
  {
    why: 'a wrong CRC',
    batch: () => {
      const batch = batchOf(TWO)
      batch.bytes[70] = (batch.bytes[70] ?? 0) ^ 1
      return batch
    },
    code: 'CORRUPT_MESSAGE',
  },
  {
    why: 'a negative last offset delta',
    batch: () => forged(batchOf(TWO), (view) => view.setInt32(FIELD.lastOffsetDelta, -1)),
    code: 'INVALID_RECORD',
  },
  { why: 'no record', batch: () => batchOf([]), code: 'INVALID_RECORD' },
  {
    why: 'a negative record count',
    batch: () => forged(batchOf(TWO), (view) => view.setInt32(FIELD.recordCount, -2)),
    code: 'INVALID_RECORD',
  },
  {
    why: 'more offsets than records',
    batch: () => batchOf(TWO, { lastOffsetDelta: 2 }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'a control batch',
    batch: () => batchOf(TWO, { isControl: true }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'a producer id without a sequence',
    batch: () => batchOf(TWO, { producerId: 5, producerEpoch: 0 }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'a record count that the records do not have',
    batch: () =>
      forged(batchOf(TWO), (view) => {
        view.setInt32(FIELD.recordCount, 3)
        view.setInt32(FIELD.lastOffsetDelta, 2)
      }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'records that do not unpack',
    batch: () => forged(batchOf(TWO), (view) => view.setInt16(FIELD.attributes, 1)),
    code: 'INVALID_RECORD',
  },
  {
    why: 'a bomb',
    batch: () =>
      batchOf([{ value: new Uint8Array(2_000_000), timestamp: NOW }], { compression: 'zstd' }),
    code: 'INVALID_RECORD',
  },
  {
    why: 'a codec that does not exist',
    batch: () => forged(batchOf(TWO), (view) => view.setInt16(FIELD.attributes, 6)),
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
  },
  {
    why: 'LogAppendTime from a producer',
    batch: () => batchOf(TWO, { timestampType: 'LogAppendTime', maxTimestamp: NOW }),
    code: 'INVALID_TIMESTAMP',
  },
])('validateBatch() refuses $why with $code', ({ batch, rules = {}, code }) => {
  expect(refusal(batch(), rules)).toMatchObject({ name: 'KafkaError', code })
})

test.each(['coordinator', 'metadata'] as const)('validateBatch() trusts the %s more', (origin) => {
  const control = batchOf(TWO, { isControl: true, producerId: 5, producerEpoch: 1, baseOffset: 9 })
  expect(refusal(control, {}, origin)).toBeUndefined()
  const damaged = batchOf(TWO)
  damaged.bytes[70] = 0xff
  expect(refusal(damaged, {}, origin)).toMatchObject({ code: 'CORRUPT_MESSAGE' })
})

const HOUR = 3_600_000
test.each([
  { timestamp: NOW + HOUR, is: 'taken' },
  { timestamp: NOW + HOUR + 1, is: 'INVALID_TIMESTAMP' },
  { timestamp: NOW - HOUR, is: 'taken', timestampBeforeMaxMs: HOUR },
  { timestamp: NOW - HOUR - 1, is: 'INVALID_TIMESTAMP', timestampBeforeMaxMs: HOUR },
  { timestamp: -1, is: 'taken', timestampBeforeMaxMs: HOUR },
  { timestamp: -2, is: 'INVALID_TIMESTAMP', timestampBeforeMaxMs: HOUR },
  { timestamp: 0, is: 'taken' },
  { timestamp: 1_700_000_000_000_000_000n, is: 'INVALID_TIMESTAMP' },
  {
    timestamp: 1_700_000_000_000_000_000n,
    is: 'taken',
    timestampAfterMaxMs: 9_223_372_036_854_775_807n,
  },
  { timestamp: NOW + HOUR + 1, is: 'taken', timestampType: 'LogAppendTime' as const },
])('validateBatch() on $timestamp: $is', ({ timestamp, is, ...rules }) => {
  const error = refusal(batchOf([keyed('a', timestamp)]), rules)
  expect(error instanceof InvalidRecordsError ? error.code : 'taken').toBe(is)
})

test.each([
  [NOW + HOUR + 1, `is after ${NOW + HOUR}, the latest that message.timestamp.after.max.ms allows`],
  [
    NOW - HOUR - 1,
    `is before ${NOW - HOUR}, the earliest that message.timestamp.before.max.ms allows`,
  ],
])('validateBatch() says of timestamp %s that it %s', (timestamp, sentence) => {
  const error = refusal(batchOf([keyed('a', timestamp)]), { timestampBeforeMaxMs: HOUR })
  const { recordErrors } = error as InvalidRecordsError
  expect(recordErrors[0]?.message).toBe(`Timestamp ${timestamp} ${sentence}`)
})

test('validateBatch() names all bad records, under INVALID_TIMESTAMP if one has that fault', () => {
  const late = NOW + 2 * HOUR
  const nameless = { value: null, timestamp: NOW }
  const records = [keyed('a'), nameless, keyed('b', late), keyed('c'), { timestamp: NOW }]
  const error = refusal(batchOf(records), { isCompacted: true })
  expect(error).toBeInstanceOf(InvalidRecordsError)
  expect(error).toMatchObject({
    code: 'INVALID_TIMESTAMP',
    message: expect.stringMatching(/^3 of 5/),
  })
  const { recordErrors } = error as InvalidRecordsError
  expect(recordErrors.map(({ index }) => index)).toEqual([1, 2, 4])
  expect(recordErrors[1]?.message).toContain(`${late}`)
  const keyless = refusal(batchOf([keyed('a'), nameless]), { isCompacted: true })
  expect(keyless).toMatchObject({ code: 'INVALID_RECORD', recordErrors: [{ index: 1 }] })
})

test.each(COMPRESSIONS)('validateBatch() leaves a %s batch as it came', (compression) => {
  const options = { compression, producerId: 7, producerEpoch: 2, baseSequence: 10 }
  const batch = batchOf(TWO, options)
  const before = batch.bytes.slice()
  const valid = validateBatch(batch, RULES, 'client')
  expect(valid).toEqual({ batch, logAppendTime: -1 })
  expect(valid.batch).toBe(batch)
  expect(batch.bytes).toEqual(before)
})

test.each([
  { says: NOW + 500, why: 'too late' },
  { says: NOW, why: 'too early' },
  { says: -1, why: 'missing' },
])('validateBatch() mends a largest timestamp that is $why', ({ says }) => {
  const batch = batchOf(TWO, { maxTimestamp: says, compression: 'lz4' })
  const valid = validateBatch(batch, RULES, 'client')
  expect(valid.batch).toBe(batch)
  expect(batch).toMatchObject({ maxTimestamp: NOW + 1, baseTimestamp: NOW })
  expect(batch.isCrcValid()).toBe(true)
})

test('validateBatch() finds the largest timestamp beyond 2^53', () => {
  const nanos = 1_700_000_000_000_000_000n
  const records = [keyed('a', nanos), keyed('b', nanos + 3n), keyed('c', nanos - 1n)]
  const batch = batchOf(records, { maxTimestamp: 5 })
  validateBatch(batch, { ...RULES, timestampAfterMaxMs: Number.POSITIVE_INFINITY }, 'client')
  expect(batch.maxTimestamp).toBe(nanos + 3n)
  expect(batch.isCrcValid()).toBe(true)
})

test.each(['none', 'gzip'] as const)('validateBatch() stamps a %s batch on arrival', (codec) => {
  const batch = batchOf(TWO, { compression: codec })
  const rules = { ...RULES, timestampType: 'LogAppendTime', now: NOW + 77 } as const
  expect(validateBatch(batch, rules, 'client')).toEqual({ batch, logAppendTime: NOW + 77 })
  expect(batch).toMatchObject({
    timestampType: 'LogAppendTime',
    maxTimestamp: NOW + 77,
    baseTimestamp: NOW,
    compression: codec,
  })
  expect(batch.isCrcValid()).toBe(true)
  expect([...readRecords(batch)].map(({ timestamp }) => timestamp)).toEqual([NOW + 77, NOW + 77])
})

const TARGETS = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const
test.each(COMPRESSIONS.flatMap((from) => TARGETS.map((to) => ({ from, to }))))(
  'validateBatch() brings $from to the topic’s $to and keeps the rest',
  ({ from, to }) => {
    const producer = { producerId: 2n ** 60n, producerEpoch: 3, baseSequence: 9 }
    const batch = batchOf(TWO, { ...producer, compression: from, isTransactional: true })
    const expected = [...readRecords(batch)]
    const { batch: valid } = validateBatch(batch, { ...RULES, compressionType: to }, 'client')
    const target = to === 'uncompressed' ? 'none' : to
    expect(valid === batch).toBe(from === target)
    expect(valid).toMatchObject({
      ...producer,
      compression: target,
      isTransactional: true,
      baseOffset: 0,
      lastOffsetDelta: 1,
      recordCount: 2,
      baseTimestamp: NOW,
      maxTimestamp: NOW + 1,
      timestampType: 'CreateTime',
    })
    expect(valid.isCrcValid()).toBe(true)
    expect([...readRecords(valid)]).toEqual(expected)
  },
)

test.each(['none', 'zstd'] as const)('validateBatch() renumbers odd offsets of %s', (codec) => {
  const odd = TWO.map((record, index) => ({ ...record, offsetDelta: index * 5 }))
  const batch = batchOf(odd, { compression: codec, lastOffsetDelta: 1 })
  const { batch: valid } = validateBatch(batch, RULES, 'client')
  expect(valid).not.toBe(batch)
  expect(valid).toMatchObject({ lastOffsetDelta: 1, compression: codec })
  expect([...readRecords(valid)].map(({ offset }) => offset)).toEqual([0, 1])
})

test('validateBatch() stamps a batch that it builds anew', () => {
  const rules = { ...RULES, compressionType: 'zstd', timestampType: 'LogAppendTime' } as const
  const { batch, logAppendTime } = validateBatch(batchOf(TWO), rules, 'client')
  expect(logAppendTime).toBe(NOW)
  expect(batch).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: NOW })
})

test('validateBatch() checks the size again after unpacking', () => {
  const batch = batchOf([{ value: new Uint8Array(50_000), timestamp: NOW }], {
    compression: 'gzip',
  })
  const rules = { compressionType: 'uncompressed', maxMessageBytes: 40_000 } as const
  expect(batch.sizeInBytes).toBeLessThan(1000)
  expect(refusal(batch, rules)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
})

test('validateBatch() does not compress control batches', () => {
  const batch = batchOf(TWO, { isControl: true })
  const rules = { ...RULES, compressionType: 'gzip' } as const
  expect(validateBatch(batch, rules, 'coordinator').batch).toBe(batch)
})

test('validateBatch() takes a batch exactly when a naive model does', () => {
  const record = fc.record({
    key: fc.option(fc.constant(Buffer.from('k'))),
    timestamp: fc.integer({ min: NOW - 20, max: NOW + 20 }),
  })
  const rules = fc.record({
    isCompacted: fc.boolean(),
    timestampBeforeMaxMs: fc.nat(20),
    timestampAfterMaxMs: fc.nat(20),
    timestampType: fc.constantFrom('CreateTime' as const, 'LogAppendTime' as const),
  })
  const batches = fc.array(record, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(batches, rules, fc.constantFrom(...COMPRESSIONS), (records, some, compression) => {
      const bad = records.flatMap(({ key, timestamp }, index) => {
        const isKeyMissing = some.isCompacted && key === null
        const isLate = timestamp > NOW + some.timestampAfterMaxMs
        const isEarly = timestamp < NOW - some.timestampBeforeMaxMs
        const isOff = some.timestampType === 'CreateTime' && (isLate || isEarly)
        return isKeyMissing || isOff ? [index] : []
      })
      const error = refusal(batchOf(records, { compression }), some)
      const found = error instanceof InvalidRecordsError ? error.recordErrors : []
      expect(found.map(({ index }) => index)).toEqual(bad)
      expect(error === undefined).toBe(bad.length === 0)
    }),
  )
})

/** The same batch with a last count of headers, 0, in five bytes: the quick pass leaves it to the cursor. */
function overlong({ bytes }: RecordBatch): RecordBatch {
  let last = BATCH_HEADER_BYTES
  // Records of less than 60 bytes have a length of one byte.
  for (let next = last; next < bytes.length; next += 1 + (bytes[next] ?? 0) / 2) last = next
  const longer = new Uint8Array(bytes.length + 4)
  longer.set(bytes)
  longer.set([0x80, 0x80, 0x80, 0x80, 0], bytes.length - 1)
  longer[last] = (longer[last] ?? 0) + 8
  new DataView(longer.buffer).setInt32(FIELD.batchLength, longer.length - LOG_OVERHEAD_BYTES)
  expect(scanRecords(longer, BATCH_HEADER_BYTES, longer.length, 1)).toBeUndefined()
  return forged(new RecordBatch(longer), () => undefined)
}

test('A batch meets the same fate however its records are walked', () => {
  const timestamp = fc.constantFrom<Int64>(
    ...[-1, 0, NOW - 1001, NOW - 1000, NOW, NOW + 2000, NOW + 2001, NOW + 200_000_000],
    2n ** 60n,
  )
  const record = fc.record({
    key: fc.constantFrom(null, Buffer.from('key')),
    value: fc.constantFrom(null, Buffer.alloc(9, 1)),
    timestamp,
  })
  const limit = (of: number) => fc.constantFrom<Int64>(of, 2n ** 63n - 1n, 0)
  const rules = fc.record({
    timestampType: fc.constantFrom<TimestampType>('CreateTime', 'LogAppendTime'),
    timestampBeforeMaxMs: limit(1000),
    timestampAfterMaxMs: limit(2000),
    isCompacted: fc.boolean(),
  })
  const fate = (batch: RecordBatch, given: Partial<AppendRules>) => {
    try {
      const { batch: valid, logAppendTime } = validateBatch(batch, { ...RULES, ...given }, 'client')
      return [valid.maxTimestamp, valid.timestampType, logAppendTime, valid.isCrcValid()]
    } catch (error) {
      return error instanceof KafkaError ? [error.code, error.message] : error
    }
  }
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), rules, (records, given) => {
      const plain = batchOf(records)
      const zipped = batchOf(records, { compression: 'gzip' })
      const expected = fate(overlong(plain), given)
      expect(fate(zipped, given)).toEqual(expected)
      expect(fate(plain, given)).toEqual(expected)
    }),
    { numRuns: 400 },
  )
})
