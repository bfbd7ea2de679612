// Leader epochs and the offsets where they begin.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type EpochStart,
  LeaderEpochCache,
  parseLeaderEpochs,
  serializeLeaderEpochs,
} from '#storage/state/leader-epoch-cache.ts'

function cacheOf(...pairs: [epoch: number, startOffset: number][]): LeaderEpochCache {
  return new LeaderEpochCache(pairs.map(([epoch, startOffset]) => ({ epoch, startOffset })))
}

const pairsOf = (cache: LeaderEpochCache) =>
  cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

test.each([
  { why: 'the latest ends at the log end', asked: 5, epoch: 5, endOffset: 100 },
  { why: 'a known one ends where the next begins', asked: 2, epoch: 2, endOffset: 40 },
  { why: 'one between known ones stands for the lower', asked: 4, epoch: 2, endOffset: 40 },
  { why: 'one before all ends at the first start', asked: 0, epoch: 0, endOffset: 10 },
  { why: 'one beyond all is unknown', asked: 6, epoch: -1, endOffset: -1 },
  { why: '-1 is unknown', asked: -1, epoch: -1, endOffset: -1 },
])('LeaderEpochCache.endOffsetFor() says: $why', ({ asked, epoch, endOffset }) => {
  expect(cacheOf([1, 10], [2, 20], [5, 40]).endOffsetFor(asked, 100)).toEqual({ epoch, endOffset })
})

test('LeaderEpochCache.endOffsetFor() knows nothing when empty', () => {
  expect(cacheOf().endOffsetFor(0, 100)).toEqual({ epoch: -1, endOffset: -1 })
})

test.each([
  {
    why: 'a later one goes to the end',
    assign: [6, 50],
    isNews: true,
    left: [
      [1, 10],
      [2, 20],
      [5, 40],
      [6, 50],
    ],
  },
  {
    why: 'the latest again is no news',
    assign: [5, 70],
    isNews: false,
    left: [
      [1, 10],
      [2, 20],
      [5, 40],
    ],
  },
  {
    why: 'the latest with an earlier start moves',
    assign: [5, 30],
    isNews: true,
    left: [
      [1, 10],
      [2, 20],
      [5, 30],
    ],
  },
  {
    why: 'the same start replaces',
    assign: [6, 40],
    isNews: true,
    left: [
      [1, 10],
      [2, 20],
      [6, 40],
    ],
  },
  {
    why: 'a lower epoch drops the higher',
    assign: [3, 60],
    isNews: true,
    left: [
      [1, 10],
      [2, 20],
      [3, 60],
    ],
  },
  {
    why: 'an earlier start drops the later',
    assign: [6, 15],
    isNews: true,
    left: [
      [1, 10],
      [6, 15],
    ],
  },
  { why: 'one before all drops all', assign: [0, 0], isNews: true, left: [[0, 0]] },
])('LeaderEpochCache.assign(): $why', ({ assign: [epoch = 0, startOffset = 0], isNews, left }) => {
  const cache = cacheOf([1, 10], [2, 20], [5, 40])
  const { revision } = cache
  expect(cache.assign({ epoch, startOffset })).toBe(isNews)
  expect(pairsOf(cache)).toEqual(left)
  expect(cache.revision > revision).toBe(isNews)
})

test.each([
  {
    endOffset: 41,
    left: [
      [1, 10],
      [2, 20],
      [5, 40],
    ],
  },
  {
    endOffset: 40,
    left: [
      [1, 10],
      [2, 20],
    ],
  },
  { endOffset: 0, left: [] },
])(
  'LeaderEpochCache.truncateFromEnd($endOffset) keeps what begins below',
  ({ endOffset, left }) => {
    const cache = cacheOf([1, 10], [2, 20], [5, 40])
    cache.truncateFromEnd(endOffset)
    expect(pairsOf(cache)).toEqual(left)
  },
)

test.each([
  {
    startOffset: 5,
    left: [
      [1, 10],
      [2, 20],
      [5, 40],
    ],
    isChange: false,
  },
  {
    startOffset: 10,
    left: [
      [1, 10],
      [2, 20],
      [5, 40],
    ],
    isChange: false,
  },
  {
    startOffset: 25,
    left: [
      [2, 25],
      [5, 40],
    ],
    isChange: true,
  },
  { startOffset: 40, left: [[5, 40]], isChange: true },
  { startOffset: 90, left: [[5, 90]], isChange: true },
])('LeaderEpochCache.truncateFromStart($startOffset) collapses what lies below', (row) => {
  const cache = cacheOf([1, 10], [2, 20], [5, 40])
  cache.truncateFromStart(row.startOffset)
  expect(pairsOf(cache)).toEqual(row.left)
  expect(cache.revision > 0).toBe(row.isChange)
})

test('LeaderEpochCache stays ascending, and epochOf() agrees with the last assignment below', () => {
  const assignment = fc.record({ epoch: fc.nat(20), startOffset: fc.nat(200) })
  fc.assert(
    fc.property(fc.array(assignment), fc.nat(250), (assignments, offset) => {
      const cache = new LeaderEpochCache(assignments)
      const { entries } = cache
      for (const [at, entry] of entries.entries()) {
        const before: EpochStart = entries[at - 1] ?? { epoch: -1, startOffset: -1 }
        expect(entry.epoch).toBeGreaterThan(before.epoch)
        expect(entry.startOffset).toBeGreaterThan(before.startOffset)
      }
      expect(cache.epochOf(offset)).toBe(
        entries.filter((entry) => entry.startOffset <= offset).at(-1)?.epoch,
      )
      const last = assignments.at(-1)
      if (last) expect(cache.latestEpoch).toBe(last.epoch)
    }),
  )
})

test('A leader epoch checkpoint is a version, a count and a line for each epoch', () => {
  const cache = cacheOf([0, 0], [2, 312])
  const bytes = serializeLeaderEpochs(cache.entries)
  expect(new TextDecoder().decode(bytes)).toBe('0\n2\n0 0\n2 312\n')
  expect(parseLeaderEpochs(bytes)).toEqual(cache.entries)
  expect(parseLeaderEpochs(new Uint8Array(0))).toEqual([])
})

test.each([
  '1\n0\n',
  '0\n1\n',
  '0\n1\n0\n',
  '0\n1\n0 x\n',
  '0\n1\n0 1 2\n',
  '0\n0\n0 0\n',
  'zero',
  '0\n1\n-1 0\n',
])('A leader epoch checkpoint with the content %j is refused', (text) => {
  expect(() => parseLeaderEpochs(new TextEncoder().encode(text))).toThrow(
    'The file leader-epoch-checkpoint',
  )
})
