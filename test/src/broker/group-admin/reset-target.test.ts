// What a reset makes of one partition: Kafka's ConsumerGroupCommand decides what is right.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ResetFacts,
  type ResetTarget,
  resetPartition,
} from '#src/broker/group-admin/reset-target.ts'

/** Offsets 10 to 20, one record each 100 ms from time 1000 on. */
function facts(committed: number | null): ResetFacts {
  return {
    topic: 't',
    partition: 0,
    committed,
    logStartOffset: 10,
    logEndOffset: 20,
    offsetAt: (time) => 10 + Math.min(10, Math.max(0, Math.ceil((Number(time) - 1000) / 100))),
  }
}

test.each<{
  why: string
  target: ResetTarget
  from: number | null
  to: number
  isClamped?: true
  readAgain?: number
  skipped?: number
}>([
  { why: 'earliest', target: 'earliest', from: 15, to: 10, readAgain: 5 },
  { why: 'latest', target: 'latest', from: 15, to: 20, skipped: 5 },
  { why: 'an offset back', target: { offset: 12 }, from: 15, to: 12, readAgain: 3 },
  { why: 'an offset on', target: { offset: 18 }, from: 15, to: 18, skipped: 3 },
  { why: 'the same offset', target: { offset: 15 }, from: 15, to: 15 },
  { why: 'the first offset', target: { offset: 10 }, from: 10, to: 10 },
  { why: 'the end itself', target: { offset: 20 }, from: 20, to: 20 },
  {
    why: 'an offset before the log',
    target: { offset: 3 },
    from: 15,
    to: 10,
    isClamped: true,
    readAgain: 5,
  },
  {
    why: 'an offset after the end',
    target: { offset: 21 },
    from: 15,
    to: 20,
    isClamped: true,
    skipped: 5,
  },
  { why: 'a negative offset', target: { offset: -1 }, from: 10, to: 10, isClamped: true },
  { why: 'a time', target: { timestamp: 1400 }, from: 15, to: 14, readAgain: 1 },
  { why: 'a time between two records', target: { timestamp: 1401 }, from: 15, to: 15 },
  { why: 'a time before all records', target: { timestamp: -5 }, from: 15, to: 10, readAgain: 5 },
  { why: 'a time after all records', target: { timestamp: 9e12 }, from: 15, to: 20, skipped: 5 },
  { why: 'a shift back', target: { shiftBy: -2 }, from: 15, to: 13, readAgain: 2 },
  { why: 'a shift on', target: { shiftBy: 2 }, from: 15, to: 17, skipped: 2 },
  { why: 'no shift', target: { shiftBy: 0 }, from: 15, to: 15 },
  {
    why: 'a shift too far back',
    target: { shiftBy: -9 },
    from: 15,
    to: 10,
    isClamped: true,
    readAgain: 5,
  },
  {
    why: 'a shift too far on',
    target: { shiftBy: 9 },
    from: 15,
    to: 20,
    isClamped: true,
    skipped: 5,
  },
  { why: 'the current offset', target: 'current', from: 15, to: 15 },
  // Kafka commits again what is committed, even where the log has gone on without it.
  { why: 'the current offset before the log', target: 'current', from: 3, to: 3 },
  { why: 'the current offset after the end', target: 'current', from: 30, to: 30 },
  // Records that retention has removed can't be passed over.
  { why: 'from before the log on', target: { offset: 12 }, from: 3, to: 12, skipped: 2 },
  { why: 'from after the end back', target: 'latest', from: 30, to: 20 },
])('resetPartition() to $why: $from becomes $to', ({ target, from, to, ...rest }) => {
  expect(resetPartition(target, facts(from))).toEqual({
    topic: 't',
    partition: 0,
    from,
    to,
    logStartOffset: 10,
    logEndOffset: 20,
    isClamped: rest.isClamped ?? false,
    readAgain: rest.readAgain ?? 0,
    skipped: rest.skipped ?? 0,
  })
})

test.each<{ target: ResetTarget; to: number }>([
  { target: 'earliest', to: 10 },
  { target: 'latest', to: 20 },
  { target: 'current', to: 20 },
  { target: { offset: 12 }, to: 12 },
  { target: { timestamp: 1500 }, to: 15 },
])(
  'resetPartition() to $target where nothing is committed gives $to, and counts nothing',
  (row) => {
    expect(resetPartition(row.target, facts(null))).toMatchObject({
      from: null,
      to: row.to,
      readAgain: null,
      skipped: null,
    })
  },
)

test('resetPartition() refuses to shift what is not committed', () => {
  expect(() => resetPartition({ shiftBy: -1 }, facts(null))).toThrow(
    'The group has committed nothing for t-0 that could be shifted',
  )
})

test('resetPartition() stays in the log, and counts what lies between', () => {
  const log = fc.tuple(fc.nat(100), fc.nat(100))
  const target = fc.oneof(
    fc.constantFrom<ResetTarget>('earliest', 'latest'),
    fc.integer({ min: -50, max: 250 }).map((offset) => ({ offset })),
    fc.integer({ min: -250, max: 250 }).map((shiftBy) => ({ shiftBy })),
  )
  fc.assert(
    fc.property(log, target, fc.nat(250), ([start, length], where, committed) => {
      const end = start + length
      const reset = resetPartition(where, {
        ...facts(committed),
        logStartOffset: start,
        logEndOffset: end,
      })
      expect(reset.to).toBeGreaterThanOrEqual(start)
      expect(reset.to).toBeLessThanOrEqual(end)
      const offsets = Array.from({ length }, (_, index) => start + index)
      const isRead = (position: number) => (offset: number) => offset >= position
      const before = offsets.filter(isRead(committed))
      const after = offsets.filter(isRead(reset.to))
      expect(reset.readAgain).toBe(Math.max(0, after.length - before.length))
      expect(reset.skipped).toBe(Math.max(0, before.length - after.length))
    }),
  )
})
