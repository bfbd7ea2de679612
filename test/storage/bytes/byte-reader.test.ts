// ByteReader: bounds, varints, text.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'

function reader(hex: string): ByteReader {
  return new ByteReader(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
}

test.each([
  { hex: '00', value: 0 },
  { hex: '01', value: -1 },
  { hex: '02', value: 1 },
  { hex: '7f', value: -64 },
  { hex: '80 01', value: 64 },
  { hex: 'fe ff ff ff 0f', value: 2147483647 },
  { hex: 'ff ff ff ff 0f', value: -2147483648 },
  { hex: 'ff ff ff ff 7f', value: -2147483648, why: 'bits beyond the 32nd are dropped' },
])('ByteReader.varint() of $hex is $value', ({ hex, value }) => {
  const bytes = reader(hex)
  expect(bytes.varint()).toBe(value)
  expect(bytes.remaining).toBe(0)
})

test.each([
  { hex: '03', value: -2 },
  { hex: '80 80 80 80 10', value: 2147483648 },
  { hex: 'ff ff ff ff 1f', value: -4294967296 },
  { hex: 'fe ff ff ff ff ff ff 1f', value: 9007199254740991 },
  { hex: '80 80 80 80 80 80 80 20', value: 9007199254740992n },
  { hex: 'fe ff ff ff ff ff ff ff ff 01', value: 9223372036854775807n },
  { hex: 'ff ff ff ff ff ff ff ff ff 01', value: -9223372036854775808n },
])('ByteReader.varlong() of $hex is $value', ({ hex, value }) => {
  const bytes = reader(hex)
  expect(bytes.varlong()).toBe(value)
  expect(bytes.remaining).toBe(0)
})

test.each([
  { what: 'a varint of six bytes', hex: '8080808080 00', read: (r: ByteReader) => r.varint() },
  { what: 'a varint cut short', hex: '80', read: (r: ByteReader) => r.varint() },
  { what: 'an empty varint', hex: '', read: (r: ByteReader) => r.uvarint() },
  { what: 'eleven bytes', hex: '80808080808080808080 00', read: (r: ByteReader) => r.varlong() },
  { what: 'a varlong cut short', hex: '8080808080', read: (r: ByteReader) => r.varlong() },
  { what: 'an int64 of seven bytes', hex: '00000000000000', read: (r: ByteReader) => r.int64() },
  { what: '2^53 as a safe int64', hex: '0020000000000000', read: (r: ByteReader) => r.safeInt64() },
  { what: 'a view of negative size', hex: '0000', read: (r: ByteReader) => r.view(-1) },
  { what: 'a view past the end', hex: '0000', read: (r: ByteReader) => r.view(3) },
  { what: 'a text of no known size', hex: '0000', read: (r: ByteReader) => r.utf8(Number.NaN) },
  { what: 'a uuid of two bytes', hex: '0000', read: (r: ByteReader) => r.uuid() },
])('ByteReader refuses $what with CORRUPT_MESSAGE', ({ hex, read }) => {
  expect(() => read(reader(hex))).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
})

test('ByteReader stays inside its range, not only inside its bytes', () => {
  const inner = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5), 1, 3)
  expect(inner.uint16()).toBe(0x0203)
  expect(() => inner.uint8()).toThrow(KafkaError)
  // Both varints go on behind the range.
  const bytes = Uint8Array.of(0x80, 0x80, 0x01)
  expect(() => new ByteReader(bytes, 0, 2).varint()).toThrow(KafkaError)
  expect(() => new ByteReader(bytes, 0, 2).varlong()).toThrow(KafkaError)
  expect(() => new ByteReader(new Uint8Array(2), 1, 3)).toThrow(KafkaError)
})

test('ByteReader.utf8() agrees with the platform, byte order marks and malformed bytes included', () => {
  const pieces = ['a', 'Z', '\0', '\x7f', 'é', '€', '\ud83d\ude00', '\ufeff'].map((text) =>
    Buffer.from(text),
  )
  const piece = fc.constantFrom(...pieces, Buffer.of(0xff), Buffer.of(0xe2, 0x82))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (parts) => {
      const bytes = Buffer.concat(parts)
      expect(new ByteReader(bytes).utf8(bytes.length)).toBe(bytes.toString())
    }),
  )
})
