// The `.timeindex` file.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Int64 } from '#storage/bytes/int64.ts'
import { TimeIndex, type TimestampOffset } from '#storage/segment/time-index.ts'

function indexOf(baseOffset: number, entries: readonly (readonly [Int64, number])[]): TimeIndex {
  const index = new TimeIndex(baseOffset)
  for (const [timestamp, offset] of entries) index.maybeAppend({ timestamp, offset })
  return index
}

const NANOSECONDS = 1_763_838_515_000_000_001n

test.each<{ why: string; timestamp: Int64; found: TimestampOffset }>([
  { why: 'below the first entry, none', timestamp: 9, found: { timestamp: -1, offset: 100 } },
  { why: 'at an entry, that one', timestamp: 10, found: { timestamp: 10, offset: 105 } },
  { why: 'between entries, the one below', timestamp: 19, found: { timestamp: 10, offset: 105 } },
  {
    why: 'beyond 2^53, as exactly',
    timestamp: NANOSECONDS,
    found: { timestamp: NANOSECONDS, offset: 130 },
  },
  {
    why: 'one below such a timestamp, the one before',
    timestamp: NANOSECONDS - 1n,
    found: { timestamp: 20, offset: 120 },
  },
])('TimeIndex.lookup() finds, $why', ({ timestamp, found }) => {
  const index = indexOf(100, [
    [10, 105],
    [20, 120],
    [NANOSECONDS, 130],
  ])
  expect(index.lookup(timestamp)).toEqual(found)
})

test('TimeIndex.maybeAppend() adds only a larger timestamp', () => {
  const index = new TimeIndex(0)
  expect(index.maybeAppend({ timestamp: -1, offset: 0 })).toBe(false)
  expect(index.maybeAppend({ timestamp: 0, offset: 0 })).toBe(true)
  expect(index.maybeAppend({ timestamp: 0, offset: 5 })).toBe(false)
  expect(index.maybeAppend({ timestamp: 1, offset: 5 })).toBe(true)
  expect(index.entries).toBe(2)
  expect(() => index.maybeAppend({ timestamp: 0, offset: 6 })).toThrow('must not lie below')
  expect(() => index.maybeAppend({ timestamp: 2, offset: 4 })).toThrow('must not lie below')
})

const entries = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(50)), { maxLength: 100 })
  .map((steps) => {
    let [timestamp, offset] = [0, 0]
    return steps.map(([time, count]): [number, number] => {
      timestamp += time
      offset += count
      return [timestamp, offset]
    })
  })

test('TimeIndex agrees with a linear scan on lookup and truncation', () => {
  fc.assert(
    fc.property(entries, fc.nat(5000), fc.nat(5000), (pairs, time, cut) => {
      const index = indexOf(0, pairs)
      const [timestamp, offset] = pairs.findLast(([at]) => at <= time) ?? [-1, 0]
      expect(index.lookup(time)).toEqual({ timestamp, offset })
      index.truncateTo(cut)
      expect(index.entries).toBe(pairs.filter(([, at]) => at < cut).length)
    }),
  )
})

test('TimeIndex.parse() reads back what toBytes() wrote, whatever zeros follow', () => {
  fc.assert(
    fc.property(entries, fc.nat(100), (pairs, padding) => {
      const bytes = indexOf(0, pairs).toBytes()
      const padded = new Uint8Array(bytes.length + padding)
      padded.set(bytes)
      if (padded.length === 12 && bytes.length === 0) return
      expect(Buffer.compare(TimeIndex.parse(0, padded).toBytes(), bytes)).toBe(0)
    }),
  )
})

test('TimeIndex.parse() takes a single zero entry for timestamp 0, and more zeros for padding', () => {
  expect(TimeIndex.parse(0, new Uint8Array(12)).lastEntry).toEqual({ timestamp: 0, offset: 0 })
  expect(TimeIndex.parse(0, new Uint8Array(4092)).entries).toBe(0)
})

test('TimeIndex.toBytes() is an int64 and an int32, big-endian', () => {
  const bytes = indexOf(10, [[0x0102030405, 13]]).toBytes()
  expect([...bytes]).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 3])
})

test.each([
  { maxBytes: 36, isFull: true },
  { maxBytes: 47, isFull: true },
  { maxBytes: 48, isFull: false },
])('TimeIndex.isFull() keeps a slot in reserve: 2 entries in $maxBytes bytes, $isFull', (row) => {
  const index = indexOf(0, [
    [1, 1],
    [2, 2],
  ])
  expect(index.isFull(row.maxBytes)).toBe(row.isFull)
})

test.each([
  {
    why: 'a sound index',
    bytes: indexOf(0, [
      [1, 1],
      [2, 1],
    ]).toBytes(),
    end: 2,
    sound: true,
  },
  { why: 'an offset at the log end', bytes: indexOf(0, [[1, 1]]).toBytes(), end: 1, sound: false },
  {
    why: 'timestamps that stand still',
    bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2),
    end: 9,
    sound: false,
  },
])('TimeIndex.validate() judges $why', ({ bytes, end, sound }) => {
  expect(TimeIndex.parse(0, bytes).validate(end) === undefined).toBe(sound)
})
