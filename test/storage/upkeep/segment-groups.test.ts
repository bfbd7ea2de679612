// Which segments become one.
import { expect, test } from 'vitest'
import { groupSegments } from '#storage/upkeep/segment-groups.ts'

const LIMITS = { segmentBytes: 100, segmentIndexBytes: 50, endOffset: 1000 }
const segment = (baseOffset: number, size: number, indexBytes = 8, timeIndexBytes = 12) => ({
  baseOffset,
  size,
  indexBytes,
  timeIndexBytes,
})
const FAR = 2_147_483_647

test.each([
  { why: 'nothing of nothing', segments: [], groups: [] },
  { why: 'one alone, however large', segments: [segment(0, 500)], groups: [[0]] },
  {
    why: 'as many as fit exactly',
    segments: [segment(0, 60), segment(10, 40), segment(20, 1)],
    groups: [[0, 10], [20]],
  },
  {
    why: 'a large one apart from its neighbours',
    segments: [segment(0, 1), segment(10, 500), segment(20, 1)],
    groups: [[0], [10], [20]],
  },
  {
    why: 'no more than an offset index holds',
    segments: [segment(0, 1, 26), segment(10, 1, 24), segment(20, 1, 1)],
    groups: [[0, 10], [20]],
  },
  {
    why: 'no more than a time index holds',
    segments: [segment(0, 1, 0, 26), segment(10, 1, 0, 25), segment(20, 1, 0, 25)],
    groups: [[0], [10, 20]],
  },
  {
    why: 'offsets that an index can name',
    segments: [segment(5, 1), segment(10, 1), segment(6 + FAR, 1)],
    endOffset: 7 + FAR,
    groups: [[5, 10], [6 + FAR]],
  },
  {
    why: 'the last one by the end of what is cleaned',
    segments: [segment(5, 1), segment(10, 1)],
    endOffset: 7 + FAR,
    groups: [[5], [10]],
  },
  {
    why: 'an empty one with any',
    segments: [segment(5, 1), segment(10, 0), segment(FAR * 3, 0)],
    groups: [[5, 10, FAR * 3]],
  },
])('groupSegments() makes $why', ({ segments, groups, endOffset }) => {
  const found = groupSegments(segments, {
    ...LIMITS,
    ...(endOffset !== undefined && { endOffset }),
  })
  expect(found.map((group) => group.map(({ baseOffset }) => baseOffset))).toEqual(groups)
})
