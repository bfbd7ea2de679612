// Assignments against sets of names.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Assignment,
  countPartitions,
  EMPTY_ASSIGNMENT,
  intersect,
  isEmpty,
  minus,
  sameAssignment,
  toAssignment,
  union,
} from '../../../../src/groups/assignors/assignment.ts'
import { assignment, topicId } from './group-arbitrary.ts'

const names = (of: Assignment): Set<string> =>
  new Set(
    [...of].flatMap(([id, partitions]) => partitions.map((partition) => `${id}-${partition}`)),
  )

/** What an assignment must look like; a list that breaks the form would also make names repeat. */
function expectForm(of: Assignment, expected: ReadonlySet<string>): void {
  expect(names(of)).toEqual(expected)
  expect(countPartitions(of)).toBe(expected.size)
  expect(isEmpty(of)).toBe(expected.size === 0)
  for (const partitions of of.values()) {
    expect(partitions.length).toBeGreaterThan(0)
    expect(partitions).toEqual(partitions.toSorted((left, right) => left - right))
  }
}

test('minus(), intersect() and union() are those of sets', () => {
  fc.assert(
    fc.property(assignment, assignment, (left, right) => {
      expectForm(minus(left, right), names(left).difference(names(right)))
      expectForm(intersect(left, right), names(left).intersection(names(right)))
      expectForm(union(left, right), names(left).union(names(right)))
    }),
    { numRuns: 500 },
  )
})

test('sameAssignment() holds where the sets are the same, whatever the order of the topics', () => {
  fc.assert(
    fc.property(assignment, assignment, (left, right) => {
      const isSame = names(left).symmetricDifference(names(right)).size === 0
      expect(sameAssignment(left, right)).toBe(isSame)
      expect(sameAssignment(left, toAssignment([...left].toReversed()))).toBe(true)
    }),
  )
})

test.each([
  { why: 'another topic with as many', other: toAssignment([[topicId(2), [1, 2]]]) },
  { why: 'other partitions', other: toAssignment([[topicId(1), [1, 3]]]) },
  { why: 'one less', other: toAssignment([[topicId(1), [1]]]) },
  { why: 'nothing', other: EMPTY_ASSIGNMENT },
])('sameAssignment() tells apart $why', ({ other }) => {
  const one = toAssignment([[topicId(1), [1, 2]]])
  expect(sameAssignment(one, other)).toBe(false)
  expect(sameAssignment(other, one)).toBe(false)
})

test('minus() and intersect() give the same object back where they take nothing away', () => {
  fc.assert(
    fc.property(assignment, (of) => {
      expect(minus(of, EMPTY_ASSIGNMENT)).toBe(of)
      expect(intersect(of, toAssignment(of))).toBe(of)
      expect(minus(of, of)).toBe(isEmpty(of) ? of : EMPTY_ASSIGNMENT)
    }),
  )
})

test('toAssignment() merges, sorts and drops empty lists', () => {
  const messy = toAssignment([
    [topicId(1), [10, 9]],
    [topicId(2), []],
    [topicId(1), [2, 9]],
  ])
  expect(messy).toEqual(new Map([[topicId(1), [2, 9, 10]]]))
  expect(toAssignment([[topicId(2), []]])).toBe(EMPTY_ASSIGNMENT)
})
