// Groups that change their protocol, and groups of both protocols.
import { expect, test } from 'vitest'
import { ClassicGroup } from '../../../../src/groups/classic/classic-group.ts'
import { errorCode } from '../../../../src/protocol/error-codes.ts'
import type { JoinGroupResponse } from '../../../../src/protocol/messages/11-join-group.ts'
import { serializeAssignment } from '../../../../src/protocol/records/consumer-protocol.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { ConsumerShard } from './consumer-shard.ts'

const JOIN = { memberId: 'm', rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['a'], owned: '' }
const NO_DELAY = {
  'group.consumer.assignment.interval.ms': '0',
  'group.initial.rebalance.delay.ms': '0',
}

/** A shard with a topic of four partitions. */
function shardOf(config: Record<string, string> = {}): ConsumerShard {
  const shard = new ConsumerShard({ config: { ...NO_DELAY, ...config } })
  shard.topic('a', 4)
  return shard
}

/** A classic group of one member with all of the topic, stable. */
async function classicGroup(
  config: Record<string, string> = {},
  {
    userData = null,
    topics = ['a'],
    ...said
  }: Record<string, unknown> & {
    userData?: Uint8Array | null
    topics?: string[]
  } = {},
): Promise<{ shard: ConsumerShard; memberId: string }> {
  const shard = shardOf(config)
  const client = { clientId: 'classic', clientHost: '/127.0.0.1' }
  const request = shard.joinRequest({ topics, ...said })
  const joining = shard.write(() => shard.shard.join({ client, request, version: 3 }))
  shard.clock.advance(1)
  await settle()
  const { memberId, generationId, errorCode: code } = await joining
  expect([generationId, code]).toEqual([1, 0])
  const assignedPartitions = [{ topic: 'a', partitions: [0, 1, 2, 3] }]
  const assignment = serializeAssignment({ assignedPartitions, userData })
  const sync = {
    groupId: 'g',
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [{ memberId, assignment }],
  }
  await shard.write(() => shard.shard.sync(sync))
  expect(shard.anyGroup?.state).toBe('Stable')
  return { shard, memberId }
}

/** A consumer group of m, and a classic member that has come to share the topic with it. */
function mixedGroup(): { shard: ConsumerShard; classic: string } {
  const shard = shardOf()
  shard.heartbeat(JOIN)
  const { memberId } = shard.joinClassic({ version: 3 })
  return { shard, classic: memberId }
}

const codeOf = ({ errorCode: code }: JoinGroupResponse): number => code

test('A classic group becomes a consumer group when a member of the consumer protocol joins', async () => {
  const { shard, memberId } = await classicGroup()
  expect(shard.say(JOIN)).toBe('2 []')
  expect(shard.written).toEqual([
    '-GroupMetadata',
    `MemberMetadata ${memberId}`,
    'Metadata',
    `TargetAssignmentMember ${memberId}`,
    'TargetAssignmentMetadata',
    `CurrentMemberAssignment ${memberId}`,
    'MemberMetadata m',
    'Metadata',
    `TargetAssignmentMember ${memberId}`,
    'TargetAssignmentMember m',
    'TargetAssignmentMetadata',
    'CurrentMemberAssignment m',
  ])
  expect(shard.group).toMatchObject({ groupEpoch: 2, state: 'Reconciling', classicMemberCount: 1 })
  // The classic member gives up its half by joining again, twice.
  expect(shard.beatClassic(memberId, 1)).toBe('REBALANCE_IN_PROGRESS')
  expect(shard.joinClassic({ memberId, owned: 'a:0,1,2,3' })).toMatchObject({ generationId: 1 })
  expect(shard.syncClassic(memberId, 1)).toBe('a:0,1')
  expect(shard.beatClassic(memberId, 1)).toBe('REBALANCE_IN_PROGRESS')
  expect(shard.say({ memberEpoch: 2 })).toBe('2')
  expect(shard.joinClassic({ memberId, owned: 'a:0,1' })).toMatchObject({
    generationId: 2,
    protocolType: 'consumer',
    protocolName: 'range',
    leader: '',
    members: [],
  })
  expect(shard.syncClassic(memberId, 2)).toBe('a:0,1')
  expect(shard.beatClassic(memberId, 2)).toBe('')
  expect(shard.say({ memberEpoch: 2 })).toBe('2 [a:2,3]')
  expect(shard.group.state).toBe('Stable')
})

