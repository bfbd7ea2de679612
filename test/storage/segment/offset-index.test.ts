// The `.index` file.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OffsetIndex } from '#storage/segment/offset-index.ts'

function indexOf(baseOffset: number, offsets: readonly number[]): OffsetIndex {
  const index = new OffsetIndex(baseOffset)
  for (const [at, offset] of offsets.entries()) index.append({ offset, position: (at + 1) * 4096 })
  return index
}

test.each([
  {
    why: 'below the first entry, the segment start',
    offset: 105,
    found: { offset: 100, position: 0 },
  },
  { why: 'at an entry, that one', offset: 120, found: { offset: 120, position: 8192 } },
  { why: 'between entries, the one below', offset: 129, found: { offset: 120, position: 8192 } },
  { why: 'above the last entry, the last', offset: 9999, found: { offset: 130, position: 12288 } },
  { why: 'below the segment, its start', offset: 3, found: { offset: 100, position: 0 } },
])('OffsetIndex.lookup() finds, $why', ({ offset, found }) => {
  expect(indexOf(100, [110, 120, 130]).lookup(offset)).toEqual(found)
})

const ascending = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { maxLength: 200 })

test('OffsetIndex.lookup() agrees with a linear scan', () => {
  fc.assert(
    fc.property(ascending, fc.nat(1100), fc.nat(2 ** 40), (unsorted, target, baseOffset) => {
      const offsets = unsorted.toSorted((a, b) => a - b)
      const expected = offsets.findLast((offset) => offset <= target) ?? 0
      const index = indexOf(
        baseOffset,
        offsets.map((offset) => baseOffset + offset),
      )
      expect(index.lookup(baseOffset + target).offset).toBe(baseOffset + expected)
    }),
  )
})

test('OffsetIndex.truncateTo() keeps exactly the entries below the offset', () => {
  fc.assert(
    fc.property(ascending, fc.nat(1100), (unsorted, target) => {
      const offsets = unsorted.toSorted((a, b) => a - b)
      const index = indexOf(0, offsets)
      index.truncateTo(target)
      const kept = offsets.filter((offset) => offset < target)
      expect(index.entries).toBe(kept.length)
      expect(index.lastOffset).toBe(kept.at(-1) ?? 0)
    }),
  )
})

test('OffsetIndex.parse() reads back what toBytes() wrote, whatever zeros and ragged end follow', () => {
  fc.assert(
    fc.property(ascending, fc.nat(50), (unsorted, padding) => {
      const offsets = unsorted.toSorted((a, b) => a - b)
      const bytes = indexOf(
        7,
        offsets.map((offset) => offset + 7),
      ).toBytes()
      const padded = new Uint8Array(bytes.length + padding)
      padded.set(bytes)
      const parsed = OffsetIndex.parse(7, padded)
      expect(parsed.entries).toBe(offsets.length)
      expect(Buffer.compare(parsed.toBytes(), bytes)).toBe(0)
    }),
  )
})

test('OffsetIndex.parse() leaves out a ragged last entry', () => {
  const bytes = indexOf(0, [5, 9]).toBytes()
  const ragged = Uint8Array.of(...bytes, 0, 0, 0, 20, 1)
  expect(OffsetIndex.parse(0, ragged).lastEntry).toEqual({ offset: 9, position: 8192 })
})

test('OffsetIndex.parse() counts an entry whose low bytes are zero', () => {
  const bytes = Uint8Array.of(0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  expect(OffsetIndex.parse(0, bytes).lastEntry).toEqual({ offset: 256, position: 65536 })
})

test('OffsetIndex.toBytes() is two big-endian int32 columns', () => {
  const bytes = indexOf(1000, [1001, 1258]).toBytes()
  expect([...bytes]).toEqual([0, 0, 0, 1, 0, 0, 16, 0, 0, 0, 1, 2, 0, 0, 32, 0])
})

test('OffsetIndex.unwritten() adds up to the whole file however often it is written', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('append', 'write', 'cut'), { maxLength: 60 }), (steps) => {
      const index = new OffsetIndex(0)
      let file = new Uint8Array(0)
      for (const step of steps) {
        const next = index.lastEntry.offset + 2
        if (step === 'append') index.append({ offset: next, position: next * 10 })
        if (step === 'cut') index.truncateTo(index.lastOffset)
        const { bytes, position } = index.unwritten()
        expect(position).toBeLessThanOrEqual(index.sizeInBytes)
        if (step !== 'write') continue
        file = Uint8Array.of(...file.subarray(0, position), ...bytes)
        index.markWritten()
      }
      const { bytes, position } = index.unwritten()
      file = Uint8Array.of(...file.subarray(0, position), ...bytes)
      expect(Buffer.compare(file, index.toBytes())).toBe(0)
    }),
  )
})

test('OffsetIndex.markWritten(false) makes everything unwritten again', () => {
  const index = OffsetIndex.parse(0, indexOf(0, [5, 9]).toBytes())
  expect(index.unwritten()).toEqual({ bytes: new Uint8Array(0), position: 16 })
  index.markWritten(false)
  expect(index.unwritten().bytes.length).toBe(16)
})

test.each([
  { maxBytes: 24, isFull: true },
  { maxBytes: 31, isFull: true },
  { maxBytes: 32, isFull: false },
])('OffsetIndex.isFull() of 3 entries in $maxBytes bytes is $isFull', ({ maxBytes, isFull }) => {
  expect(indexOf(0, [1, 2, 3]).isFull(maxBytes)).toBe(isFull)
})

test.each([
  { why: 'the same offset', entry: { offset: 130, position: 99999 } },
  { why: 'the same position', entry: { offset: 131, position: 12288 } },
  { why: 'an offset beyond int32', entry: { offset: 100 + 2 ** 31, position: 99999 } },
])('OffsetIndex.append() refuses $why', ({ entry }) => {
  expect(() => indexOf(100, [110, 120, 130]).append(entry)).toThrow('must')
})

test.each([
  { why: 'a sound index', bytes: indexOf(0, [1, 2]).toBytes(), logBytes: 8193, sound: true },
  { why: 'an empty index', bytes: new Uint8Array(0), logBytes: 0, sound: true },
  {
    why: 'a position at the log end',
    bytes: indexOf(0, [1, 2]).toBytes(),
    logBytes: 8192,
    sound: false,
  },
  {
    why: 'offsets that fall',
    bytes: Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2),
    logBytes: 99,
    sound: false,
  },
  {
    why: 'a negative offset',
    bytes: Uint8Array.of(255, 0, 0, 2, 0, 0, 0, 1),
    logBytes: 99,
    sound: false,
  },
])('OffsetIndex.validate() judges $why', ({ bytes, logBytes, sound }) => {
  expect(OffsetIndex.parse(0, bytes).validate(logBytes) === undefined).toBe(sound)
})
