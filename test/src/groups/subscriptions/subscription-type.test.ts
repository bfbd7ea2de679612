// When a group counts as homogeneous: as Kafka's ConsumerGroup.subscriptionType has it.
import { expect, test } from 'vitest'
import { subscriptionTypeOf } from '../../../../src/groups/subscriptions/subscription-type.ts'

const names = (...topicNames: string[]) => ({ topicNames: new Set(topicNames), topicPattern: '' })
const pattern = (topicPattern: string, ...topicNames: string[]) => ({
  topicNames: new Set(topicNames),
  topicPattern,
})

test.each([
  { why: 'no members', members: [] },
  { why: 'one member', members: [names('a', 'b')] },
  { why: 'the same names in another order', members: [names('a', 'b'), names('b', 'a')] },
  { why: 'members without subscriptions', members: [names(), names()] },
  { why: 'the same pattern', members: [pattern('a.*'), pattern('a.*')] },
])('A group is homogeneous with $why', ({ members }) => {
  expect(subscriptionTypeOf(members)).toBe('homogeneous')
})

test.each([
  { why: 'other names', members: [names('a'), names('b')] },
  { why: 'a name more', members: [names('a'), names('a', 'b')] },
  { why: 'a name less', members: [names('a', 'b'), names('a')] },
  { why: 'a member that wants nothing', members: [names('a'), names()] },
  { why: 'other patterns', members: [pattern('a.*'), pattern('b.*')] },
  { why: 'a pattern and names', members: [names('a'), pattern('a')] },
  { why: 'names and a pattern', members: [pattern('a'), names('a')] },
  { why: 'one that has both', members: [pattern('a.*', 'b')] },
  { why: 'all having both', members: [pattern('a.*', 'b'), pattern('a.*', 'b')] },
  { why: 'the same pattern, one with a name too', members: [pattern('a.*'), pattern('a.*', 'b')] },
])('A group is heterogeneous with $why', ({ members }) => {
  expect(subscriptionTypeOf(members)).toBe('heterogeneous')
})
