// Joins beyond the table: static members that come back, full groups, clients that ask twice.
import { expect, test } from 'vitest'
import { settle } from '../../../simulation/virtual-clock.ts'
import { Scene } from './classic-scene.ts'
import { ClassicShard, joined, protocol } from './classic-shard.ts'

test('A static member that is back fences its former self, whatever that waits for', async () => {
  const preparing = await Scene.at('PreparingRebalance')
  const join = preparing.join('S')
  const again = preparing.join('S', { memberId: '' })
  expect(await preparing.tell(join)).toBe('FENCED_INSTANCE_ID for S')
  expect(await preparing.tell(again)).toBe('parked')
  expect(await preparing.tell(preparing.heartbeat('S'))).toBe('FENCED_INSTANCE_ID')

  const completing = await Scene.at('CompletingRebalance')
  const sync = completing.sync('S')
  completing.join('S', { memberId: '' })
  expect(await completing.tell(sync)).toBe('FENCED_INSTANCE_ID')
})

/** A stable group of the static leader A and of B. */
async function staticPair(version: number) {
  const shard = new ClassicShard()
  const joins = ['a', 'b'].map((groupInstanceId) => shard.join({ groupInstanceId, version }))
  await shard.clock.run(6_010)
  const [a, b] = joins.map((join) => joined(join).memberId) as [string, string]
  const assignments = [{ memberId: a, assignment: Uint8Array.of(1) }]
  shard.sync({ memberId: a, groupInstanceId: 'a', assignments })
  shard.sync({ memberId: b, groupInstanceId: 'b' })
  await settle()
  expect([shard.group().state, shard.group().leaderId]).toEqual(['Stable', a])
  return { shard, a, b }
}

test('A static leader that is back is not told that it leads, before JoinGroup v9', async () => {
  const { shard, a } = await staticPair(8)
  const join = shard.join({ groupInstanceId: 'a', version: 8 })
  await settle()
  const answer = joined(join)
  expect([answer.leader, answer.members, answer.skipAssignment]).toEqual([a, [], false])
  expect(shard.group().leaderId).toBe(answer.memberId)
})

test('A static leader that is back is told since JoinGroup v9 that the assignment stands', async () => {
  const { shard, b } = await staticPair(9)
  const join = shard.join({ groupInstanceId: 'a', version: 9 })
  await settle()
  const answer = joined(join)
  expect([answer.leader, answer.skipAssignment]).toEqual([answer.memberId, true])
  expect(answer.members.map(({ memberId }) => memberId).sort()).toEqual([answer.memberId, b].sort())
  const sync = shard.sync({ memberId: answer.memberId, groupInstanceId: 'a' })
  await settle()
  expect(sync.answer?.assignment).toEqual(Uint8Array.of(1))
})

test('A static member that is back when a rebalance begins is part of it', async () => {
  const { shard, b } = await staticPair(9)
  shard.isHolding = true
  const back = shard.join({ groupInstanceId: 'a' })
  const leader = shard.join({
    memberId: b,
    groupInstanceId: 'b',
    protocols: [protocol('range', 'x')],
  })
  shard.release()
  await settle()
  expect([joined(back).generationId, joined(leader).generationId]).toEqual([2, 2])
})

test('A join that is sent again while it waits shares the answer', async () => {
  const scene = await Scene.at('PreparingRebalance')
  const [once, twice] = [scene.join('L'), scene.join('L')]
  expect(scene.shard.group().awaitingJoins).toBe(2)
  scene.join('S')
  expect(await scene.tell(once)).toBe('L in 2 by range led by L of FLS')
  expect(await scene.tell(twice)).toBe(await scene.tell(once))
})

test('A full group takes nobody in, and tells no id', async () => {
  const config = { 'group.max.size': '3' }
  for (const state of ['Stable', 'CompletingRebalance'] as const) {
    const scene = await Scene.at(state, { config })
    const late = { memberId: '', version: 3 }
    expect(await scene.tell(scene.join('N', late))).toBe('GROUP_MAX_SIZE_REACHED')
    expect(await scene.tell(scene.join('F'))).toBe('F in 1 by range led by L')
  }
  const scene = await Scene.at('PreparingRebalance', { config })
  const joins = ['L', 'N', 'O'].map((name) =>
    scene.join(name, { memberId: scene.ids.get(name) ?? '', version: 3 }),
  )
  expect(await scene.tell(joins[2] ?? scene.join('O'))).toBe('GROUP_MAX_SIZE_REACHED')
  // Who was in before counts as everybody else: the last to come is out.
  expect(await scene.tell(scene.join('S'))).toBe('GROUP_MAX_SIZE_REACHED')
  const parked = scene.parked.get('F')
  expect(parked && (await scene.tell(parked))).toBe('F in 2 by range led by L')
})

