// Groups described, reset and trimmed, on a real coordinator with members of both protocols.
import { afterEach, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import type { OffsetResetCall } from '#src/broker/group-admin/offset-resets.ts'
import type { ResetTarget } from '#src/broker/group-admin/reset-target.ts'
import { errorCode } from '#src/protocol/error-codes.ts'
import {
  serializeAssignment,
  serializeSubscription,
} from '#src/protocol/records/consumer-protocol.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { Scene } from '../consumers/scene.ts'

let scene: Scene
afterEach(() => scene.stop())

/** A broker with the topics a (two partitions of ten records) and b (one of three). */
async function start(): Promise<void> {
  scene = await Scene.start()
  await scene.topic('a', 2)
  await scene.topic('b')
  const ten = Array.from({ length: 10 }, (_, index) => `v${index}`)
  await scene.produce('a', 0, ...ten)
  await scene.produce('a', 1, ...ten)
  await scene.produce('b', 0, 'x', 'y', 'z')
}

const groups = () => scene.broker.groups

async function commit(groupId: string, offsets: Record<string, number>): Promise<void> {
  await scene.during(groups().findCoordinator(ANONYMOUS, groupId))
  const consumer = scene.consumer({ groupId })
  const all = Object.entries(offsets).map(([name, offset]) => {
    const [topic = '', partition] = name.split('-')
    return { topic, partition: Number(partition), offset, metadata: `at ${offset}` }
  })
  await scene.during(consumer.commit(all))
  await scene.during(consumer.close())
}

function reset(groupId: string, to: ResetTarget, rest: Partial<OffsetResetCall> = {}) {
  const call = { groupId, to, scope: undefined, isDryRun: false, isForced: false, ...rest }
  return scene.during(groups().resetOffsets(ANONYMOUS, call))
}

/** What moves, as `a-0: 3 → 0`. */
async function moves(...call: Parameters<typeof reset>): Promise<string[]> {
  const { partitions } = await reset(...call)
  return partitions.map(
    ({ topic, partition, from, to }) => `${topic}-${partition}: ${from} → ${to}`,
  )
}

const describe = (groupId: string) => scene.during(groups().describe(ANONYMOUS, groupId))

async function committed(groupId: string): Promise<Record<string, number>> {
  const { offsets } = await describe(groupId)
  const known = offsets.filter((one) => one.committed !== null)
  return Object.fromEntries(
    known.map((at) => [`${at.topic}-${at.partition}`, at.committed?.offset ?? -1]),
  )
}

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) =>
      error instanceof KafkaError ? `${error.code}: ${error.message}` : `${error}`,
  )

const OLD = { ...ANONYMOUS, clientId: 'old', clientAddress: '10.0.0.7' }

/** A client of the classic protocol asks to join; answered when the group has waited for more. */
function join(groupId: string, instanceId: string | null = null) {
  const metadata = serializeSubscription({ topics: ['a'], ownedPartitions: [], rackId: 'r1' })
  const request = {
    groupId,
    sessionTimeoutMs: 45_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: instanceId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
    reason: null,
  }
  return groups().join(OLD, request, 3)
}

/** A member of the classic protocol that has all partitions of a; the id that it has. */
async function classicMember(groupId: string, instanceId: string | null = null): Promise<string> {
  await scene.during(groups().findCoordinator(OLD, groupId))
  await scene.pass(100)
  const joined = await scene.during(join(groupId, instanceId))
  const { memberId, generationId } = joined
  const assignment = serializeAssignment({
    assignedPartitions: [{ topic: 'a', partitions: [1, 0] }],
  })
  await scene.during(
    groups().sync(OLD, {
      groupId,
      generationId,
      memberId,
      groupInstanceId: instanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment }],
    }),
  )
  return memberId
}

