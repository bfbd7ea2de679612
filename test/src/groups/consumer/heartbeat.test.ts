// ConsumerGroupHeartbeat by state and epoch: what is answered, and what is written.
import { expect, test } from 'vitest'
import { ConsumerShard, topicId } from './consumer-shard.ts'

/** A shard with topics a (4 partitions) and b (2), and assignments without delay. */
function shardOf(config: Record<string, string> = {}): ConsumerShard {
  const shard = new ConsumerShard({
    config: { 'group.consumer.assignment.interval.ms': '0', ...config },
  })
  shard.topic('a', 4)
  shard.topic('b', 2)
  return shard
}

/** Member m has all of topic a at epoch 2. */
function withOne(config: Record<string, string> = {}): ConsumerShard {
  const shard = shardOf(config)
  shard.join('m', ['a'])
  return shard
}

test('ConsumerGroups.heartbeat() lets a first member in with all that it asks for', () => {
  const shard = shardOf()
  const answer = shard.join('m', ['a', 'b', 'absent'])
  expect(answer).toMatchObject({ memberId: 'm', memberEpoch: 2, heartbeatIntervalMs: 5000 })
  expect(shard.text(answer.assignment?.topicPartitions ?? [])).toBe('a:0,1,2,3 b:0,1')
  expect(shard.written).toEqual([
    'MemberMetadata m',
    'Metadata',
    'TargetAssignmentMember m',
    'TargetAssignmentMetadata',
    'CurrentMemberAssignment m',
  ])
  expect(shard.group.state).toBe('Stable')
  expect(shard.group.members.get('m')).toMatchObject({
    clientId: 'client',
    clientHost: '/127.0.0.1',
    rebalanceTimeoutMs: 60_000,
    previousMemberEpoch: 0,
  })
})

test('ConsumerGroups.heartbeat() makes an id for a member of v0 that has none', () => {
  const { memberId } = shardOf().heartbeat({
    memberId: '',
    version: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: [],
    owned: '',
  })
  expect(memberId).toMatch(/^[\w-]{22}$/)
})

const JOIN = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['a'], owned: '' } as const

test.each([
  { why: 'an empty member id in v1', said: { ...JOIN, memberId: '' }, code: 'INVALID_REQUEST' },
  { why: 'an empty group id', said: { ...JOIN, groupId: ' ' }, code: 'INVALID_REQUEST' },
  { why: 'a group id of NULs', said: { ...JOIN, groupId: '\0\t' }, code: 'INVALID_REQUEST' },
  { why: 'an empty instance id', said: { ...JOIN, instanceId: '' }, code: 'INVALID_REQUEST' },
  { why: 'an empty rack', said: { ...JOIN, rackId: '' }, code: 'INVALID_REQUEST' },
  {
    why: 'a join without rebalance timeout',
    said: { ...JOIN, rebalanceTimeoutMs: -1 },
    code: 'INVALID_REQUEST',
  },
  { why: 'a join that owns partitions', said: { ...JOIN, owned: 'a:0' }, code: 'INVALID_REQUEST' },
  {
    why: 'a join that says nothing of what it owns',
    said: { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['a'] },
    code: 'INVALID_REQUEST',
  },
  {
    why: 'a join without subscription',
    said: { rebalanceTimeoutMs: 1000, owned: '' },
    code: 'INVALID_REQUEST',
  },
  {
    why: 'a member without instance id that leaves for a while',
    said: { memberEpoch: -2 },
    code: 'INVALID_REQUEST',
  },
  { why: 'an epoch that does not exist', said: { memberEpoch: -3 }, code: 'INVALID_REQUEST' },
  {
    why: 'an unknown assignor',
    said: { ...JOIN, serverAssignor: 'best' },
    code: 'UNSUPPORTED_ASSIGNOR',
  },
  {
    why: 'a pattern that is none',
    said: { ...JOIN, subscribedTopicRegex: '(' },
    code: 'INVALID_REGULAR_EXPRESSION',
  },
  { why: 'a group that is not there', said: { memberEpoch: 1 }, code: 'GROUP_ID_NOT_FOUND' },
  {
    why: 'a member that leaves a group that is not there',
    said: { memberEpoch: -1 },
    code: 'GROUP_ID_NOT_FOUND',
  },
])('ConsumerGroups.heartbeat() refuses $why', ({ said, code }) => {
  const shard = shardOf()
  expect(shard.say(said)).toBe(code)
  expect(shard.log).toEqual([])
})

