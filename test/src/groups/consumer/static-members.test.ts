// Static members: they go for a while, come back under another id, and are fenced.
import { expect, test } from 'vitest'
import { ConsumerShard } from './consumer-shard.ts'

const STATIC = {
  instanceId: 'i',
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: ['a'],
  owned: '',
} as const

function shardOf(): ConsumerShard {
  const shard = new ConsumerShard({ config: { 'group.consumer.assignment.interval.ms': '0' } })
  shard.topic('a', 4)
  shard.heartbeat({ ...STATIC, memberId: 's1' })
  return shard
}

test('A static member that leaves for a while keeps its partitions', () => {
  const shard = shardOf()
  expect(shard.say({ memberId: 's1', instanceId: 'i', memberEpoch: -2 })).toBe('-2')
  expect(shard.written).toEqual(['CurrentMemberAssignment s1'])
  expect(shard.group.groupEpoch).toBe(2)
  shard.join('n', ['a'])
  expect(shard.say({ memberId: 'n', memberEpoch: 3 })).toBe('3')
})

test('A static member that comes back under a new id takes over what it had, without a rebalance', () => {
  const shard = shardOf()
  shard.heartbeat({ memberId: 's1', instanceId: 'i', memberEpoch: -2 })
  expect(shard.say({ ...STATIC, memberId: 's2' })).toBe('2 [a:0,1,2,3]')
  expect([...shard.group.members.keys()]).toEqual(['s2'])
  expect(shard.group).toMatchObject({ groupEpoch: 2, assignmentEpoch: 2, state: 'Stable' })
  expect(shard.say({ memberId: 's1', instanceId: 'i', memberEpoch: 2 })).toBe('FENCED_INSTANCE_ID')
  expect(shard.say({ memberId: 's1', memberEpoch: 2 })).toBe('UNKNOWN_MEMBER_ID')
})

test('A static member that comes back may commit for what it took over, with any epoch', () => {
  const shard = shardOf()
  shard.heartbeat({ memberId: 's1', instanceId: 'i', memberEpoch: -2 })
  const epochs = [...(shard.group.members.get('s1')?.assigned.values() ?? [])]
  expect(epochs.flatMap((one) => [...one.values()])).toEqual([0, 0, 0, 0])
})

test('A static member that comes back with another subscription makes the group rebalance', () => {
  const shard = shardOf()
  shard.topic('b', 1)
  shard.heartbeat({ memberId: 's1', instanceId: 'i', memberEpoch: -2 })
  const said = { ...STATIC, memberId: 's2', subscribedTopicNames: ['a', 'b'] }
  expect(shard.say(said)).toBe('3 [a:0,1,2,3 b:0]')
  expect(shard.group.hasTarget('s1')).toBe(false)
  expect(shard.group.members.has('s1')).toBe(false)
})

test.each([
  {
    why: 'joins while the other lives',
    said: { ...STATIC, memberId: 's2' },
    code: 'UNRELEASED_INSTANCE_ID',
  },
  {
    why: 'beats under the id of another',
    said: { memberId: 's2', instanceId: 'i', memberEpoch: 2 },
    code: 'FENCED_INSTANCE_ID',
  },
  {
    why: 'leaves under the id of another',
    said: { memberId: 's2', instanceId: 'i', memberEpoch: -1 },
    code: 'FENCED_INSTANCE_ID',
  },
  {
    why: 'leaves for a while, unknown',
    said: { memberId: 's2', instanceId: 'x', memberEpoch: -2 },
    code: 'UNKNOWN_MEMBER_ID',
  },
])('A static member that $why is refused', ({ said, code }) => {
  expect(shardOf().say(said)).toBe(code)
})

test('A static member that leaves for good is gone', () => {
  const shard = shardOf()
  expect(shard.say({ memberId: 's1', instanceId: 'i', memberEpoch: -1 })).toBe('-1')
  expect(shard.group.isEmpty).toBe(true)
  expect(shard.group.staticMember('i')).toBeUndefined()
})

test('A static member that does not come back in its session is gone', () => {
  const shard = shardOf()
  shard.heartbeat({ memberId: 's1', instanceId: 'i', memberEpoch: -2 })
  shard.clock.advance(44_000)
  expect(shard.group.isEmpty).toBe(false)
  shard.clock.advance(2000)
  expect(shard.group.isEmpty).toBe(true)
})

test('A member that joins again under another instance id leaves the old one to others', () => {
  const shard = shardOf()
  shard.join('m', ['a'], { instanceId: 'x' })
  shard.join('m', ['a'], { instanceId: 'y' })
  expect([...shard.group.staticMembers]).toEqual([
    ['i', 's1'],
    ['y', 'm'],
  ])
  expect(shard.refusal(() => `${shard.join('n', ['a'], { instanceId: 'x' }).errorCode}`)).toBe('0')
  expect([...shard.group.staticMembers]).toEqual([
    ['i', 's1'],
    ['y', 'm'],
    ['x', 'n'],
  ])
})