test('A group of the consumer protocol is described with targets, lag and owners', async () => {
  await start()
  await commit('g', { 'b-0': 1 })
  const consumer = await scene.joined(['a'])
  const group = await describe('g')
  expect(group).toMatchObject({
    groupId: 'g',
    type: 'consumer',
    protocolType: 'consumer',
    state: 'Stable',
    coordinator: 1,
    assignor: 'uniform',
  })
  expect(group.epoch).toBe(group.assignmentEpoch)
  const both = [
    { topic: 'a', partition: 0 },
    { topic: 'a', partition: 1 },
  ]
  expect(group.members).toEqual([
    {
      memberId: consumer.memberId,
      instanceId: null,
      clientId: ANONYMOUS.clientId,
      host: '',
      rack: null,
      protocol: 'consumer',
      epoch: group.epoch,
      subscribedTopics: ['a'],
      subscribedPattern: null,
      assignment: both,
      targetAssignment: both,
    },
  ])
  const [first, second, orphan] = group.offsets
  expect(second).toEqual({
    topic: 'a',
    partition: 1,
    committed: null,
    logStartOffset: 0,
    logEndOffset: 10,
    lag: null,
    memberId: consumer.memberId,
  })
  expect(first).toMatchObject({ topic: 'a', partition: 0, memberId: consumer.memberId })
  expect(orphan).toMatchObject({
    topic: 'b',
    committed: { offset: 1, metadata: 'at 1' },
    lag: 2,
    memberId: null,
  })
  await scene.during(consumer.close())
})

test('A classic group is described with what its members told each other', async () => {
  await start()
  const memberId = await classicMember('c', 'i1')
  const group = await describe('c')
  expect(group).toMatchObject({
    type: 'classic',
    protocolType: 'consumer',
    state: 'Stable',
    epoch: 1,
    assignmentEpoch: null,
    assignor: 'range',
  })
  expect(group.members).toEqual([
    {
      memberId,
      instanceId: 'i1',
      clientId: 'old',
      host: '10.0.0.7',
      rack: 'r1',
      protocol: 'classic',
      epoch: 1,
      subscribedTopics: ['a'],
      subscribedPattern: null,
      assignment: [
        { topic: 'a', partition: 0 },
        { topic: 'a', partition: 1 },
      ],
      targetAssignment: null,
    },
  ])
})

test('A group that does not exist is not described, with or without a coordinator', async () => {
  await start()
  expect(await refusal(describe('g'))).toBe('GROUP_ID_NOT_FOUND: Group g does not exist')
  await commit('other', { 'a-0': 1 })
  expect(await refusal(describe('g'))).toBe('GROUP_ID_NOT_FOUND: Group g does not exist')
})

test('A reset without a scope sets all that is committed, a dry run nothing', async () => {
  await start()
  await commit('g', { 'a-0': 3, 'b-0': 2 })
  const expected = ['a-0: 3 → 0', 'b-0: 2 → 0']
  expect(await moves('g', 'earliest', { isDryRun: true })).toEqual(expected)
  expect(await committed('g')).toEqual({ 'a-0': 3, 'b-0': 2 })
  expect(await moves('g', 'earliest')).toEqual(expected)
  expect(await committed('g')).toEqual({ 'a-0': 0, 'b-0': 0 })
})

test('A reset of topics and partitions leaves the others alone, each with a target of its own', async () => {
  await start()
  await commit('g', { 'a-0': 3, 'b-0': 2 })
  expect(await moves('g', 'latest', { scope: [{ topic: 'a' }] })).toEqual([
    'a-0: 3 → 10',
    'a-1: null → 10',
  ])
  const scope = [
    { topic: 'b', partition: 0, to: { offset: 1 } },
    { topic: 'a', partition: 1 },
  ]
  expect(await moves('g', { offset: 7 }, { scope })).toEqual(['a-1: 10 → 7', 'b-0: 2 → 1'])
  expect(await committed('g')).toEqual({ 'a-0': 10, 'a-1': 7, 'b-0': 1 })
})

test('A reset makes a group that is not there, where topics are named', async () => {
  await start()
  const scope = [{ topic: 'a' }]
  expect(await moves('new', 'earliest', { scope, isDryRun: true })).toEqual([
    'a-0: null → 0',
    'a-1: null → 0',
  ])
  expect(await refusal(describe('new'))).toContain('GROUP_ID_NOT_FOUND')
  await reset('new', 'earliest', { scope })
  expect(await committed('new')).toEqual({ 'a-0': 0, 'a-1': 0 })
})

