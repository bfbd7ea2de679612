// What of a log may be compacted, and whether it is due.
import { expect, test } from 'vitest'
import { assessLog, type CleanableLog } from '#storage/upkeep/cleanable.ts'

const NOW = 1_000_000
/** Four sealed segments of ten offsets and 100 bytes each, and an active one. */
const LOG: CleanableLog = {
  segments: [0, 10, 20, 30, 40].map((baseOffset, index) => ({
    baseOffset,
    size: 100,
    firstTimestamp: NOW - 5_000 + index * 1_000,
    largestTimestamp: NOW - 4_000 + index * 1_000,
  })),
  logStartOffset: 0,
  logEndOffset: 45,
  lastStableOffset: 45,
  recoveryPoint: 45,
  config: { minCompactionLagMs: 0, maxCompactionLagMs: Infinity, minCleanableDirtyRatio: 0.5 },
}

test.each([
  { why: 'to the active segment', log: {}, end: 40 },
  { why: 'to the segment of an open transaction', log: { lastStableOffset: 27 }, end: 20 },
  { why: 'to a stable offset between two segments', log: { lastStableOffset: 30 }, end: 30 },
  { why: 'to what is not on disk', log: { recoveryPoint: 19 }, end: 10 },
  { why: 'not below the checkpoint', log: { lastStableOffset: 5 }, checkpoint: 20, end: 20 },
  { why: 'to the first young segment', lag: 2_000, end: 30 },
  { why: 'to one that is exactly old enough', lag: 1_000, end: 40 },
  { why: 'to a dirty young segment, never mind clean ones', lag: 9_000, checkpoint: 20, end: 20 },
])('assessLog() lets compaction go $why', ({ log = {}, lag = 0, checkpoint, end }) => {
  const config = { ...LOG.config, minCompactionLagMs: lag }
  const range = assessLog({ ...LOG, ...log, config }, checkpoint, NOW)
  expect(range.firstUncleanableOffset).toBe(end)
})

test.each([
  {
    why: 'the log start without a checkpoint',
    log: { logStartOffset: 3 },
    from: 3,
    isReset: false,
  },
  { why: 'the checkpoint', checkpoint: 20, from: 20, isReset: false },
  { why: 'the checkpoint at the end', checkpoint: 45, from: 45, isReset: false },
  { why: 'the log start beyond the end', checkpoint: 46, from: 0, isReset: true },
  {
    why: 'the log start when that passed it',
    log: { logStartOffset: 21 },
    checkpoint: 20,
    from: 21,
    isReset: true,
  },
])('assessLog() calls a log dirty from $why', ({ log = {}, checkpoint, from, isReset }) => {
  const range = assessLog({ ...LOG, ...log }, checkpoint, NOW)
  expect(range).toMatchObject({ firstDirtyOffset: from, isReset })
})

test.each([
  { why: 'a log that was never cleaned', checkpoint: undefined, ratio: 1, isDue: true },
  { why: 'a log that is half dirty', checkpoint: 20, ratio: 0.5, isDue: false },
  { why: 'a log that is a bit more dirty', checkpoint: 10, ratio: 0.75, isDue: true },
  // A segment that is dirty in part counts on both sides.
  { why: 'a log that is dirty from within a segment on', checkpoint: 15, ratio: 0.6, isDue: true },
  { why: 'a clean log', checkpoint: 40, ratio: 0, isDue: false },
])('assessLog() weighs $why', ({ checkpoint, ratio, isDue }) => {
  expect(assessLog(LOG, checkpoint, NOW)).toMatchObject({ dirtyRatio: ratio, isDue })
})

test.each([
  { why: 'a dirty record is too old', lag: 1_999, checkpoint: 30, isDue: true },
  { why: 'none is older than it may be', lag: 2_000, checkpoint: 30, isDue: false },
  { why: 'only the active segment is dirty', lag: 1, checkpoint: 40, isDue: false },
  { why: 'nothing may be compacted', lag: 1, checkpoint: 30, stable: 30, isDue: false },
])('assessLog() says whether compaction must not wait when $why', (given) => {
  const { lag, checkpoint, stable = 45, isDue } = given
  const config = { ...LOG.config, maxCompactionLagMs: lag, minCleanableDirtyRatio: 1 }
  const log = { ...LOG, lastStableOffset: stable, config }
  expect(assessLog(log, checkpoint, NOW).isDue).toBe(isDue)
})

test('assessLog() finds nothing in an empty log', () => {
  const [empty] = LOG.segments
  const segments = empty ? [{ ...empty, size: 0 }] : []
  const log = { ...LOG, segments, logEndOffset: 0, lastStableOffset: 0, recoveryPoint: 0 }
  const range = assessLog(log, undefined, NOW)
  expect(range).toMatchObject({ firstUncleanableOffset: 0, dirtyRatio: 0, isDue: false })
})
