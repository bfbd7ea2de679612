// The runtime of coordinators: what is answered when, and what remains when the log fails, goes or is damaged.
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { buildBatch, buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { outcomeOf, TOPIC, type ToyShard, ToyWorld } from './toy-coordinator.ts'

/** Two keys of partition 0, and one of partition 1, of two. */
const [A, C, B] = ['b', 'd', 'a'] as const

test('Coordinators.write() applies at once and answers when the records are on disk', async () => {
  const world = await ToyWorld.of()
  world.isSlow = true
  const written = world.set(A, 'one')
  expect(world.shards[0]?.texts.get(A)).toBe('one')
  expect(await outcomeOf(written)).toBe('waiting')
  world.isSlow = false
  await world.finishWorks()
  expect(await written).toBe(`${A}=one`)
})

test('Coordinators.write() does not wait for the disk where it need not', async () => {
  const world = await ToyWorld.of()
  world.needsDisk = false
  world.isSlow = true
  expect(await world.set(A, 'one')).toBe(`${A}=one`)
})

test('Coordinators.read() and empty plans are answered only when what they saw is committed', async () => {
  const world = await ToyWorld.of()
  world.isSlow = true
  void world.set(A, 'one')
  const read = world.get(A)
  const empty = world.write(C, () => ({ records: [], answer: 'nothing' }))
  const elsewhere = world.get(B)
  expect(await outcomeOf(read)).toBe('waiting')
  expect(await outcomeOf(empty)).toBe('waiting')
  expect(await outcomeOf(elsewhere)).toBe('answered')
  world.isSlow = false
  await world.finishWorks()
  expect(await read).toBe('one')
  expect(await empty).toBe('nothing')
})

test('Coordinators.write() settles plans in order, before their answers', async () => {
  const world = await ToyWorld.of()
  const order: string[] = []
  const write = (name: string) =>
    world
      .write(A, () => ({
        records: name === 'empty' ? [] : [{ key: A, value: name }],
        answer: name,
        settled: (error) => order.push(`settled ${name} ${error?.code ?? ''}`.trim()),
      }))
      .then((answer) => order.push(`answered ${answer}`))
  await Promise.all([write('one'), write('empty'), write('two')])
  expect(order.filter((entry) => entry.startsWith('settled'))).toEqual([
    'settled one',
    'settled empty',
    'settled two',
  ])
  for (const name of ['one', 'empty', 'two']) {
    expect(order.indexOf(`settled ${name}`)).toBeLessThan(order.indexOf(`answered ${name}`))
  }
})

test('Coordinators.write() passes on what the plan threw and changes nothing', async () => {
  const world = await ToyWorld.of()
  const refused = world.write(A, () => {
    throw new KafkaError('UNKNOWN_MEMBER_ID', 'Nobody')
  })
  expect(await outcomeOf(refused)).toBe('UNKNOWN_MEMBER_ID')
  expect(world.partition().log.logEndOffset).toBe(0)
})

test('A refused append leaves the shard as it was, and settles its plan with the reason', async () => {
  const world = await ToyWorld.of()
  await world.set(A, 'one')
  world.disk.fail({ on: 'write', path: `${TOPIC}-0`, code: 'ENOSPC' })
  const settled: (string | undefined)[] = []
  const refused = world.write(A, () => ({
    records: [{ key: A, value: 'two' }],
    answer: 'two',
    settled: (error) => settled.push(error?.code),
  }))
  expect(await outcomeOf(refused)).toBe('NOT_COORDINATOR')
  expect(settled).toEqual(['NOT_COORDINATOR'])
  expect(await world.get(A)).toBe('one')
  expect(await world.set(A, 'three')).toBe(`${A}=three`)
  expect(world.shards).toHaveLength(2)
})

test('A bug before the append is thrown on, and settles its plan first', async () => {
  const world = await ToyWorld.of()
  const settled: (string | undefined)[] = []
  const record = {
    key: A,
    get value(): string {
      throw new TypeError('A bug in encode')
    },
  }
  const failed = world.write(A, () => ({
    records: [record],
    answer: '',
    settled: (error) => settled.push(error?.code),
  }))
  await expect(failed).rejects.toThrow(/A bug in encode/)
  expect(settled).toEqual(['UNKNOWN_SERVER_ERROR'])
  expect(await world.set(A, 'next')).toBe(`${A}=next`)
})

test('A batch larger than max.message.bytes is refused whole, unless its records may be divided', async () => {
  const world = new ToyWorld()
  await world.start()
  await world.create(1, [['max.message.bytes', '300']])
  const records = Array.from({ length: 40 }, (_, at) => ({ key: `k${at}`, value: 'x'.repeat(20) }))
  const whole = world.write(A, () => ({ records, answer: '' }))
  expect(await outcomeOf(whole)).toBe('UNKNOWN_SERVER_ERROR')
  expect(world.shards[0]?.texts.size).toBe(0)
  await world.write(A, () => ({ records, answer: '', isDivisible: true }))
  expect(world.shards[0]?.texts.size).toBe(40)
  await world.restart()
  expect(await world.get('k39')).toBe('x'.repeat(20))
})

test('A shard that fails to begin is not asked, and told of', async () => {
  const world = await ToyWorld.of(1)
  await world.set('bug in loaded', 'yes')
  await world.restart()
  expect(await outcomeOf(world.get(A))).toBe('NOT_COORDINATOR')
  expect(world.shards.at(-1)?.unloadedWith?.code).toBe('NOT_COORDINATOR')
  await world.clock.run(3500)
  const told = world.problems.filter((problem) => problem.includes('A bug in loaded'))
  expect(told).toHaveLength(1)
  expect(world.shards.every(({ unloadedWith }) => unloadedWith !== undefined)).toBe(true)
})

test('A shard whose code can not be loaded is refused and told of once, and is tried again', async () => {
  const world = new ToyWorld()
  await world.start()
  world.isKindMissing = true
  await world.create(1)
  expect(await outcomeOf(world.get(A))).toBe('NOT_COORDINATOR')
  await world.clock.run(3500)
  const told = world.problems.filter((problem) => problem.includes('No such module'))
  expect(told).toHaveLength(1)
  world.isKindMissing = false
  await world.clock.run(1500)
  await world.set(A, 'here')
  expect(await world.get(A)).toBe('here')
})

test('A batch that is far too large is refused before all of it has been encoded', async () => {
  const world = new ToyWorld()
  await world.start()
  await world.create(1, [['max.message.bytes', '300']])
  let encoded = 0
  const records = Array.from({ length: 100_000 }, (_, at) => ({
    key: A,
    get value() {
      encoded = at + 1
      return 'x'.repeat(20)
    },
  }))
  const settled: (string | undefined)[] = []
  const refused = world.write(A, () => ({
    records,
    answer: '',
    settled: (error) => settled.push(error?.code),
  }))
  expect(await outcomeOf(refused)).toBe('UNKNOWN_SERVER_ERROR')
  expect(settled).toEqual(['UNKNOWN_SERVER_ERROR'])
  expect(encoded).toBeLessThan(20)
})

test('A commit that fails refuses all who wait, and the shard is loaded again from the log', async () => {
  const world = await ToyWorld.of()
  await world.set(A, 'one')
  const parked = world.write(A, (shard) => ({ records: [], answer: parkIn(shard) }))
  world.isSlow = true
  const written = world.set(A, 'two')
  const read = world.get(A)
  // No descriptor for the sync: nothing is lost, and nobody is told that it is safe.
  world.disk.fail({ on: 'sync', path: `${TOPIC}-0`, code: 'EMFILE' })
  world.isSlow = false
  for (const work of world.works.splice(0)) work()
  expect(await outcomeOf(written)).toBe('NOT_COORDINATOR')
  expect(await outcomeOf(read)).toBe('NOT_COORDINATOR')
  expect(await outcomeOf(parked)).toBe('NOT_COORDINATOR')
  expect(world.shards[0]?.unloadedWith?.code).toBe('NOT_COORDINATOR')
  await world.clock.run(5000)
  expect(await world.get(A)).toBe('two')
  expect(world.shards.filter((shard) => shard.unloadedWith === undefined)).toHaveLength(2)
})

test('A shard whose log has gone offline is refused, and tells why once', async () => {
  const world = await ToyWorld.of(2, ['/a', '/b'])
  const inB = [0, 1].find((index) => world.partition(index).log.directory.startsWith('/b/')) ?? -1
  const key = inB === 0 ? A : B
  const parked = world.write(key, (shard) => ({ records: [], answer: parkIn(shard) }))
  world.disk.fail({ on: 'sync', path: `/b/${TOPIC}`, code: 'EIO' })
  expect(await outcomeOf(world.set(key, 'lost'))).toBe('NOT_COORDINATOR')
  expect(await outcomeOf(parked)).toBe('NOT_COORDINATOR')
  await world.clock.run(10_000)
  expect(await outcomeOf(world.get(key))).toBe('NOT_COORDINATOR')
  const told = world.problems.filter((problem) => problem.includes('could not be loaded'))
  expect(told.length).toBeLessThanOrEqual(2)
  expect(await outcomeOf(world.set(inB === 0 ? B : A, 'kept'))).toBe('answered')
})

test('A bug in replay goes to its caller, and the shard is loaded anew rather than half applied', async () => {
  const world = await ToyWorld.of()
  const [first] = world.shards
  const records = [
    { key: A, value: 'one' },
    { key: C, value: 'bug' },
  ]
  await expect(world.write(A, () => ({ records, answer: '' }))).rejects.toThrow(TypeError)
  expect(first?.unloadedWith?.code).toBe('NOT_COORDINATOR')
})

test('What is parked is refused when the topic goes, and the coordinator is somewhere else then', async () => {
  const world = await ToyWorld.of()
  const parked = world.write(A, (shard) => ({ records: [], answer: parkIn(shard) }))
  expect(await outcomeOf(parked)).toBe('waiting')
  await world.remove()
  expect(await outcomeOf(parked)).toBe('NOT_COORDINATOR')
  expect(await outcomeOf(world.get(A))).toBe('NOT_COORDINATOR')
  await world.create(1)
  expect(await world.get(A)).toBeUndefined()
})

test('Coordinators.close() commits and answers what was written, refuses what is parked, and takes no more', async () => {
  const world = await ToyWorld.of()
  const parked = world.write(A, (shard) => ({ records: [], answer: parkIn(shard) }))
  world.isSlow = true
  const written = world.set(A, 'one')
  const closed = world.coordinators.close()
  expect(await outcomeOf(world.set(A, 'two'))).toBe('NOT_COORDINATOR')
  expect(await outcomeOf(written)).toBe('waiting')
  world.isSlow = false
  await world.finishWorks()
  expect(await written).toBe(`${A}=one`)
  await closed
  expect(await outcomeOf(parked)).toBe('NOT_COORDINATOR')
  expect(world.clock.pendingTimers).toBeGreaterThan(0)
  await world.engine.stop()
  expect(world.clock.pendingTimers).toBe(0)
})

test('Coordinators.close() ends a load that is under way', async () => {
  const world = await ToyWorld.of(1)
  await world.set(A, 'one')
  await world.coordinators.close()
  await world.engine.stop()
  await world.start()
  for (let turn = 0; turn < 100 && world.shards.length < 2; turn++) await Promise.resolve()
  await world.coordinators.close()
  await world.engine.stop()
  expect(world.shards.map(({ isLoaded }) => isLoaded)).toEqual([true, false])
  expect(world.problems).toEqual([])
  expect(world.clock.pendingTimers).toBe(0)
})

test.each(['stop', 'close'] as const)(
  'A shard whose code comes after its %s is not begun, nor told of',
  async (how) => {
    const world = new ToyWorld()
    await world.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    world.kindAwaits = promise
    await world.create(1)
    const ended = how === 'close' ? world.coordinators.close() : world.leave()
    resolve()
    await ended
    await settle()
    expect(world.shards).toEqual([])
    expect(world.problems).toEqual([])
  },
)

test('ShardHost.write() of a shard that is gone is refused', async () => {
  const world = await ToyWorld.of()
  const [first] = world.shards as [ToyShard]
  await world.remove()
  const late = first.host.write(() => ({ records: [{ key: A, value: 'x' }], answer: '' }))
  expect(await outcomeOf(late)).toBe('NOT_COORDINATOR')
})

test('A shard is loading until its records are replayed, with their offsets, past what nobody knows', async () => {
  const world = await ToyWorld.of(1)
  await world.set('x', 'one')
  await world.write('x', () => ({
    records: [
      { key: '?new', value: 'later' },
      { key: 'y', value: 'two' },
    ],
    answer: '',
  }))
  await world.set('x', null)
  await world.coordinators.close()
  await world.engine.stop()
  await world.start()
  expect(await outcomeOf(world.get('x'))).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  const lists = world.coordinators.readAll((shard) => shard.texts.size)
  expect(await outcomeOf(lists)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  await settle()
  const shard = world.shards.at(-1)
  expect([...(shard?.texts ?? [])]).toEqual([['y', 'two']])
  expect(shard?.offsets).toEqual([0, 2, 3])
  expect(shard?.isLoaded).toBe(true)
  expect(await world.coordinators.readAll(({ texts }) => texts.size)).toEqual([1])
})

test.each([
  { isCommit: true, texts: [['x', 'in']], why: 'committed' },
  { isCommit: false, texts: [], why: 'aborted' },
])('A shard is told of transactions in its log: one that was $why', async ({ isCommit, texts }) => {
  const world = await ToyWorld.of(1)
  const producer = { producerId: 7, producerEpoch: 3, baseSequence: 0, isTransactional: true }
  const timestamp = world.clock.now()
  const encode = (value: string) => new TextEncoder().encode(value)
  const batch = buildBatch([{ key: encode('x'), value: encode('in'), timestamp }], producer)
  const marker = { isCommit, producerId: 7, producerEpoch: 3, coordinatorEpoch: 0, timestamp }
  const partition = world.partition()
  partition.append(batch, { needsDisk: true, origin: 'coordinator' })
  partition.append(buildEndTransactionMarker(marker), { needsDisk: true, origin: 'coordinator' })
  await world.restart()
  expect([...(world.shards.at(-1)?.texts ?? [])]).toEqual(texts)
  expect(world.shards.at(-1)?.pending).toEqual([])
})

test('A shard whose log is damaged is not loaded with a hole: it is refused and told, and the others serve', async () => {
  const world = await ToyWorld.of()
  await world.set(A, 'one')
  await world.set(A, 'two')
  await world.set(B, 'here')
  await world.coordinators.close()
  await world.engine.stop()
  world.disk.flipBit(`/a/${TOPIC}-0/00000000000000000000.log`, 70)
  await world.start()
  await settle()
  expect(await outcomeOf(world.get(A))).toBe('NOT_COORDINATOR')
  expect(await world.get(B)).toBe('here')
  await world.clock.run(5000)
  expect(world.problems).toHaveLength(1)
  expect(world.problems[0]).toContain(`${TOPIC}-0 could not be loaded`)
  expect(await world.coordinators.readAll(({ texts }) => texts.size)).toEqual([1])
})

test('Coordinators.partitionOf() is refused while there is no topic', async () => {
  const world = new ToyWorld()
  await world.start()
  expect(() => world.coordinators.partitionOf(A)).toThrow(KafkaError)
  await world.create(50)
  expect(world.coordinators.partitionOf('polygenelubricants')).toBe(0)
  expect(world.coordinators.partitionOf('hello')).toBe(99_162_322 % 50)
})

/** An answer that comes only when the shard is unloaded. */
function parkIn(shard: ToyShard): Promise<string> {
  return new Promise((_, reject) => shard.parked.push(reject))
}