test.each([
  {
    why: 'a member that nobody knows',
    said: { memberId: 'x', memberEpoch: 2 },
    answer: 'UNKNOWN_MEMBER_ID',
  },
  { why: 'the epoch it has', said: { memberEpoch: 2 }, answer: '2' },
  { why: 'a newer epoch', said: { memberEpoch: 3 }, answer: 'FENCED_MEMBER_EPOCH' },
  {
    why: 'an older epoch than the previous',
    said: { memberEpoch: 1, owned: '' },
    answer: 'FENCED_MEMBER_EPOCH',
  },
  {
    why: 'all at once, all again',
    said: { ...JOIN, memberEpoch: 2, owned: 'a:0,1,2,3' },
    answer: '2 [a:0,1,2,3]',
  },
  { why: 'a join again, all again', said: { ...JOIN, memberEpoch: 0 }, answer: '2 [a:0,1,2,3]' },
  {
    why: 'an instance id that nobody has',
    said: { memberEpoch: 2, instanceId: 'i' },
    answer: 'UNKNOWN_MEMBER_ID',
  },
  { why: 'a leave', said: { memberEpoch: -1 }, answer: '-1' },
  {
    why: 'a leave of nobody',
    said: { memberId: 'x', memberEpoch: -1 },
    answer: 'UNKNOWN_MEMBER_ID',
  },
])('ConsumerGroups.heartbeat() answers a known member that says $why', ({ said, answer }) => {
  expect(withOne().say(said)).toBe(answer)
})

test.each([
  { why: 'owns a part of what it has', epoch: 2, owned: 'a:0,1', answer: '3 [a:0,1]' },
  { why: 'owns nothing', epoch: 2, owned: '', answer: '3 [a:0,1]' },
  { why: 'owns what it has not', epoch: 2, owned: 'a:0,1,2', answer: 'FENCED_MEMBER_EPOCH' },
  { why: 'says nothing', epoch: 2, owned: undefined, answer: 'FENCED_MEMBER_EPOCH' },
  { why: 'owns nothing, two epochs ago', epoch: 1, owned: '', answer: 'FENCED_MEMBER_EPOCH' },
])(
  'ConsumerGroups.heartbeat() one epoch behind, of a client that $why',
  ({ epoch, owned, answer }) => {
    const shard = withOne()
    shard.join('n', ['a'])
    shard.heartbeat({ memberEpoch: 2 })
    shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1' })
    expect(shard.group.members.get('m')).toMatchObject({ memberEpoch: 3, previousMemberEpoch: 2 })
    const full = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['a'] }
    expect(shard.say({ memberEpoch: epoch, ...(owned !== undefined && { owned }), ...full })).toBe(
      answer,
    )
  },
)

test('ConsumerGroups.heartbeat() moves partitions from one member to another, step by step', () => {
  const shard = withOne()
  expect(shard.say({ memberId: 'n', ...JOIN })).toBe('3 []')
  expect(shard.group.state).toBe('Reconciling')
  expect(shard.say({ memberEpoch: 2 })).toBe('2 [a:0,1]')
  expect(shard.written).toEqual(['CurrentMemberAssignment m'])
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1,2,3' })).toBe('2')
  expect(shard.say({ memberId: 'n', memberEpoch: 3 })).toBe('3')
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1' })).toBe('3')
  expect(shard.say({ memberId: 'n', memberEpoch: 3 })).toBe('3 [a:2,3]')
  expect(shard.group.state).toBe('Stable')
})

test('ConsumerGroups.heartbeat() writes nothing when there is no news', () => {
  const shard = withOne()
  const before = shard.log.length
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  const all = { rackId: null, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['a', 'a'] }
  expect(shard.say({ memberEpoch: 2, ...all })).toBe('2')
  expect(shard.log.length).toBe(before)
})

test.each([
  { why: 'client id', said: { clientId: 'other' } },
  { why: 'rack', said: { rackId: 'r' } },
  { why: 'rebalance timeout', said: { rebalanceTimeoutMs: 5 } },
  { why: 'assignor', said: { serverAssignor: 'range' } },
])('ConsumerGroups.heartbeat() keeps a new $why without a rebalance', ({ said }) => {
  const shard = withOne()
  expect(shard.say({ memberEpoch: 2, ...said })).toBe('2')
  expect(shard.written).toEqual(['MemberMetadata m'])
})