test('A reset by time finds the first record from then on, else the end', async () => {
  await start()
  await commit('g', { 'b-0': 0 })
  const time = scene.clock.now()
  await scene.pass(10)
  await scene.produce('b', 0, 'late')
  expect(await moves('g', { timestamp: time })).toEqual(['b-0: 0 → 3'])
  expect(await moves('g', { timestamp: time + 1e9 })).toEqual(['b-0: 3 → 4'])
  expect(await moves('g', { timestamp: 0 })).toEqual(['b-0: 4 → 0'])
})

test.each<{ why: string; to: ResetTarget; scope: OffsetResetCall['scope']; refused: string }>([
  {
    why: 'an unknown topic',
    to: 'latest',
    scope: [{ topic: 'none' }],
    refused: 'UNKNOWN_TOPIC_OR_PARTITION: Topic none does not exist',
  },
  {
    why: 'an unknown partition',
    to: 'latest',
    scope: [{ topic: 'a', partition: 2 }],
    refused: 'UNKNOWN_TOPIC_OR_PARTITION: Topic a has no partition 2: it has 2',
  },
  {
    why: 'a partition that is named twice',
    to: 'latest',
    scope: [{ topic: 'a' }, { topic: 'a', partition: 1 }],
    refused: 'INVALID_REQUEST: Partition 1 of topic a is named twice',
  },
  {
    why: 'nothing at all',
    to: 'latest',
    scope: [],
    refused: 'INVALID_REQUEST: Group g has committed nothing: name the topics to reset',
  },
  {
    why: 'a shift of what is not committed',
    to: { shiftBy: 1 },
    scope: [{ topic: 'a' }],
    refused: 'INVALID_REQUEST: The group has committed nothing for a-1 that could be shifted',
  },
])('A reset of $why is refused, and changes nothing', async ({ to, scope, refused }) => {
  await start()
  await commit('g', { 'a-0': 3 })
  for (const isForced of [false, true]) {
    expect(await refusal(reset('g', to, { scope, isForced }))).toBe(refused)
  }
  expect(await committed('g')).toEqual({ 'a-0': 3 })
})

test('A reset of an unknown group without topics is refused', async () => {
  await start()
  expect(await refusal(reset('g', 'latest'))).toContain('GROUP_ID_NOT_FOUND')
  await commit('other', { 'a-0': 1 })
  expect(await refusal(reset('g', 'latest'))).toBe('GROUP_ID_NOT_FOUND: Group g does not exist')
  expect(await refusal(reset('g', 'latest', { isDryRun: true }))).toContain('GROUP_ID_NOT_FOUND')
})

test('Active members of either protocol are in the way of a reset, which names them', async () => {
  await start()
  await commit('g', { 'b-0': 1 })
  const consumer = await scene.joined(['b'])
  const scope = [{ topic: 'b' }]
  expect(await refusal(reset('g', 'latest', { scope }))).toMatch(
    /^NON_EMPTY_GROUP: Group g is Stable with 1 active member: .+ at .+; only a forced reset/,
  )
  const preview = await reset('g', 'latest', { isDryRun: true })
  expect(preview.members).toEqual([consumer.memberId])
  expect(await committed('g')).toEqual({ 'b-0': 1 })
  await scene.during(consumer.close())
  await classicMember('c')
  expect(await refusal(reset('c', 'latest', { scope }))).toContain(
    'Group c is Stable with 1 active member: old at 10.0.0.7; only',
  )
})

test('A forced reset puts consumers out, and they come back to the new position', async () => {
  await start()
  const one = await scene.joined(['a'], { instanceId: 'static-1' })
  const two = await scene.joined(['a'])
  await scene.pass(10_000)
  const seen = [...(await scene.poll(one)), ...(await scene.poll(two))]
  expect(seen.length).toBe(20)
  // The next polls and the clock commit what was handed out.
  await scene.poll(one)
  await scene.poll(two)
  await scene.pass(6_000)
  expect(await committed('g')).toEqual({ 'a-0': 10, 'a-1': 10 })
  const members = [one.memberId, two.memberId].sort()
  const outcome = await reset('g', { offset: 4 }, { isForced: true })
  expect([...outcome.members].sort()).toEqual(members)
  expect(await committed('g')).toEqual({ 'a-0': 4, 'a-1': 4 })
  const again: string[] = []
  for (let round = 0; round < 20 && again.length < 12; round++) {
    again.push(...(await scene.poll(one)), ...(await scene.poll(two)))
    await scene.pass(1_000)
  }
  expect(again.sort()).toEqual([4, 5, 6, 7, 8, 9].flatMap((n) => [`v${n}`, `v${n}`]))
  await scene.during(Promise.all([one.close(), two.close()]))
})

