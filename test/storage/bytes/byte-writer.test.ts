// ByteWriter: what it writes, ByteReader reads.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter, uvarintSize, varintSize, varlongSize } from '#storage/bytes/byte-writer.ts'
import { canonicalInt64 } from '#storage/bytes/int64.ts'

const int32 = fc.oneof(fc.integer(), fc.constantFrom(-2147483648, 2147483647, -1, 0, 63, 64, -64))
const int64 = fc
  .oneof(
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    fc.tuple(fc.nat(63), fc.integer({ min: -2, max: 2 })).map(([bit, near]) => {
      return BigInt.asIntN(64, (1n << BigInt(bit)) + BigInt(near))
    }),
  )
  .map(canonicalInt64)

test('ByteWriter and ByteReader agree on every type', () => {
  const values = fc.record({
    small: fc.integer({ min: -128, max: 127 }),
    int16: fc.integer({ min: -32768, max: 32767 }),
    uint16: fc.integer({ min: 0, max: 65535 }),
    int32,
    int64,
    float: fc.double({ noNaN: true }),
    raw: fc.uint8Array(),
    text: fc.string({ unit: 'grapheme' }),
  })
  fc.assert(
    fc.property(values, (value) => {
      const writer = new ByteWriter(1)
      writer.int8(value.small)
      writer.int16(value.int16)
      writer.uint16(value.uint16)
      writer.int32(value.int32)
      writer.uint32(value.int32)
      writer.int64(value.int64)
      writer.float64(value.float)
      writer.uvarint(value.int32)
      writer.varint(value.int32)
      writer.varlong(value.int64)
      writer.raw(value.raw)
      const size = writer.utf8(value.text)
      const reader = new ByteReader(writer.written)
      expect(reader.int8()).toBe(value.small)
      expect(reader.int16()).toBe(value.int16)
      expect(reader.uint16()).toBe(value.uint16)
      expect(reader.int32()).toBe(value.int32)
      expect(reader.uint32()).toBe(value.int32 >>> 0)
      expect(reader.int64()).toBe(value.int64)
      expect(reader.float64()).toBe(value.float)
      expect(reader.uvarint()).toBe(value.int32 >>> 0)
      expect(reader.varint()).toBe(value.int32)
      expect(reader.varlong()).toBe(value.int64)
      expect(reader.view(value.raw.length)).toEqual(value.raw)
      expect(reader.utf8(size)).toBe(value.text)
      expect(reader.remaining).toBe(0)
    }),
  )
})

test('uvarintSize(), varintSize() and varlongSize() are what the writer takes', () => {
  fc.assert(
    fc.property(int32, int64, (small, large) => {
      const sizes = [
        [uvarintSize(small), (writer: ByteWriter) => writer.uvarint(small)],
        [varintSize(small), (writer: ByteWriter) => writer.varint(small)],
        [varlongSize(small), (writer: ByteWriter) => writer.varlong(small)],
        [varlongSize(large), (writer: ByteWriter) => writer.varlong(large)],
      ] as const
      for (const [size, write] of sizes) {
        const writer = new ByteWriter()
        write(writer)
        expect(writer.position).toBe(size)
      }
    }),
  )
})

test('ByteWriter.setInt32() fills room that was reserved, also after growing', () => {
  const writer = new ByteWriter(2)
  const at = writer.reserve(4)
  writer.raw(new Uint8Array(100).fill(7))
  writer.setInt32(at, 100)
  const reader = new ByteReader(writer.written)
  expect(reader.int32()).toBe(100)
  expect(reader.view(100).every((byte) => byte === 7)).toBe(true)
})

test('ByteWriter.clear() leaves no trace in room reserved later', () => {
  const writer = new ByteWriter()
  writer.int32(-1)
  writer.clear()
  writer.reserve(4)
  expect([...writer.written]).toEqual([0, 0, 0, 0])
})

test('ByteWriter.uuid() writes what ByteReader.uuid() reads', () => {
  const writer = new ByteWriter()
  writer.uuid('u8jFB-N7SjeS5NXX4ZZ5qQ')
  expect(writer.position).toBe(16)
  expect(new ByteReader(writer.written).uuid()).toBe('u8jFB-N7SjeS5NXX4ZZ5qQ')
})
