// The `.snapshot` file.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalInt64 } from '#storage/bytes/int64.ts'
import {
  parseProducerSnapshot,
  serializeProducerSnapshot,
} from '#storage/state/producer-snapshot.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(canonicalInt64)
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const offset = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })
const entry = fc.record({
  producerId: int64,
  epoch: fc.integer({ min: -32768, max: 32767 }),
  lastSequence: int32,
  lastOffset: offset,
  offsetDelta: int32,
  timestamp: int64,
  coordinatorEpoch: int32,
  currentTxnFirstOffset: offset,
})

test('A producer snapshot of nobody is the ten bytes that Kafka writes', () => {
  const empty = Uint8Array.of(0, 1, 0x48, 0x67, 0x4b, 0xc7, 0, 0, 0, 0)
  expect(serializeProducerSnapshot([])).toEqual(empty)
  expect(parseProducerSnapshot(empty)).toEqual([])
})

test('A producer snapshot keeps its order and every value over a round trip', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ({ producerId }) => producerId, maxLength: 40 }),
      (entries) => {
        const bytes = serializeProducerSnapshot(entries)
        expect(bytes.length).toBe(10 + 46 * entries.length)
        const parsed = parseProducerSnapshot(bytes)
        expect(new Set(parsed)).toEqual(new Set(entries))
        expect(Buffer.compare(serializeProducerSnapshot(parsed), bytes)).toBe(0)
      },
    ),
  )
})

test('A producer snapshot lists producers in the order of the buckets of a Java HashMap', () => {
  const template = {
    epoch: 0,
    lastSequence: 0,
    lastOffset: 0,
    offsetDelta: 0,
    timestamp: 0,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  }
  const idsOf = (ids: number[]) =>
    parseProducerSnapshot(
      serializeProducerSnapshot(ids.map((producerId) => ({ ...template, producerId }))),
    ).map(({ producerId }) => producerId)
  // 16 buckets: 16 shares one with 0, 2^32 hashes like 1, 65536 like 1.
  expect(idsOf([17, 16, 3, 0])).toEqual([16, 0, 17, 3])
  expect(idsOf([2, 2 ** 32, 65536, 0])).toEqual([0, 2 ** 32, 65536, 2])
  // 13 producers need 32 buckets.
  expect(idsOf([31, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 31,
  ])
})

test('A producer snapshot with any bit flipped is refused', () => {
  const bytes = serializeProducerSnapshot([
    {
      producerId: 1,
      epoch: 2,
      lastSequence: 3,
      lastOffset: 4,
      offsetDelta: 1,
      timestamp: 5,
      coordinatorEpoch: 6,
      currentTxnFirstOffset: 4,
    },
  ])
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => parseProducerSnapshot(flipped), `bit ${bit}`).toThrow('The producer snapshot has')
  }
})

test('A producer snapshot that was cut is refused', () => {
  const bytes = serializeProducerSnapshot([])
  for (let size = 0; size < bytes.length; size++) {
    expect(() => parseProducerSnapshot(bytes.subarray(0, size))).toThrow(
      'The producer snapshot has',
    )
  }
})