test('Members that are told their ids are not counted before they join, and then the group may be full', async () => {
  const scene = await Scene.at('Stable', { config: { 'group.max.size': '4' } })
  const told = [scene.join('P', { memberId: '' }), scene.join('Q', { memberId: '' })]
  await settle()
  const [p, q] = told.map((one) => joined(one).memberId)
  expect(await scene.tell(scene.join('P', { memberId: p ?? '' }))).toBe('parked')
  for (const name of ['L', 'F', 'S']) scene.join(name)
  expect(await scene.tell(scene.join('Q', { memberId: q ?? '' }))).toMatch('GROUP_MAX_SIZE_REACHED')
})

test('A rebalance selects the protocol that most members want of those that all know', async () => {
  const shard = new ClassicShard()
  const wishes = [
    ['a', 'b', 'c'],
    ['b', 'a', 'd'],
    ['d', 'b', 'a'],
  ]
  const joins = wishes.map((names) =>
    shard.join({ version: 3, protocols: names.map((name) => protocol(name)) }),
  )
  await shard.clock.run(6_010)
  expect(joins.map((join) => joined(join).protocolName)).toEqual(['b', 'b', 'b'])
})

test('A new member is named after its client, a static one after its instance', async () => {
  const shard = new ClassicShard()
  const dynamic = shard.join({ clientId: 'reader' })
  const fixed = shard.join({ clientId: 'reader', groupInstanceId: 'rack-1' })
  await shard.clock.run(6_010)
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
  expect(joined(dynamic).memberId).toMatch(new RegExp(`^reader-${uuid}$`))
  expect(joined(fixed).memberId).toMatch(new RegExp(`^rack-1-${uuid}$`))
})

test('A static member that is back when a rebalance has begun hears nothing before its end', async () => {
  const { shard, b } = await staticPair(9)
  shard.isHolding = true
  const back = shard.join({ groupInstanceId: 'a' })
  shard.join({ groupInstanceId: 'c' })
  shard.release()
  await settle()
  expect([shard.group().state, back.isOpen]).toEqual(['PreparingRebalance', true])
  shard.join({ memberId: b, groupInstanceId: 'b' })
  await settle()
  expect([joined(back).generationId, joined(back).members.length]).toEqual([2, 3])
})

test('A leader that joins again keeps the lead, whoever has been in the group for longer', async () => {
  const { shard, b } = await staticPair(9)
  const back = shard.join({ groupInstanceId: 'a' })
  await settle()
  const { memberId } = joined(back)
  const joins = [
    shard.join({ memberId: b, groupInstanceId: 'b', protocols: [protocol('range', 'x')] }),
    shard.join({ memberId, groupInstanceId: 'a' }),
  ]
  await settle()
  expect(joins.map((join) => joined(join).leader)).toEqual([memberId, memberId])
})

test.each([
  { of: 'client', join: { clientId: 'ä'.repeat(16_380) } },
  { of: 'client, cut inside a pair', join: { clientId: `x${'🐢'.repeat(8190)}` } },
  { of: 'instance', join: { groupInstanceId: '日'.repeat(10_922) } },
])(
  'The id of a new member can be written however long the name of its $of is',
  async ({ join }) => {
    const shard = new ClassicShard()
    const asked = shard.join({ version: 3, ...join })
    await shard.clock.run(3000)
    const { memberId } = joined(asked)
    const bytes = new TextEncoder().encode(memberId)
    expect(bytes.length).toBeLessThanOrEqual(32_767)
    const sync = shard.sync({
      memberId: new TextDecoder().decode(bytes),
      groupInstanceId: join.groupInstanceId ?? null,
      assignments: [{ memberId, assignment: Uint8Array.of(1) }],
    })
    await settle()
    expect(sync.answer?.errorCode).toBe(0)
  },
)

test('A group remembers the last 10,000 ids that nobody has joined with, and no more', async () => {
  const scene = await Scene.at('Stable')
  const ids: string[] = []
  for (let asked = 0; asked <= 10_000; asked++) {
    const answer = scene.shard.join({ protocols: [protocol('range', 'x')] })
    await scene.tell(answer)
    ids.push(joined(answer).memberId)
  }
  const [forgotten = '', oldest = ''] = ids
  expect(await scene.tell(scene.join('Q', { memberId: forgotten }))).toMatch('UNKNOWN_MEMBER_ID')
  expect(await scene.tell(scene.join('Q', { memberId: oldest }))).toBe('parked')
})
