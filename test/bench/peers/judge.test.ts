// Medians, ratios and verdicts of a bench.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge, ratioOf, spread } from '../../../bench/peers/judge.ts'
import type { SideResult, Target } from '../../../bench/peers/result.ts'

const side = (name: string, values: readonly (number | null)[]): SideResult => ({
  name,
  title: name,
  rounds: values.map((value) => (value === null ? null : { cpuPerMillion: value })),
  failures: [],
})

test.each([
  { why: 'nothing of nothing', of: [], found: undefined },
  { why: 'the one there is', of: [3], found: [3, 3, 3] },
  { why: 'the middle of an odd count, whatever the order', of: [9, 1, 4], found: [4, 1, 9] },
  { why: 'the mean of the middle two of an even count', of: [1, 2, 4, 100], found: [3, 1, 100] },
  { why: 'nothing that is not a number', of: [Number.NaN, 2], found: [2, 2, 2] },
])('spread() finds $why', ({ of, found }) => {
  const { median, lowest, highest } = spread(of) ?? {}
  expect(spread(of) && [median, lowest, highest]).toEqual(found)
})

test('spread() has as many numbers on either side of the median', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (numbers) => {
      const median = spread(numbers)?.median ?? Number.NaN
      const below = numbers.filter((number) => number < median).length
      const above = numbers.filter((number) => number > median).length
      expect(Math.max(below, above)).toBeLessThanOrEqual(numbers.length / 2)
    }),
  )
})

test('ratioOf() divides round by round, and leaves out rounds that one side failed', () => {
  // Divided as wholes, 30 would stand over 20.
  const ours = side('millrace', [10, 30, 50, 1, null])
  const theirs = side('kafka', [20, 20, 200, null, 1])
  expect(ratioOf(ours, theirs, 'cpuPerMillion')).toEqual({
    median: 0.5,
    lowest: 0.25,
    highest: 1.5,
    count: 3,
  })
})

test('ratioOf() is nothing over zero', () => {
  expect(ratioOf(side('a', [1]), side('b', [0]), 'cpuPerMillion')).toBeUndefined()
})

const target = (rest: Partial<Target>): Target => ({
  metric: 'cpuPerMillion',
  of: 'millrace',
  over: 'kafka',
  comparison: '<=',
  limit: 0.5,
  ...rest,
})
test.each([
  { why: 'a ratio at its upper limit', target: target({}), verdict: 'hit' },
  { why: 'a ratio above it', target: target({ limit: 0.49 }), verdict: 'missed' },
  {
    why: 'a ratio below its lower one',
    target: target({ comparison: '>=', limit: 0.6 }),
    verdict: 'missed',
  },
  { why: 'a ratio at its lower one', target: target({ comparison: '>=' }), verdict: 'hit' },
  { why: 'a side nobody has', target: target({ over: 'other' }), verdict: 'not measured' },
  { why: 'a metric nobody has', target: target({ metric: 'p50Us' }), verdict: 'not measured' },
])('judge() says of $why: $verdict', ({ target, verdict }) => {
  const sides = [side('kafka', [2, 4, 8]), side('millrace', [1, 2, 4])]
  const result = { name: 'case', title: '', group: '', sides, targets: [target] }
  expect(judge(result).map((one) => one.verdict)).toEqual([verdict])
})

test('judge() takes the figure itself when there is nothing to divide by', () => {
  const alone: Target = { metric: 'cpuPerMillion', of: 'millrace', comparison: '<=', limit: 3 }
  const sides = [side('millrace', [1, 3, 40])]
  const [found] = judge({ name: 'case', title: '', group: '', sides, targets: [alone] })
  expect([found?.verdict, found?.found?.median]).toEqual(['hit', 3])
})
