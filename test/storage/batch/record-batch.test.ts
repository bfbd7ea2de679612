// RecordBatch: the fields of known bytes, what it refuses, what it changes in place.

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import { canonicalInt64 } from '#storage/bytes/int64.ts'

const text = new TextEncoder()

function sample(): Uint8Array<ArrayBuffer> {
  return buildBatch(
    [
      { timestamp: 1000, key: text.encode('a'), value: text.encode('1') },
      { timestamp: 1007, key: null, value: null, headers: [{ key: 'h', value: null }] },
    ],
    { baseOffset: 42, leaderEpoch: 7, producerId: 9, producerEpoch: 3, baseSequence: 2147483647 },
  )
}

test('RecordBatch reads every field', () => {
  const batch = new RecordBatch(sample())
  expect(batch).toMatchObject({
    sizeInBytes: 61 + 9 + 10,
    baseOffset: 42,
    lastOffset: 43,
    nextOffset: 44,
    partitionLeaderEpoch: 7,
    magic: 2,
    attributes: 0,
    compression: 'none',
    timestampType: 'CreateTime',
    isTransactional: false,
    isControl: false,
    hasDeleteHorizon: false,
    lastOffsetDelta: 1,
    baseTimestamp: 1000,
    maxTimestamp: 1007,
    producerId: 9,
    hasProducerId: true,
    producerEpoch: 3,
    baseSequence: 2147483647,
    lastSequence: 0,
    recordCount: 2,
  })
  expect(batch.isCrcValid()).toBe(true)
})

test.each([
  { bit: 'gzip', attributes: 1, compression: 'gzip' },
  { bit: 'zstd', attributes: 4, compression: 'zstd' },
  { bit: 'append time', attributes: 8, timestampType: 'LogAppendTime' },
  { bit: 'transactional', attributes: 16, isTransactional: true },
  { bit: 'control', attributes: 32, isControl: true },
  { bit: 'delete horizon', attributes: 64, hasDeleteHorizon: true },
])('RecordBatch knows the $bit bit', ({ bit: _, attributes, ...expected }) => {
  const bytes = sample()
  bytes[22] = attributes
  expect(new RecordBatch(bytes)).toMatchObject(expected)
})

test('RecordBatch refuses a codec that does not exist only when asked for it', () => {
  const bytes = sample()
  bytes[22] = 5
  const batch = new RecordBatch(bytes)
  expect(() => batch.compression).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' }),
  )
})

test.each([
  { why: 'magic 3', change: (bytes: Buffer) => bytes.writeInt8(3, 16) },
  { why: 'magic 1 without its checksum', change: (bytes: Buffer) => bytes.writeInt8(1, 16) },
  { why: 'a negative length', change: (bytes: Buffer) => bytes.writeInt32BE(-1, 8) },
  { why: 'a length of 0', change: (bytes: Buffer) => bytes.writeInt32BE(0, 8) },
  { why: 'a length below the header', change: (bytes: Buffer) => bytes.writeInt32BE(48, 8) },
  { why: 'a length beyond its bytes', change: (bytes: Buffer) => bytes.writeInt32BE(70, 8) },
  { why: 'an offset beyond 2^53', change: (bytes: Buffer) => bytes.writeInt32BE(1 << 22, 0) },
])('RecordBatch refuses $why', ({ change }) => {
  const bytes = sample()
  change(Buffer.from(bytes.buffer))
  expect(() => new RecordBatch(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
})

test.each([0, 1])('RecordBatch tells an intact message of format v%i from damage', (magic) => {
  const message = Buffer.alloc(12 + 22)
  message.writeInt32BE(22, 8)
  message.writeInt8(magic, 16)
  message.writeUInt32BE(crc32(message.subarray(16)), 12)
  expect(() => new RecordBatch(message)).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' }),
  )
  message[20] = 99
  expect(() => new RecordBatch(message)).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  )
})

test('RecordBatch cut at any byte is refused, and ends readBatches() silently', () => {
  const whole = sample()
  for (let size = 0; size < whole.length; size++) {
    const cut = whole.subarray(0, size)
    expect(() => new RecordBatch(cut)).toThrow(KafkaError)
    expect([...readBatches(cut)]).toEqual([])
  }
})

test('readBatches() yields views of the batches in place, and throws at what is none', () => {
  const [one, two] = [sample(), sample()]
  new RecordBatch(two).setOffsets(44, 8)
  const bytes = new Uint8Array(one.length + two.length + 5)
  bytes.set(one)
  bytes.set(two, one.length)
  const batches = [...readBatches(bytes)]
  expect(batches.map((batch) => batch.baseOffset)).toEqual([42, 44])
  expect(batches[1]?.bytes.byteOffset).toBe(one.length)
  bytes[one.length + 16] = 9
  const reading = readBatches(bytes)
  expect(reading.next().value).toMatchObject({ baseOffset: 42 })
  expect(() => reading.next()).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
})

test('RecordBatch.setOffsets() keeps the CRC valid, also for the largest offset', () => {
  const bytes = sample()
  const batch = new RecordBatch(bytes)
  batch.setOffsets(Number.MAX_SAFE_INTEGER - 1, 2147483647)
  expect(batch.isCrcValid()).toBe(true)
  expect(batch.baseOffset).toBe(Number.MAX_SAFE_INTEGER - 1)
  expect(batch.partitionLeaderEpoch).toBe(2147483647)
  expect(Buffer.from(bytes).readBigInt64BE(0)).toBe(9007199254740990n)
})

test('RecordBatch.setMaxTimestamp() changes type and time with a new CRC, and nothing else', () => {
  const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(canonicalInt64)
  fc.assert(
    fc.property(int64, fc.constantFrom('CreateTime', 'LogAppendTime'), (time, type) => {
      const bytes = sample()
      const batch = new RecordBatch(bytes)
      batch.setMaxTimestamp(type, time)
      expect(batch).toMatchObject({ maxTimestamp: time, timestampType: type, baseTimestamp: 1000 })
      expect(batch.isCrcValid()).toBe(true)
      batch.setMaxTimestamp('CreateTime', 1007)
      expect(bytes).toEqual(sample())
    }),
  )
})

test('RecordBatch.isCrcValid() sees every bit that the CRC covers', () => {
  const bytes = sample()
  for (let bit = 17 * 8; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const before = bytes[at] ?? 0
    bytes[at] = before ^ (1 << (bit & 7))
    expect(new RecordBatch(bytes).isCrcValid(), `bit ${bit}`).toBe(false)
    bytes[at] = before
  }
})