test('ConsumerGroups.heartbeat() takes away at once what a member no longer wants', () => {
  const shard = shardOf()
  shard.join('m', ['a', 'b'])
  const said = { memberEpoch: 2, subscribedTopicNames: ['b'], owned: 'a:0,1,2,3 b:0,1' }
  expect(shard.say(said)).toBe('2 [b:0,1]')
  expect(shard.say({ memberEpoch: 2, owned: 'b:0,1' })).toBe('3')
  expect(shard.group.isSubscribedTo('a')).toBe(false)
})

test('ConsumerGroups.heartbeat() computes targets no more often than the interval allows', () => {
  const shard = shardOf({ 'group.consumer.assignment.interval.ms': '1000' })
  expect(shard.say({ ...JOIN })).toBe('2 [a:0,1,2,3]')
  shard.clock.advance(999)
  expect(shard.say({ ...JOIN, memberId: 'n' })).toBe('2 []')
  expect(shard.group).toMatchObject({ groupEpoch: 3, assignmentEpoch: 2, state: 'Assigning' })
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  shard.clock.advance(1)
  expect(shard.say({ memberEpoch: 2 })).toBe('2 [a:0,1]')
  expect(shard.group).toMatchObject({ assignmentEpoch: 3, state: 'Reconciling' })
})

test('ConsumerGroups.heartbeat() computes targets though the clock was set back behind the last one', () => {
  const shard = shardOf({ 'group.consumer.assignment.interval.ms': '1000' })
  expect(shard.say({ ...JOIN })).toBe('2 [a:0,1,2,3]')
  shard.clock.setNow(shard.clock.now() - 3_600_000)
  expect(shard.say({ ...JOIN, memberId: 'n' })).toBe('3 []')
  expect(shard.group).toMatchObject({ groupEpoch: 3, assignmentEpoch: 3 })
})

test('ConsumerGroups.heartbeat() takes the settings of the group', () => {
  const shard = shardOf()
  shard.configure('g', {
    'consumer.heartbeat.interval.ms': '7000',
    'consumer.session.timeout.ms': '50000',
    'consumer.assignment.interval.ms': '2000',
  })
  expect(shard.join('m', ['a']).heartbeatIntervalMs).toBe(7000)
  shard.join('n', ['a'])
  expect(shard.group.state).toBe('Assigning')
  shard.clock.advance(49_990)
  expect(shard.group.members.size).toBe(2)
  shard.clock.advance(20)
  expect(shard.group.members.size).toBe(0)
})

test('ConsumerGroups.heartbeat() refuses a member too many, and none that is in', () => {
  const shard = withOne({ 'group.consumer.max.size': '1' })
  expect(shard.say({ ...JOIN, memberId: 'n' })).toBe('GROUP_MAX_SIZE_REACHED')
  expect(shard.say({ ...JOIN })).toBe('2 [a:0,1,2,3]')
})

test.each([
  { why: 'nobody asks, the default', asked: [null, null, null], shares: ['a:0,1', 'a:2', 'a:3'] },
  { why: 'most ask for', asked: [null, 'range', 'range'], shares: ['a:0,1', 'a:2', 'a:3'] },
  { why: 'as many ask for both', asked: ['range', 'uniform', null], name: 'uniform' },
])('ConsumerGroups assigns with the assignor that $why', ({ asked, name }) => {
  const shard = shardOf()
  for (const [index, serverAssignor] of asked.entries()) {
    shard.join(`m${index}`, ['a'], { serverAssignor })
  }
  const wanted = name ?? (asked.includes('range') ? 'range' : 'uniform')
  expect(shard.shard.consumer.describe('g').assignorName).toBe(wanted)
})

test('ConsumerGroups takes a configured assignor as the default', () => {
  const shard = withOne({ 'group.consumer.assignors': 'range' })
  expect(shard.shard.consumer.describe('g').assignorName).toBe('range')
  expect(shard.say({ ...JOIN, serverAssignor: 'uniform' })).toBe('UNSUPPORTED_ASSIGNOR')
})

test.each([
  {
    why: 'the broker does not offer it',
    config: { 'group.coordinator.rebalance.protocols': 'classic' },
  },
  { why: 'the cluster has not finalised it', level: 0 },
])('ConsumerGroups refuses the protocol where $why', ({ config, level = 1 }) => {
  const shard = shardOf(config)
  const data = { name: 'group.version', featureLevel: level }
  shard.change({ type: 'FeatureLevelRecord', version: 0, data })
  expect(shard.say(JOIN)).toBe('UNSUPPORTED_VERSION')
  expect(shard.refusal(() => shard.shard.consumer.describe('g').groupState)).toBe(
    'UNSUPPORTED_VERSION',
  )
})