test('A classic member that waits for its group is told to join again when the group is upgraded', async () => {
  const { shard, memberId } = await classicGroup()
  const client = { clientId: 'c', clientHost: '/127.0.0.1' }
  const request = shard.joinRequest({ topics: ['a'] })
  const waiting = shard.write(() => shard.shard.join({ client, request, version: 3 }))
  expect(shard.anyGroup?.state).toBe('PreparingRebalance')
  shard.heartbeat(JOIN)
  await settle()
  expect(codeOf(await waiting)).toBe(errorCode('REBALANCE_IN_PROGRESS'))
  expect(shard.group.members.size).toBe(3)
  expect(shard.group.members.get(memberId)?.classic?.sessionTimeoutMs).toBe(10_000)
})

test('An upgraded group is the same after a load', async () => {
  const { shard } = await classicGroup()
  shard.heartbeat(JOIN)
  const again = shard.reloaded()
  expect(again.group.members).toEqual(shard.group.members)
  expect(again.group.classicMemberCount).toBe(1)
})

test.each(['downgrade', 'disabled'])(
  'A classic group stays one under the policy %s',
  async (policy) => {
    const { shard } = await classicGroup({ 'group.consumer.migration.policy': policy })
    expect(shard.say(JOIN)).toBe('GROUP_ID_NOT_FOUND')
    expect(shard.anyGroup?.type).toBe('classic')
  },
)

test('A classic group with more members than a consumer group may have stays one', async () => {
  const { shard } = await classicGroup({ 'group.consumer.max.size': '1' })
  const client = { clientId: 'c', clientHost: '/127.0.0.1' }
  const request = shard.joinRequest({ topics: ['a'] })
  shard.write(() => shard.shard.join({ client, request, version: 3 })).catch(() => undefined)
  expect(shard.say(JOIN)).toBe('GROUP_ID_NOT_FOUND')
  expect(shard.anyGroup?.type).toBe('classic')
})

test.each([
  { why: 'has user data of its own assignor', said: { userData: Uint8Array.of(1) } },
  { why: 'is of another type', said: { protocolType: 'connect' } },
  {
    why: 'has metadata that nobody understands',
    said: { protocols: [{ name: 'range', metadata: Uint8Array.of(0) }] },
  },
])('A classic group stays one when it $why', async ({ said }) => {
  const { shard } = await classicGroup({}, said)
  expect(shard.say(JOIN)).toBe('GROUP_ID_NOT_FOUND')
  expect(shard.anyGroup?.type).toBe('classic')
})

test('An empty classic group becomes a consumer group whatever the policy', async () => {
  const { shard, memberId } = await classicGroup({ 'group.consumer.migration.policy': 'disabled' })
  const members = [{ memberId, groupInstanceId: null, reason: null }]
  await shard.write(() => shard.shard.leave({ groupId: 'g', memberId: '', members }))
  shard.clock.advance(1)
  await settle()
  expect(shard.anyGroup?.state).toBe('Empty')
  expect(shard.say(JOIN)).toBe('2 [a:0,1,2,3]')
  expect(shard.reloaded().group.members.size).toBe(1)
})

test('A group that only holds offsets becomes a consumer group', () => {
  const shard = shardOf()
  shard.shard.classic.simpleGroup('g')
  expect(shard.say(JOIN)).toBe('2 [a:0,1,2,3]')
})

