// Classic groups as the shard's other parts meet them: loaded, unloaded, committed to, described, migrated.
import { expect, test } from 'vitest'
import { describeClassicGroup } from '../../../../src/groups/classic/describe-group.ts'
import type { GroupRecordOf } from '../../../../src/groups/group-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { Scene, type SceneState } from './classic-scene.ts'
import { ClassicShard, joined, protocol } from './classic-shard.ts'

function reloaded(scene: Scene, config: Record<string, string> = {}): ClassicShard {
  const { clock, log } = scene.shard
  scene.shard.classic.unloaded(new KafkaError('NOT_COORDINATOR', 'Moved'))
  return new ClassicShard({ clock, log, config })
}

test('A stable group that is loaded again goes on as if nothing had been', async () => {
  const scene = await Scene.at('Stable')
  const before = scene.shard.group().record()
  const shard = reloaded(scene)
  const { value } = shard.group().record()
  expect({ ...value, currentStateTimestamp: 0 }).toEqual({
    ...before.value,
    currentStateTimestamp: 0,
  })
  const sync = shard.sync({ memberId: scene.id('F') })
  await settle()
  expect(new TextDecoder().decode(sync.answer?.assignment)).toBe('F')
  await shard.clock.run(9_000)
  shard.heartbeat({ memberId: scene.id('F') })
  await shard.clock.run(1_010)
  expect([...shard.group().members.keys()]).toEqual([scene.id('F')])
})

test('A group in the middle of a rebalance is loaded as it was in its last generation', async () => {
  const scene = await Scene.at('PreparingRebalance')
  scene.join('N', { memberId: '', version: 3 })
  const shard = reloaded(scene)
  const { state, generationId, members } = shard.group()
  expect([state, generationId, [...members.keys()].sort()]).toEqual([
    'Stable',
    1,
    [...scene.ids.values()].sort(),
  ])
})

test('A group whose first generation was never stable is loaded without members', async () => {
  const shard = reloaded(await Scene.at('CompletingRebalance'))
  expect([shard.group().state, shard.group().generationId, shard.group().protocolType]).toEqual([
    'Empty',
    0,
    '',
  ])
})

test('A group that is loaded with more members than may be has to rebalance', async () => {
  const scene = await Scene.at('Stable')
  const shard = reloaded(scene, { 'group.max.size': '2' })
  expect(shard.group().state).toBe('PreparingRebalance')
  const joins = ['L', 'F', 'S'].map((name) =>
    shard.join({ memberId: scene.id(name), groupInstanceId: name === 'S' ? 's' : null }),
  )
  await settle()
  expect(joins.map(({ answer }) => answer?.errorCode)).toEqual([0, 0, 81])
})

test.each([
  'initial',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
] as const satisfies SceneState[])(
  'A group in %s that is unloaded answers all that waits, and leaves no timer',
  async (state) => {
    const scene = await Scene.at(state)
    const waiting = [...scene.parked.values()]
    if (state === 'CompletingRebalance') waiting.push(scene.sync('F'))
    const { shard } = scene
    shard.classic.unloaded(new KafkaError('NOT_COORDINATOR', 'Moved'))
    for (const one of waiting) expect(await scene.tell(one)).toMatch('NOT_COORDINATOR')
    expect([shard.clock.pendingTimers, shard.groups.size]).toEqual([0, 0])
  },
)

test('A tombstone removes the group, and sends its members to join again', async () => {
  const scene = await Scene.at('CompletingRebalance')
  const sync = scene.sync('F')
  scene.shard.classic.replay({ type: 'GroupMetadata', key: { group: 'g' }, value: null })
  expect(await scene.tell(sync)).toBe('REBALANCE_IN_PROGRESS')
  expect([scene.state, scene.shard.clock.pendingTimers]).toEqual(['none', 0])
})