test('A forced reset puts classic members out, static ones too', async () => {
  await start()
  const memberId = await classicMember('c', 'i1')
  const scope = [{ topic: 'a' }]
  const { members } = await reset('c', { offset: 2 }, { scope, isForced: true })
  expect(members).toEqual([memberId])
  expect(await describe('c')).toMatchObject({ state: 'Empty', members: [] })
  expect(await committed('c')).toEqual({ 'a-0': 2, 'a-1': 2 })
  const beat = { groupId: 'c', generationId: 1, memberId, groupInstanceId: 'i1' }
  expect(await refusal(scene.during(groups().heartbeat(ANONYMOUS, beat)))).toContain(
    'UNKNOWN_MEMBER_ID',
  )
})

test('A forced reset waits for a group whose first rebalance is under way', async () => {
  await start()
  await commit('c', { 'a-0': 1 })
  const joining = join('c')
  await scene.pass(1_000)
  expect((await describe('c')).state).toBe('PreparingRebalance')
  const { partitions } = await reset('c', 'latest', { isForced: true })
  expect(partitions).toMatchObject([{ topic: 'a', partition: 0, from: 1, to: 10 }])
  expect(await committed('c')).toEqual({ 'a-0': 10 })
  expect((await joining).errorCode).toBe(errorCode('UNKNOWN_MEMBER_ID'))
})

test('Offsets are forgotten by topic and by partition, and nothing of what is read', async () => {
  await start()
  await commit('g', { 'a-0': 3, 'a-1': 4, 'b-0': 2 })
  const forget = (...scope: { topic: string; partition?: number }[]) =>
    scene.during(groups().forgetOffsets(ANONYMOUS, { groupId: 'g', scope }))
  expect(await forget({ topic: 'a', partition: 1 })).toEqual([
    { topic: 'a', partition: 1, offset: 4 },
  ])
  expect(await committed('g')).toEqual({ 'a-0': 3, 'b-0': 2 })
  const consumer = await scene.joined(['a'])
  expect(await refusal(forget({ topic: 'b' }, { topic: 'a' }))).toBe(
    'GROUP_SUBSCRIBED_TO_TOPIC: Group g has members that are subscribed to topic a',
  )
  expect(await forget({ topic: 'b' })).toEqual([{ topic: 'b', partition: 0, offset: 2 }])
  expect(await committed('g')).toEqual({ 'a-0': 3 })
  expect(await refusal(forget({ topic: 'none' }))).toContain('UNKNOWN_TOPIC_OR_PARTITION')
  await scene.during(consumer.close())
})

test('What was committed of a topic that was deleted is not told, nor of one that took its name', async () => {
  await start()
  await commit('g', { 'a-0': 3, 'b-0': 2 })
  await scene.during(scene.broker.deleteTopic(ANONYMOUS, 'b'))
  expect(await committed('g')).toEqual({ 'a-0': 3 })
  await scene.topic('b')
  expect(await moves('g', 'earliest', { isDryRun: true })).toEqual(['a-0: 3 → 0'])
  expect(await refusal(reset('g', { shiftBy: 0 }, { scope: [{ topic: 'b' }] }))).toContain(
    'The group has committed nothing for b-0',
  )
})

test('Groups are counted by type and state, and what became of their offsets', async () => {
  await start()
  await commit('one', { 'a-0': 3, 'a-1': 4 })
  await commit('two', { 'b-0': 2 })
  await classicMember('c')
  const scope = [{ topic: 'a', partition: 0 }]
  await scene.during(groups().forgetOffsets(ANONYMOUS, { groupId: 'one', scope }))
  const samples = scene.broker.samples().filter(({ name }) => /groups|offsets/.test(name))
  const texts = samples.map(
    ({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`,
  )
  expect(texts.sort()).toEqual([
    'millrace_committed_offsets {} 2',
    'millrace_groups {"type":"classic","state":"Empty"} 2',
    'millrace_groups {"type":"classic","state":"Stable"} 1',
  ])
  expect(groups().counters).toEqual({ committed: 3, expired: 0, deleted: 1 })
})
