// Uuids in Kafka's text form.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { METADATA_TOPIC_ID, uuidFromBytes, uuidToBytes, ZERO_UUID } from '#storage/base/uuid.ts'

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })

test('uuidFromBytes() gives URL-safe base64 without padding, and uuidToBytes() takes it back', () => {
  fc.assert(
    fc.property(sixteen, (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      expect(uuidFromBytes(bytes)).toBe(text)
      expect(uuidToBytes(text)).toEqual(bytes)
    }),
  )
})

test('uuidToBytes() knows the uuids with a meaning', () => {
  expect(uuidToBytes(ZERO_UUID)).toEqual(new Uint8Array(16))
  expect(uuidToBytes(METADATA_TOPIC_ID)).toEqual(new Uint8Array(16).fill(1, 15))
})

test.each([
  { why: 'nothing', text: '' },
  { why: 'one character too few', text: 'A'.repeat(21) },
  { why: 'one character too many', text: 'A'.repeat(23) },
  { why: 'padding', text: `${'A'.repeat(22)}==` },
  { why: 'base64 that is not URL-safe', text: `${'A'.repeat(21)}+` },
  { why: 'a character beyond ASCII', text: `${'A'.repeat(21)}é` },
  { why: 'a line break at the end', text: `${'A'.repeat(22)}\n` },
])('uuidToBytes() refuses $why', ({ text }) => {
  expect(() => uuidToBytes(text)).toThrow(KafkaError)
})
