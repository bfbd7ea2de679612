// The laws of the uniform assignor. That its choices are Kafka's is shown by test/golden/groups.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Assignment,
  countPartitions,
  EMPTY_ASSIGNMENT,
  intersect,
  toAssignment,
} from '../../../../src/groups/assignors/assignment.ts'
import type { AssignorInput, TargetAssignments } from '../../../../src/groups/assignors/assignor.ts'
import { uniform } from '../../../../src/groups/assignors/uniform.ts'
import { faults, group, settled, topicId } from './group-arbitrary.ts'

const types = ['homogeneous', 'heterogeneous'] as const

test.each(types)('uniform gives each partition of a %s group to one subscriber', (type) => {
  fc.assert(
    fc.property(group(type), (input) => {
      expect(faults(input, uniform.assign(input))).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test.each(types)('uniform leaves a %s group alone when nothing has changed', (type) => {
  fc.assert(
    fc.property(group(type), (input) => {
      const targets = uniform.assign(input)
      const again = uniform.assign(settled(input, targets))
      for (const [memberId, target] of targets) expect(again.get(memberId)).toBe(target)
    }),
    { numRuns: 500 },
  )
})

test('uniform lets the members of a homogeneous group differ by at most one partition', () => {
  fc.assert(
    fc.property(group('homogeneous'), (input) => {
      const loads = [...uniform.assign(input).values()].map(countPartitions)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    }),
  )
})

/** Targets of the group as it was before, then a member less and one more. */
function afterChange(input: AssignorInput): AssignorInput {
  const before = settled(input, uniform.assign(input))
  const members = [...before.members]
  const [first] = members
  if (first === undefined) return before
  const fresh = { ...first[1], current: EMPTY_ASSIGNMENT }
  return { ...before, members: new Map([...members.slice(1), ['newcomer', fresh]]) }
}

const keptIn = (input: AssignorInput, targets: TargetAssignments): number[] =>
  Array.from(input.members, ([memberId, { current }]) =>
    countPartitions(intersect(current, targets.get(memberId) ?? EMPTY_ASSIGNMENT)),
  )

test('uniform moves no partition of a homogeneous group that balance lets it keep', () => {
  fc.assert(
    fc.property(group('homogeneous'), (input) => {
      const changed = afterChange(input)
      const targets = uniform.assign(changed)
      const total = [...targets.values()].reduce((sum, of) => sum + countPartitions(of), 0)
      const quota = Math.floor(total / changed.members.size)
      const had = [...changed.members.values()].map(({ current }) => countPartitions(current))
      // As many members as the remainder says may keep one beyond the quota.
      const above = had.filter((count) => count > quota).length
      const extras = Math.min(above, total % changed.members.size)
      const best = had.reduce((sum, count) => sum + Math.min(count, quota), extras)
      expect(keptIn(changed, targets).reduce((sum, count) => sum + count, 0)).toBe(best)
    }),
    { numRuns: 500 },
  )
})

test('uniform makes a heterogeneous group so even that no single move would help', () => {
  fc.assert(
    fc.property(group('heterogeneous'), (input) => {
      const targets = uniform.assign(input)
      for (const [giver, has] of targets) {
        for (const [taker, { subscribedTopicIds }] of input.members) {
          const gap = countPartitions(has) - countPartitions(targets.get(taker) ?? EMPTY_ASSIGNMENT)
          const canMove = [...has.keys()].some((id) => subscribedTopicIds.has(id))
          if (canMove) expect(gap, `${giver} to ${taker}`).toBeLessThanOrEqual(1)
        }
      }
    }),
    { numRuns: 500 },
  )
})

const of = (...partitions: number[]): Assignment => toAssignment([[topicId(1), partitions]])

test('uniform leaves the one partition too many with who has it, wherever it stands in the group', () => {
  const subscribedTopicIds = new Set([topicId(1)])
  const member = (current: Assignment) => ({ instanceId: null, subscribedTopicIds, current })
  const input: AssignorInput = {
    subscriptionType: 'homogeneous',
    members: new Map([
      ['a', member(of(0))],
      ['b', member(of(1, 2))],
    ]),
    topics: { partitionCount: () => 3 },
  }
  expect(uniform.assign(input)).toEqual(
    new Map([
      ['a', of(0)],
      ['b', of(1, 2)],
    ]),
  )
})

test.each(types)('uniform gives an empty %s group nothing', (subscriptionType) => {
  const topics = { partitionCount: () => 3 }
  expect(uniform.assign({ subscriptionType, members: new Map(), topics })).toEqual(new Map())
})