test('An empty consumer group becomes a classic group', async () => {
  const shard = shardOf()
  shard.heartbeat(JOIN)
  shard.heartbeat({ memberEpoch: -1 })
  const client = { clientId: 'classic', clientHost: '/127.0.0.1' }
  const request = shard.joinRequest({ topics: ['a'] })
  const joining = shard.write(() => shard.shard.join({ client, request, version: 3 }))
  shard.clock.advance(1)
  await settle()
  expect(codeOf(await joining)).toBe(0)
  expect(shard.anyGroup).toBeInstanceOf(ClassicGroup)
  expect(shard.reloaded().anyGroup).toBeInstanceOf(ClassicGroup)
})

test('An empty consumer group remains when what should become of it could not be written', async () => {
  const shard = shardOf()
  shard.heartbeat(JOIN)
  shard.heartbeat({ memberEpoch: -1 })
  const { groupEpoch } = shard.group
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
  expect(shard.refusal(() => `${shard.joinClassic({}).errorCode}`)).toBe(
    'COORDINATOR_NOT_AVAILABLE',
  )
  shard.appendError = undefined
  await settle()
  expect(shard.group.groupEpoch).toBe(groupEpoch)
  expect(shard.say(JOIN)).toBe(shard.reloaded().say(JOIN))
  expect(shard.group.groupEpoch).toBe(groupEpoch + 1)
})

test('A classic member of a consumer group shares its partitions without a leader', () => {
  const { shard, classic } = mixedGroup()
  expect(shard.group.state).toBe('Reconciling')
  expect(shard.syncClassic(classic, 3)).toBe('')
  expect(shard.beatClassic(classic, 3)).toBe('')
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1,2,3' })).toBe('2 [a:0,1]')
  expect(shard.beatClassic(classic, 3)).toBe('')
  expect(shard.say({ memberEpoch: 2, owned: 'a:0,1' })).toBe('3')
  // Free now, so it should come and get it.
  expect(shard.beatClassic(classic, 3)).toBe('REBALANCE_IN_PROGRESS')
  expect(shard.joinClassic({ memberId: classic })).toMatchObject({ generationId: 3 })
  expect(shard.syncClassic(classic, 3)).toBe('a:2,3')
  expect(shard.shard.consumer.describe('g').members.map((one) => one.isClassic)).toEqual([
    false,
    true,
  ])
})

test('A new classic member of v4 is told its id first', () => {
  const shard = shardOf()
  shard.heartbeat(JOIN)
  const refused = shard.joinClassic({})
  expect(codeOf(refused)).toBe(errorCode('MEMBER_ID_REQUIRED'))
  expect(shard.group.members.size).toBe(1)
  expect(shard.joinClassic({ memberId: refused.memberId })).toMatchObject({ generationId: 3 })
})

test.each([
  {
    why: 'of another type',
    said: { protocolType: 'connect' },
    code: 'INCONSISTENT_GROUP_PROTOCOL',
  },
  { why: 'that knows no protocol', said: { protocols: [] }, code: 'INCONSISTENT_GROUP_PROTOCOL' },
  {
    why: 'that knows none the others know',
    said: { protocolNames: ['sticky'] },
    code: 'INCONSISTENT_GROUP_PROTOCOL',
  },
  {
    why: 'that nobody understands',
    said: { protocols: [{ name: 'range', metadata: Uint8Array.of(9) }] },
    code: 'INCONSISTENT_GROUP_PROTOCOL',
  },
  {
    why: 'with too short a session',
    said: { sessionTimeoutMs: 1 },
    code: 'INVALID_SESSION_TIMEOUT',
  },
])('A consumer group refuses a classic member $why', ({ said, code }) => {
  const { shard } = mixedGroup()
  expect(shard.refusal(() => `${codeOf(shard.joinClassic({ version: 3, ...said }))}`)).toBe(code)
})

test('A consumer group refuses classic members where migration is off', () => {
  const shard = shardOf({ 'group.consumer.migration.policy': 'disabled' })
  shard.heartbeat(JOIN)
  expect(shard.refusal(() => `${codeOf(shard.joinClassic({ version: 3 }))}`)).toBe(
    'INCONSISTENT_GROUP_PROTOCOL',
  )
})

