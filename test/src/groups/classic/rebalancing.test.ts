// What time does to a classic group, and what becomes of it when the log refuses.
import { expect, test } from 'vitest'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { Scene } from './classic-scene.ts'
import { ClassicShard, joined, protocol } from './classic-shard.ts'

const first = { version: 3 }

test('A first rebalance ends after the initial delay when nobody else has come', async () => {
  const shard = new ClassicShard()
  const join = shard.join(first)
  await shard.clock.run(2_990)
  expect(join.isOpen).toBe(true)
  await shard.clock.run(20)
  expect(joined(join).generationId).toBe(1)
})

test('A first rebalance is put off as long as members come, but not beyond the rebalance timeout', async () => {
  const shard = new ClassicShard()
  const joins = [shard.join({ ...first, rebalanceTimeoutMs: 10_000 })]
  for (let at = 1; at < 10; at++) {
    await shard.clock.run(1_000)
    joins.push(shard.join({ ...first, rebalanceTimeoutMs: 10_000 }))
  }
  await shard.clock.run(900)
  expect(joins.every((join) => join.isOpen)).toBe(true)
  await shard.clock.run(200)
  expect(joins.map((join) => joined(join).generationId)).toEqual(joins.map(() => 1))
  expect(joined(joins[0] ?? shard.join()).members).toHaveLength(10)
})

test('A first rebalance that all have left leaves a generation without members', async () => {
  const scene = await Scene.at('initial')
  await scene.tell(scene.shard.leave({ memberId: scene.id('L') }))
  expect(await scene.tell(scene.parked.get('L') ?? scene.join('L'))).toBe('UNKNOWN_MEMBER_ID')
  await scene.shard.clock.run(6_010)
  expect([scene.state, ...scene.records]).toEqual(['Empty', 'generation 1 nobody'])
})

test('A rebalance goes on without the dynamic members that do not come, and with the static ones', async () => {
  const scene = await Scene.at('PreparingRebalance')
  for (let at = 0; at < 12; at++) {
    // Alive, but busy: heartbeats keep a session, not a place.
    scene.heartbeat('L')
    scene.heartbeat('S')
    await scene.shard.clock.run(5_001)
  }
  expect(scene.state).toBe('CompletingRebalance')
  expect([...scene.shard.group().members.keys()].sort()).toEqual(
    [scene.id('F'), scene.id('S')].sort(),
  )
  expect(await scene.tell(scene.parked.get('F') ?? scene.join('F'))).toBe(
    'F in 2 by range led by F of FS',
  )
})

test('A rebalance that no static member has come to begins anew, until their sessions end', async () => {
  const shard = new ClassicShard()
  const join = shard.join({ groupInstanceId: 's', rebalanceTimeoutMs: 20_000 })
  await shard.clock.run(3_010)
  const { memberId } = joined(join)
  shard.sync({ memberId, groupInstanceId: 's' })
  await settle()
  // Another comes and goes: it leaves a rebalance behind that nobody has joined.
  shard.join({ groupInstanceId: 't', rebalanceTimeoutMs: 20_000 })
  shard.leave({ groupInstanceId: 't' })
  for (let at = 0; at < 5; at++) {
    shard.heartbeat({ memberId, groupInstanceId: 's' })
    await shard.clock.run(9_000)
    expect(shard.group().state).toBe('PreparingRebalance')
  }
  await shard.clock.run(1_010)
  expect([shard.group().state, shard.group().generationId]).toEqual(['Empty', 2])
})

test.each([
  { state: 'CompletingRebalance', next: 'PreparingRebalance' },
  { state: 'Stable', next: 'PreparingRebalance' },
] as const)(
  'A silent member of a group in $state is removed when its session ends',
  async ({ state, next }) => {
    const scene = await Scene.at(state)
    await scene.shard.clock.run(9_000)
    scene.heartbeat('L')
    scene.heartbeat('S')
    await scene.shard.clock.run(970)
    expect([...scene.shard.group().members.keys()]).toContain(scene.id('F'))
    await scene.shard.clock.run(40)
    expect([...scene.shard.group().members.keys()]).not.toContain(scene.id('F'))
    expect(scene.state).toBe(next)
    expect(await scene.tell(scene.heartbeat('F'))).toBe('UNKNOWN_MEMBER_ID')
  },
)

test('A group whose members all fall silent is empty, in a generation of its own', async () => {
  const scene = await Scene.at('Stable')
  await scene.shard.clock.run(10_010)
  expect([scene.state, ...scene.records]).toEqual(['Empty', 'generation 2 nobody'])
})