test.each([
  { state: 'Empty', why: 'of nobody', member: '', generation: -1, refusal: 'let through' },
  {
    state: 'Empty',
    why: 'of who was a member',
    member: 'L',
    generation: 1,
    refusal: 'UNKNOWN_MEMBER_ID',
  },
  {
    state: 'PreparingRebalance',
    why: 'of a member',
    member: 'L',
    generation: 1,
    refusal: 'let through',
  },
  {
    state: 'PreparingRebalance',
    why: 'of nobody',
    member: '',
    generation: -1,
    refusal: 'UNKNOWN_MEMBER_ID',
  },
  {
    state: 'CompletingRebalance',
    why: 'of a member',
    member: 'L',
    generation: 1,
    refusal: 'REBALANCE_IN_PROGRESS',
  },
  { state: 'Stable', why: 'of a member', member: 'L', generation: 1, refusal: 'let through' },
  {
    state: 'Stable',
    why: 'of another generation',
    member: 'L',
    generation: 2,
    refusal: 'ILLEGAL_GENERATION',
  },
  {
    state: 'Stable',
    why: 'of a member without a generation',
    member: 'L',
    generation: -1,
    refusal: 'ILLEGAL_GENERATION',
  },
  {
    state: 'Stable',
    why: 'of a stranger',
    member: 'x',
    generation: 1,
    refusal: 'UNKNOWN_MEMBER_ID',
  },
  { state: 'Stable', why: 'of nobody', member: '', generation: -1, refusal: 'UNKNOWN_MEMBER_ID' },
] as const)(
  'A commit $why to a group in $state: $refusal',
  async ({ state, member, generation, refusal }) => {
    const scene = await Scene.at(state)
    const commit = () =>
      scene.shard.group().validateCommit({
        memberId: scene.id(member),
        groupInstanceId: null,
        generationIdOrMemberEpoch: generation,
        version: 9,
      })
    if (refusal === 'let through') expect(commit).not.toThrow()
    else expect(commit).toThrow(expect.objectContaining({ code: refusal }))
  },
)

test('A commit of a static member whose place was taken is fenced', async () => {
  const scene = await Scene.at('Stable')
  await scene.tell(scene.join('S', { memberId: '' }))
  const client = {
    memberId: scene.id('S'),
    groupInstanceId: 's',
    generationIdOrMemberEpoch: 1,
    version: 9,
  }
  expect(() => scene.shard.group().validateCommit(client)).toThrow(
    expect.objectContaining({ code: 'FENCED_INSTANCE_ID' }),
  )
})

test('A commit keeps a session as a heartbeat does', async () => {
  const scene = await Scene.at('Stable')
  await scene.shard.clock.run(9_000)
  const client = {
    memberId: scene.id('F'),
    groupInstanceId: null,
    generationIdOrMemberEpoch: 1,
    version: 9,
  }
  scene.shard.group().validateCommit(client)
  await scene.shard.clock.run(9_000)
  expect([...scene.shard.group().members.keys()]).toEqual([scene.id('F')])
})

test.each([
  { state: 'Empty', deletes: 'lets', deletesOffsets: 'lets' },
  { state: 'Stable', deletes: 'NON_EMPTY_GROUP', deletesOffsets: 'lets' },
  { state: 'CompletingRebalance', deletes: 'NON_EMPTY_GROUP', deletesOffsets: 'lets' },
] as const)(
  'A group in $state answers $deletes to a deletion',
  async ({ state, deletes, deletesOffsets }) => {
    const group = (await Scene.at(state)).shard.group()
    expect(outcome(() => group.validateDelete())).toBe(deletes)
    expect(outcome(() => group.validateOffsetDelete())).toBe(deletesOffsets)
  },
)

test('A group that is not of consumers keeps the offsets that it may be using', async () => {
  const shard = new ClassicShard()
  const join = shard.join({ version: 3, protocolType: 'connect' })
  await shard.clock.run(3_010)
  const group = shard.group()
  expect(outcome(() => group.validateOffsetDelete())).toBe('NON_EMPTY_GROUP')
  expect([group.isSubscribedTo('topic'), group.offsetExpiration()]).toEqual([false, undefined])
  shard.leave({ memberId: joined(join).memberId })
  expect(group.offsetExpiration()?.baseTimestamp(5)).toBe(shard.clock.now())
})

test('A group of consumers knows their topics: of members, not of what they say in other words', async () => {
  const scene = await Scene.at('Stable')
  const group = scene.shard.group()
  expect([group.isSubscribedTo('topic'), group.isSubscribedTo('other')]).toEqual([true, false])
  expect(group.offsetExpiration()?.baseTimestamp(5)).toBe(5)

  const shard = new ClassicShard()
  shard.join({
    version: 3,
    protocols: [{ name: 'range', metadata: Uint8Array.of(0, 0, 0, 0, 0, 9) }],
  })
  await shard.clock.run(3_010)
  expect(shard.group().isSubscribedTo('any topic')).toBe(true)
})