test.each([
  { why: 'of another generation', memberId: undefined, generation: 2, code: 'ILLEGAL_GENERATION' },
  { why: 'that nobody knows', memberId: 'x', generation: 3, code: 'UNKNOWN_MEMBER_ID' },
  { why: 'of the consumer protocol', memberId: 'm', generation: 2, code: 'UNKNOWN_MEMBER_ID' },
])('A consumer group refuses Heartbeat and SyncGroup $why', ({ memberId, generation, code }) => {
  const { shard, classic } = mixedGroup()
  expect(shard.beatClassic(memberId ?? classic, generation)).toBe(code)
  expect(shard.syncClassic(memberId ?? classic, generation)).toBe(code)
})

test('A SyncGroup after the group has gone on is told to join again', () => {
  const { shard, classic } = mixedGroup()
  shard.heartbeat({ ...JOIN, memberId: 'n' })
  expect(shard.syncClassic(classic, 3)).toBe('REBALANCE_IN_PROGRESS')
})

test.each([
  { why: 'does not sync', act: (_shard: ConsumerShard, _id: string) => undefined },
  {
    why: 'does not join again',
    act: (shard: ConsumerShard, id: string) => {
      shard.syncClassic(id, 3)
      shard.heartbeat({ ...JOIN, memberId: 'n' })
    },
  },
])('A classic member that $why within its rebalance timeout is removed', ({ act }) => {
  const { shard, classic } = mixedGroup()
  act(shard, classic)
  for (let at = 0; at < 13; at++) {
    shard.clock.advance(5000)
    if (shard.group.members.has(classic)) shard.beatClassic(classic, 3)
    for (const { memberId, memberEpoch } of [...shard.group.members.values()]) {
      if (memberId !== classic) shard.heartbeat({ ...JOIN, memberId, memberEpoch })
    }
  }
  expect(shard.group.members.has(classic)).toBe(false)
  expect(shard.group.members.has('m')).toBe(true)
})

test('A consumer group becomes a classic one when its last consumer leaves', async () => {
  const { shard, classic } = mixedGroup()
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1,2,3' })
  shard.heartbeat({ memberEpoch: 2, owned: 'a:0,1' })
  shard.joinClassic({ memberId: classic })
  shard.syncClassic(classic, 3)
  expect(shard.say({ memberEpoch: -1 })).toBe('-1')
  const group = shard.anyGroup as ClassicGroup
  expect(group).toBeInstanceOf(ClassicGroup)
  expect(group).toMatchObject({
    generationId: 3,
    state: 'PreparingRebalance',
    protocolName: 'range',
  })
  expect([...group.members.keys()]).toEqual([classic])
  const again = shard.reloaded().anyGroup as ClassicGroup
  expect(again).toMatchObject({ type: 'classic', generationId: 3, state: 'Stable' })
  expect([...again.members.keys()]).toEqual([classic])
  // It finds out by its next heartbeat, and leads from then on.
  expect(shard.beatClassic(classic, 3)).toBe('REBALANCE_IN_PROGRESS')
  const client = { clientId: 'classic', clientHost: '/127.0.0.1' }
  const request = shard.joinRequest({ topics: ['a'], memberId: classic })
  const joining = shard.write(() => shard.shard.join({ client, request, version: 9 }))
  shard.clock.advance(1)
  await settle()
  expect(await joining).toMatchObject({ errorCode: 0, generationId: 4, leader: classic })
})

test('A consumer group becomes a classic one when its last consumer is not heard of', () => {
  const { shard, classic } = mixedGroup()
  shard.syncClassic(classic, 3)
  for (let at = 0; at < 9; at++) {
    shard.clock.advance(5000)
    shard.beatClassic(classic, 3)
  }
  shard.clock.advance(100)
  expect(shard.anyGroup).toBeInstanceOf(ClassicGroup)
})

test('A consumer group stays one when downgrades are not allowed', () => {
  const shard = shardOf({ 'group.consumer.migration.policy': 'upgrade' })
  shard.heartbeat(JOIN)
  const { memberId } = shard.joinClassic({ version: 3 })
  shard.heartbeat({ memberEpoch: -1 })
  expect([...shard.group.members.keys()]).toEqual([memberId])
})