test('A member that waits for a join may be silent, and has its whole session from the answer on', async () => {
  const scene = await Scene.at('PreparingRebalance')
  for (let at = 0; at < 6; at++) {
    scene.heartbeat('L')
    scene.heartbeat('S')
    await scene.shard.clock.run(5_000)
  }
  expect([...scene.shard.group().members.keys()]).toContain(scene.id('F'))
  scene.join('L')
  scene.join('S')
  await scene.shard.clock.run(9_990)
  expect(await scene.tell(scene.heartbeat('F', { generationId: 2 }))).toBe('ok')
})

test('A member that waits for a sync may be silent, but not beyond the rebalance timeout of a leader that is', async () => {
  const scene = await Scene.at('CompletingRebalance')
  const sync = scene.sync('F')
  for (let at = 0; at < 11; at++) {
    scene.heartbeat('L')
    scene.heartbeat('S')
    await scene.shard.clock.run(5_000)
  }
  expect([scene.state, sync.isOpen]).toEqual(['CompletingRebalance', true])
  scene.heartbeat('L')
  scene.heartbeat('S')
  await scene.shard.clock.run(5_010)
  expect(await scene.tell(sync)).toBe('REBALANCE_IN_PROGRESS')
  expect(scene.state).toBe('PreparingRebalance')
  expect([...scene.shard.group().members.keys()]).toEqual([scene.id('F')])
})

test.each([
  { how: 'answered', answer: 'assigned F', next: 'Stable' },
  { how: 'refused', answer: 'REBALANCE_IN_PROGRESS', next: 'PreparingRebalance' },
])('A sync that waited for longer than a session and is $how begins another', async (row) => {
  const scene = await Scene.at('CompletingRebalance')
  const beat = async (forMs: number) => {
    for (let left = forMs; left > 0; left -= 1_000) {
      scene.heartbeat('L')
      scene.heartbeat('S')
      await scene.shard.clock.run(Math.min(left, 1_000))
    }
  }
  const sync = scene.sync('F')
  await beat(15_000)
  if (row.how === 'answered') scene.assign()
  else scene.join('N', { memberId: '', version: 3 })
  expect([await scene.tell(sync), scene.state]).toEqual([row.answer, row.next])
  await beat(9_980)
  expect([...scene.shard.group().members.keys()]).toContain(scene.id('F'))
  await beat(40)
  expect([...scene.shard.group().members.keys()]).not.toContain(scene.id('F'))
})

test('A member of a stable group that never asks for its assignment is removed after the rebalance timeout', async () => {
  const scene = await Scene.at('CompletingRebalance')
  scene.assign()
  scene.sync('S')
  for (let at = 0; at < 12; at++) {
    for (const name of ['L', 'F', 'S']) scene.heartbeat(name)
    expect(scene.state).toBe('Stable')
    await scene.shard.clock.run(5_001)
  }
  expect(scene.state).toBe('PreparingRebalance')
  expect([...scene.shard.group().members.keys()].sort()).toEqual(
    [scene.id('L'), scene.id('S')].sort(),
  )
})

test('A new member whose first join takes five minutes is given up', async () => {
  const shard = new ClassicShard({ config: { 'group.initial.rebalance.delay.ms': '400000' } })
  const join = shard.join({ ...first, rebalanceTimeoutMs: 900_000 })
  await shard.clock.run(299_900)
  expect(join.isOpen).toBe(true)
  await shard.clock.run(200)
  expect([joined(join).errorCode, joined(join).memberId]).toEqual([25, ''])
  expect(shard.group().members.size).toBe(0)
})

test('An id that nobody joins with is forgotten after the session timeout, and holds up a rebalance until then', async () => {
  const scene = await Scene.at('Stable')
  const { answer } = await told(scene, scene.join('P', { memberId: '' }))
  const joins = ['L', 'F', 'S'].map((name) => scene.join(name))
  await scene.shard.clock.run(9_900)
  // The leader's join began a rebalance; the others have come.
  for (const join of joins) expect(join.isOpen).toBe(true)
  await scene.shard.clock.run(200)
  for (const join of joins) expect(joined(join).generationId).toBe(2)
  expect(await scene.tell(scene.join('P', { memberId: answer?.memberId ?? '' }))).toMatch(
    'UNKNOWN_MEMBER_ID',
  )
})

test.each([
  { version: 0, rebalanceTimeoutMs: -1, waitsMs: 10_000 },
  { version: 1, rebalanceTimeoutMs: 25_000, waitsMs: 25_000 },
])(
  'A member of JoinGroup v$version has $waitsMs ms to come back',
  async ({ version, rebalanceTimeoutMs, waitsMs }) => {
    const shard = new ClassicShard()
    const join = shard.join({ version, rebalanceTimeoutMs })
    await shard.clock.run(3_010)
    expect(shard.group().rebalanceTimeoutMs).toBe(waitsMs)
    expect(joined(join).errorCode).toBe(0)
  },
)

