// The laws of the range assignor. That its choices are Kafka's is shown by test/golden/groups.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_ASSIGNMENT, toAssignment } from '../../../../src/groups/assignors/assignment.ts'
import { range } from '../../../../src/groups/assignors/range.ts'
import { faults, group, settled, topicId } from './group-arbitrary.ts'

const types = ['homogeneous', 'heterogeneous'] as const

test.each(types)('range gives each partition of a %s group to one subscriber', (type) => {
  fc.assert(
    fc.property(group(type), (input) => {
      expect(faults(input, range.assign(input))).toEqual([])
    }),
  )
})

test('range gives runs without gaps, whose lengths in a topic differ by at most one', () => {
  fc.assert(
    fc.property(group('heterogeneous'), (input) => {
      const targets = range.assign(input)
      for (const number of [0, 1, 2, 3]) {
        const id = topicId(number)
        const runs = [...input.members]
          .filter(([, member]) => member.subscribedTopicIds.has(id))
          .map(([memberId]) => targets.get(memberId)?.get(id) ?? [])
        const lengths = runs.map((run) => run.length)
        for (const run of runs)
          if (run.length > 0) expect((run.at(-1) ?? 0) - (run[0] ?? 0)).toBe(run.length - 1)
        if (runs.length > 0)
          expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('range gives the same objects back when nothing has changed', () => {
  fc.assert(
    fc.property(group('heterogeneous'), (input) => {
      const targets = range.assign(input)
      const again = range.assign(settled(input, targets))
      for (const [memberId, target] of targets) expect(again.get(memberId)).toBe(target)
    }),
  )
})

test('range serves static members by instance id, then the others by member id, and co-partitions topics', () => {
  const subscribedTopicIds = new Set([topicId(1), topicId(2)])
  const member = (instanceId: string | null) => ({
    instanceId,
    subscribedTopicIds,
    current: EMPTY_ASSIGNMENT,
  })
  const targets = range.assign({
    subscriptionType: 'homogeneous',
    members: new Map([
      ['b', member(null)],
      ['a', member(null)],
      ['c', member('2')],
      ['d', member('1')],
    ]),
    topics: { partitionCount: () => 6 },
  })
  const both = (...partitions: number[]) =>
    toAssignment([...subscribedTopicIds].map((id) => [id, partitions]))
  expect(targets).toEqual(
    new Map([
      ['d', both(0, 1)],
      ['c', both(2, 3)],
      ['a', both(4)],
      ['b', both(5)],
    ]),
  )
})