test('A static member that is back with other topics is subscribed to these, here as after a load', async () => {
  const scene = await Scene.at('Stable')
  scene.join('S', { memberId: '', protocols: [protocol('range', 'elsewhere')] })
  await settle()
  expect(scene.state).toBe('Stable')
  expect(scene.shard.group().isSubscribedTo('elsewhere')).toBe(true)
  expect(reloaded(scene).group().isSubscribedTo('elsewhere')).toBe(true)
})

test('An empty group of consumers is subscribed to nothing, and its offsets age since it is empty', async () => {
  const scene = await Scene.at('Empty')
  const since = scene.shard.clock.now()
  await scene.shard.clock.run(77)
  const group = scene.shard.group()
  expect([group.isSubscribedTo('topic'), group.offsetExpiration()?.baseTimestamp(5)]).toEqual([
    false,
    since,
  ])
})

test('A simple group is made once, has no type, and its offsets age since their commits', () => {
  const shard = new ClassicShard()
  const group = shard.classic.simpleGroup('g')
  expect(shard.classic.simpleGroup('g')).toBe(group)
  expect([group.state, group.protocolType, group.offsetExpiration()?.baseTimestamp(5)]).toEqual([
    'Empty',
    '',
    5,
  ])
  expect(shard.log).toEqual([])
})

test('A group tells its protocol and what its members said only while it is stable', async () => {
  const stable = describeClassicGroup((await Scene.at('Stable')).shard.group())
  expect(stable).toMatchObject({
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
  })
  expect(stable.members.map((member) => member.memberMetadata.length)).toEqual([17, 17, 17])
  expect(stable.members.map((member) => member.memberAssignment.length)).toEqual([1, 1, 0])
  expect(stable.members[2]).toMatchObject({
    groupInstanceId: 's',
    clientId: 'S',
    clientHost: '/127.0.0.1',
  })
  const preparing = describeClassicGroup((await Scene.at('PreparingRebalance')).shard.group())
  expect(preparing).toMatchObject({ groupState: 'PreparingRebalance', protocolData: '' })
  expect(preparing.members.map((member) => member.memberMetadata.length)).toEqual([0, 0, 0])
})

/** A consumer group's members as the log is told of them when it becomes classic. */
const downgraded: GroupRecordOf<'GroupMetadata'> = {
  type: 'GroupMetadata',
  key: { group: 'g' },
  value: {
    protocolType: 'consumer',
    generation: 7,
    protocol: 'range',
    leader: null,
    currentStateTimestamp: -1,
    members: ['a', 'b'].map((memberId) => ({
      memberId,
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      rebalanceTimeout: -1,
      sessionTimeout: 10_000,
      subscription: protocol('range').metadata,
      assignment: Uint8Array.of(1),
    })),
  },
}

test.each([
  { rebalance: true, state: 'PreparingRebalance', answer: 27 },
  { rebalance: false, state: 'Stable', answer: 0 },
])(
  'A downgraded group is $state, with sessions, when a rebalance is due: $rebalance',
  async ({ rebalance, state, answer }) => {
    const shard = new ClassicShard()
    shard.classic.replay(downgraded)
    shard.classic.downgraded('g', { rebalance })
    expect([shard.group().state, shard.group().leaderId]).toEqual([state, 'a'])
    await shard.clock.run(9_000)
    const beat = shard.heartbeat({ memberId: 'b', generationId: 7 })
    await shard.clock.run(1_010)
    expect(beat.answer?.errorCode).toBe(answer)
    expect([...shard.group().members.keys()]).toEqual(rebalance ? [] : ['b'])
  },
)

function outcome(check: () => void): string {
  try {
    check()
    return 'lets'
  } catch (error) {
    return (error as KafkaError).code
  }
}

test('A SyncGroup whose assignment fails to be read leaves the group as it was', async () => {
  const scene = await Scene.at('CompletingRebalance')
  const assignments = [
    {
      memberId: scene.id('L'),
      get assignment(): Uint8Array {
        throw new RangeError('No such bytes')
      },
    },
  ]
  const { shard } = scene
  const group = shard.group()
  const request = {
    groupId: 'g',
    generationId: group.generationId,
    memberId: scene.id('L'),
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments,
  }
  expect(() => shard.classic.sync(request)).toThrow('No such bytes')
  expect(group.pendingSyncs.has(scene.id('L'))).toBe(true)
  expect(group.members.get(scene.id('L'))?.awaitingSync).toBeUndefined()
  expect(await scene.tell(scene.assign())).toBe('assigned L')
  expect(scene.state).toBe('Stable')
})
