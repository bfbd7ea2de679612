// Which segments retention takes.
import { expect, test } from 'vitest'
import { countDeletableSegments, type RetentionLimits } from '#storage/log/retention.ts'

const LIMITS: RetentionLimits = {
  now: 1000,
  retentionMs: Infinity,
  retentionBytes: Infinity,
  logStartOffset: 0,
  highWatermark: 40,
  isDeleting: true,
}

/** Four segments of ten offsets and 100 bytes, with timestamps 100, 200, 300 and 400. */
const segments = [0, 10, 20, 30].map((baseOffset, index) => ({
  baseOffset,
  nextOffset: 40,
  size: 100,
  largestTimestamp: (index + 1) * 100,
}))

test.each([
  { why: 'no limit is breached', limits: {}, count: 0 },
  { why: 'the log start lies in the second', limits: { logStartOffset: 19 }, count: 1 },
  { why: 'the log start is the third', limits: { logStartOffset: 20 }, count: 2 },
  { why: 'the log start is the end', limits: { logStartOffset: 40 }, count: 3 },
  { why: 'the rest would be too small', limits: { retentionBytes: 350 }, count: 0 },
  { why: 'the rest is exactly enough', limits: { retentionBytes: 300 }, count: 1 },
  { why: 'nothing may stay', limits: { retentionBytes: 0 }, count: 4 },
  { why: 'one is exactly old enough to stay', limits: { retentionMs: 900 }, count: 0 },
  { why: 'one is too old', limits: { retentionMs: 899 }, count: 1 },
  { why: 'all are too old', limits: { retentionMs: 1 }, count: 4 },
  { why: 'the high watermark holds', limits: { retentionMs: 1, highWatermark: 25 }, count: 2 },
  { why: 'the topic is only compacted', limits: { retentionMs: 1, isDeleting: false }, count: 0 },
])('countDeletableSegments() is $count when $why', ({ limits, count }) => {
  expect(countDeletableSegments(segments, { ...LIMITS, ...limits })).toBe(count)
})

test('countDeletableSegments() stops at a segment that is young, and leaves an empty last one', () => {
  const [first, , third] = segments
  const young = { baseOffset: 10, nextOffset: 40, size: 100, largestTimestamp: 2n ** 60n }
  const limits = { ...LIMITS, retentionMs: 1 }
  if (!first || !third) throw new Error('There are four')
  expect(countDeletableSegments([first, young, third], limits)).toBe(1)
  const empty = { baseOffset: 40, nextOffset: 40, size: 0, largestTimestamp: 0 }
  expect(countDeletableSegments([...segments, empty], limits)).toBe(4)
})

test('countDeletableSegments() takes by age what is first once size has taken its part', () => {
  const [first, , third, fourth] = segments
  const young = { baseOffset: 10, nextOffset: 40, size: 100, largestTimestamp: 999 }
  if (!first || !third || !fourth) throw new Error('There are four')
  const limits = { ...LIMITS, retentionMs: 650, retentionBytes: 200 }
  expect(countDeletableSegments([first, young, third, fourth], limits)).toBe(3)
})