test('A leader whose assignment cannot be written is refused, and all have to join again', async () => {
  const scene = await Scene.at('CompletingRebalance')
  const syncs = [scene.sync('F'), scene.sync('S')]
  scene.shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The disk is full')
  expect(await scene.tell(scene.assign())).toBe('COORDINATOR_NOT_AVAILABLE')
  for (const sync of syncs) expect(await scene.tell(sync)).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(scene.state).toBe('PreparingRebalance')
  scene.shard.appendError = undefined
  const joins = ['L', 'F', 'S'].map((name) => scene.join(name))
  await settle()
  expect(joins.map((join) => joined(join).generationId)).toEqual([2, 2, 2])
})

test('An assignment is told to nobody before it is committed', async () => {
  const scene = await Scene.at('CompletingRebalance')
  scene.shard.isHolding = true
  const syncs = [scene.assign(), scene.sync('F')]
  await settle()
  expect([scene.state, ...syncs.map((sync) => sync.isOpen)]).toEqual([
    'CompletingRebalance',
    true,
    true,
  ])
  scene.shard.release()
  expect(await scene.tell(syncs[1] ?? scene.assign())).toBe('assigned F')
  expect(scene.state).toBe('Stable')
})

test('An assignment that is committed when somebody has come meanwhile is told to nobody', async () => {
  const scene = await Scene.at('CompletingRebalance')
  scene.shard.isHolding = true
  const syncs = [scene.assign(), scene.sync('F')]
  scene.join('N', { memberId: '', version: 3 })
  scene.shard.release()
  for (const sync of syncs) expect(await scene.tell(sync)).toBe('REBALANCE_IN_PROGRESS')
  expect(scene.state).toBe('PreparingRebalance')
  expect(
    [...scene.shard.group().members.values()].map(({ assignment }) => assignment.length),
  ).toEqual([0, 0, 0, 0])
})

test('A group that cannot be written when it is made is not there, and who waits is refused', async () => {
  const shard = new ClassicShard()
  shard.isHolding = true
  const joins = [shard.join(first), shard.join(first)]
  await settle()
  shard.release(new KafkaError('NOT_COORDINATOR', 'The log is gone'))
  await settle()
  expect(joins[0]?.error?.code).toBe('NOT_COORDINATOR')
  expect(joins[1]?.answer?.errorCode ?? joins[1]?.error?.code).toBe('NOT_COORDINATOR')
  expect([shard.groups.size, shard.clock.pendingTimers]).toEqual([0, 0])
})

test('A group that all have left is written as such as soon as that can be', async () => {
  const scene = await Scene.at('Stable')
  const { shard } = scene
  const generationInLog = () => new ClassicShard({ log: shard.log }).group().generationId
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The disk is full')
  await shard.clock.run(60_000)
  expect([scene.state, shard.group().generationId, generationInLog()]).toEqual(['Empty', 2, 1])
  shard.appendError = undefined
  await shard.clock.run(1010)
  expect(generationInLog()).toBe(2)
  const records = shard.log.length
  await shard.clock.run(10_000)
  expect(shard.log.length).toBe(records)
})

test('A group that all have left and that somebody comes to is written with its next generation', async () => {
  const scene = await Scene.at('Stable')
  const { shard } = scene
  shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The disk is full')
  await shard.clock.run(60_000)
  shard.appendError = undefined
  const records = shard.log.length
  const join = shard.join({ version: 3 })
  await shard.clock.run(2990)
  expect([scene.state, join.isOpen, shard.log.length]).toEqual([
    'PreparingRebalance',
    true,
    records,
  ])
  await shard.clock.run(20)
  expect(joined(join).generationId).toBe(3)
})

test('A static member whose new id cannot be written keeps its old one', async () => {
  const scene = await Scene.at('Stable')
  scene.shard.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The disk is full')
  const other = [protocol('range', 'elsewhere')]
  expect(await scene.tell(scene.join('S', { memberId: '', protocols: other }))).toBe(
    'COORDINATOR_NOT_AVAILABLE',
  )
  expect([scene.state, ...scene.shard.group().members.keys()].sort()).toEqual(
    ['Stable', ...scene.ids.values()].sort(),
  )
  expect(await scene.tell(scene.heartbeat('S'))).toBe('ok')
  expect(await scene.tell(scene.join('S'))).toBe('S in 1 by range led by L')
  await scene.shard.clock.run(10_010)
  expect(scene.shard.group().members.size).toBe(0)
})

async function told<A extends { isOpen: boolean }>(scene: Scene, asked: A): Promise<A> {
  await scene.shard.clock.run(0)
  return asked
}