test('ConsumerGroups gives new partitions at the next heartbeat', () => {
  const shard = withOne()
  shard.topic('a', 5)
  expect(shard.say({ memberEpoch: 2 })).toBe('3 [a:0,1,2,3,4]')
  expect(shard.written[0]).toBe('Metadata')
  shard.topic('b', 3)
  expect(shard.say({ memberEpoch: 3 })).toBe('3')
  expect(shard.group.groupEpoch).toBe(3)
})

test('ConsumerGroups gives a topic that is made after the subscription, and takes one that is gone', () => {
  const shard = shardOf()
  expect(shard.say({ ...JOIN, subscribedTopicNames: ['c', 'b'] })).toBe('2 [b:0,1]')
  shard.topic('c', 1)
  expect(shard.say({ memberEpoch: 2 })).toBe('3 [b:0,1 c:0]')
  shard.removeTopic('b')
  expect(shard.say({ memberEpoch: 3, owned: 'c:0' })).toBe('4 [c:0]')
})

test('ConsumerGroups looks at the metadata again when it has been loaded', () => {
  const shard = withOne()
  const records = shard.log.length
  const again = shard.reloaded()
  again.heartbeat({ memberEpoch: 2 })
  expect(again.log.length).toBe(records)
  again.topic('a', 6)
  const after = again.reloaded({ 'group.consumer.assignment.interval.ms': '0' })
  expect(after.say({ memberEpoch: 2 })).toBe('3 [a:0,1,2,3,4,5]')
})

test('ConsumerGroups removes what an older Kafka kept of the topics', () => {
  const shard = withOne()
  shard.run(() => ({
    records: [
      { type: 'ConsumerGroupPartitionMetadata', key: { groupId: 'g' }, value: { topics: [] } },
    ],
    answer: undefined,
  }))
  shard.say({ memberEpoch: 2, subscribedTopicNames: ['b'] })
  expect(shard.written).toContain('-PartitionMetadata')
  expect(shard.group.hasPartitionMetadataRecord).toBe(false)
})

test('ConsumerGroups.describe() tells states, epochs, and what members have and should have', () => {
  const shard = withOne()
  shard.join('n', ['a'], { rackId: 'r' })
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1,2,3' })
  const partitions = (ones: readonly number[]) => [
    { topicId: topicId(0), topicName: 'a', partitions: ones },
  ]
  expect(shard.shard.consumer.describe('g')).toMatchObject({
    groupId: 'g',
    groupState: 'Reconciling',
    groupEpoch: 3,
    assignmentEpoch: 3,
    assignorName: 'uniform',
    members: [
      {
        memberId: 'm',
        memberEpoch: 2,
        assignment: partitions([0, 1, 2, 3]),
        targetAssignment: partitions([0, 1]),
        isClassic: false,
      },
      {
        memberId: 'n',
        rackId: 'r',
        memberEpoch: 3,
        assignment: [],
        targetAssignment: partitions([2, 3]),
      },
    ],
  })
  const refusal = (groupId: string) =>
    shard.refusal(() => shard.shard.consumer.describe(groupId).groupState)
  expect(refusal('x')).toBe('GROUP_ID_NOT_FOUND')
})

test('ConsumerGroups keeps an empty group, and a member that comes back goes on with its epochs', () => {
  const shard = withOne()
  expect(shard.say({ memberEpoch: -1 })).toBe('-1')
  expect(shard.written).toEqual([
    '-CurrentMemberAssignment m',
    '-TargetAssignmentMember m',
    '-MemberMetadata m',
    'Metadata',
  ])
  expect(shard.group).toMatchObject({ state: 'Empty', groupEpoch: 3 })
  expect(shard.say({ ...JOIN })).toBe('4 [a:0,1,2,3]')
})

test('ConsumerGroup.tombstones() leave nothing behind', () => {
  const shard = withOne()
  shard.join('n', ['a'], { subscribedTopicRegex: 'b.*' })
  shard.run(() => ({ records: shard.group.tombstones(), answer: undefined }))
  expect(shard.anyGroup).toBeUndefined()
  expect(shard.reloaded().anyGroup).toBeUndefined()
})
