// The short way of building a batch against the long one.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildBatch } from '../../../storage/batch/batch-builder.ts'
import { plainRecords } from '../../../storage/batch/plain-records.ts'

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }))
const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.maxSafeInteger(),
)
const record = fc.record({ key: bytes, value: bytes, timestamp }, { requiredKeys: ['timestamp'] })

test('plainRecords() writes what the long way writes', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 200 }), (records) => {
      // A record that says its own offset goes the long way.
      const long = records.map((each, offsetDelta) => ({ ...each, offsetDelta }))
      expect(plainRecords(long, 0)).toBeUndefined()
      expect(Buffer.compare(buildBatch(records), buildBatch(long))).toBe(0)
    }),
  )
})

test.each([
  { why: 'headers', record: { headers: [{ key: 'a', value: null }], timestamp: 1 } },
  { why: 'a timestamp beyond 2^53', record: { timestamp: 2n ** 60n } },
  { why: 'a body from elsewhere', record: { body: new Uint8Array(3), timestamp: 1 } },
])('plainRecords() leaves $why to the long way', ({ record }) => {
  expect(plainRecords([{ timestamp: 1 }, record], 61)).toBeUndefined()
})