test('A group becomes a classic one when a classic member takes the place of its last consumer', () => {
  const shard = shardOf()
  shard.heartbeat({ ...JOIN, memberId: 's1', instanceId: 'i' })
  const answer = shard.joinClassic({ groupInstanceId: 'i', owned: 'a:0,1,2,3' })
  expect(answer).toMatchObject({ errorCode: 0, generationId: 2 })
  const group = shard.anyGroup as ClassicGroup
  expect(group).toMatchObject({ type: 'classic', state: 'Stable', generationId: 2 })
  expect([...group.members.keys()]).toEqual([answer.memberId])
  expect(shard.syncClassic(answer.memberId, 2, 'i')).toBe('a:0,1,2,3')
  expect(shard.reloaded().anyGroup).toMatchObject({ type: 'classic', generationId: 2 })
})

test.each([
  {
    why: 'of an instance that nobody knows',
    memberId: 'x',
    instance: 'y',
    code: 'UNKNOWN_MEMBER_ID',
  },
  {
    why: 'of an instance that is another',
    memberId: 'x',
    instance: 'i',
    code: 'FENCED_INSTANCE_ID',
  },
])('A classic static member $why is refused', ({ memberId, instance, code }) => {
  const { shard } = mixedGroup()
  shard.joinClassic({ groupInstanceId: 'i' })
  const join = () => `${codeOf(shard.joinClassic({ memberId, groupInstanceId: instance }))}`
  expect(shard.refusal(join)).toBe(code)
  expect(shard.syncClassic(memberId, 4, instance)).toBe(code)
})

test('A classic static member that comes back takes the place of the one before', () => {
  const { shard } = mixedGroup()
  const first = shard.joinClassic({ groupInstanceId: 'i' })
  const second = shard.joinClassic({ groupInstanceId: 'i' })
  expect(second.memberId).not.toBe(first.memberId)
  expect(second.generationId).toBe(first.generationId)
  expect(shard.group.members.has(first.memberId)).toBe(false)
  expect(shard.joinClassic({ memberId: second.memberId, groupInstanceId: 'i' })).toMatchObject({
    memberId: second.memberId,
    errorCode: 0,
  })
})

test('A consumer takes the place of a classic static member', () => {
  const { shard } = mixedGroup()
  const { memberId } = shard.joinClassic({ groupInstanceId: 'i' })
  expect(shard.group.members.get(memberId)?.classic).not.toBeNull()
  const said = { ...JOIN, memberId: 's2', instanceId: 'i' }
  expect(shard.say(said)).toBe('4 []')
  expect(shard.group.staticMember('i')).toMatchObject({ memberId: 's2', classic: null })
  expect(shard.group.members.has(memberId)).toBe(false)
})

test('Classic members leave one by one or together, and an administrator may remove static ones', () => {
  const { shard, classic } = mixedGroup()
  shard.joinClassic({ groupInstanceId: 'i' })
  const leave = (members: { memberId: string; groupInstanceId: string | null }[]) =>
    shard.run(() =>
      shard.shard.leave({
        groupId: 'g',
        memberId: '',
        members: members.map((one) => ({ ...one, reason: null })),
      }),
    ).members
  const answer = leave([
    { memberId: classic, groupInstanceId: null },
    { memberId: '', groupInstanceId: 'i' },
    { memberId: 'x', groupInstanceId: null },
    { memberId: 'x', groupInstanceId: 'y' },
  ])
  expect(answer.map((one) => one.errorCode)).toEqual([
    0,
    0,
    errorCode('UNKNOWN_MEMBER_ID'),
    errorCode('UNKNOWN_MEMBER_ID'),
  ])
  expect([...shard.group.members.keys()]).toEqual(['m'])
  const records = shard.log.length
  leave([{ memberId: 'x', groupInstanceId: null }])
  expect(shard.log.length).toBe(records)
})
