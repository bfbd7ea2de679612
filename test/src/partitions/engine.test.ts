// An engine that can't go on, or must not begin.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import type { BrokerCore } from '#src/broker/broker-core.ts'
import { wholeDelta } from '#src/metadata/delta.ts'
import { startEngine } from '#src/partitions/engine.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { BrokerConfig, startBroker } from '../../../mod.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

async function broker() {
  const disk = new SimulatedDisk()
  for (const path of ['/a', '/b']) disk.makeDirectory(path)
  const running = await startBroker({ data: ['/a', '/b'], files: disk, http: false, kafka: false })
  let failure: Error | undefined
  void running.failed.then((error) => {
    failure = error
  })
  return { disk, running, failure: () => Promise.resolve().then(() => failure) }
}

test('RunningBroker.failed resolves when the metadata log can not be written, and the broker still stops', async () => {
  const { disk, running } = await broker()
  await running.produce('orders', [{ value: 'one' }])
  disk.fail({ on: 'sync', path: '__cluster_metadata-0', code: 'EIO' })
  await expect(running.produce('other', [{ value: 'two' }])).rejects.toThrow()
  await expect(running.failed).resolves.toBeInstanceOf(Error)
  await running.stop()
  expect(disk.status('/a/.kafka_cleanshutdown')).toBeUndefined()
  expect(disk.status('/b/.kafka_cleanshutdown')).toBeDefined()
})

test('RunningBroker.failed resolves when another log takes the metadata directory offline', async () => {
  const { disk, running } = await broker()
  await running.produce('orders', [{ value: 'one' }])
  const [inA] = ['/a', '/b'].filter((path) => disk.status(`${path}/orders-0`))
  disk.fail({ on: 'write', path: `${inA}/orders-0`, code: 'EIO' })
  await expect(running.produce('orders', [{ value: 'two' }])).rejects.toThrow(/orders-0/)
  if (inA === '/a') await expect(running.failed).resolves.toMatchObject({ name: 'StorageFault' })
  await running.stop()
})

test('RunningBroker.failed stays pending when another directory fails, and when the broker stops', async () => {
  const { disk, running, failure } = await broker()
  await running.produce('orders', [{ value: 'one', partition: 0 }])
  await running.produce('others', [{ value: 'one', partition: 0 }])
  const topic = disk.status('/b/orders-0') ? 'orders' : 'others'
  disk.fail({ on: 'write', path: `/b/${topic}-0`, code: 'EIO' })
  await expect(running.produce(topic, [{ value: 'two' }])).rejects.toThrow()
  expect(await failure()).toBeUndefined()
  await running.stop()
  expect(await failure()).toBeUndefined()
})

test('A broker refuses a directory with an open transaction, and leaves it as clean as it was', async () => {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const clock = new VirtualClock()
  const random = new SeededRandom(1)
  const world = { files, clock, random, onOffline: () => undefined, onProblem: () => undefined }
  const options = { ...world, config: BrokerConfig.load(), logDirs: ['/a'], endpoints: [] }
  const engine = await startEngine(options)
  await engine.provider.submit({ kind: 'createTopics', topics: [{ name: 'orders' }] })
  engine.partitions.apply(wholeDelta(engine.provider.image))
  await engine.partitions.settled()
  const record = { value: new Uint8Array(10), timestamp: clock.now() }
  const transaction = { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  engine.partitions
    .get({ topic: 'orders', partition: 0 })
    .append(buildBatch([record], transaction), { needsDisk: true })
  await engine.stop()

  const started = startBroker({ data: '/a', files, clock, random, http: false, kafka: false })
  await expect(started).rejects.toThrow(/open transaction, such as orders-0 since offset 0/)
  expect(files.status('/a/.kafka_cleanshutdown')).toBeDefined()
})

test('A broker that starts after a crash has its recovery points on disk before it serves', async () => {
  const { disk, running } = await broker()
  for (const value of ['one', 'two']) await running.produce('orders', [{ value, partition: 0 }])
  const crashed = disk.afterCrash(1)
  await running.stop()
  const again = await startBroker({
    data: ['/a', '/b'],
    files: crashed,
    http: false,
    kafka: false,
  })
  const after = crashed.afterCrash(2)
  const [path] = ['/a', '/b'].filter((directory) => after.status(`${directory}/orders-0`))
  const points = after.readFile(`${path}/recovery-point-offset-checkpoint`)
  expect(new TextDecoder().decode(points)).toContain('\norders 0 2\n')
  await again.stop()
})

test('A log that is opened late, at whatever moment of a start, gets its epoch raised before it is used', async () => {
  const clock = new VirtualClock()
  const drive = <T>(work: Promise<T>) => clock.drive(work, 10)
  const disk = new SimulatedDisk({ schedule: (work) => void clock.after(2, work) })
  disk.makeDirectory('/a')
  const ignored = () => undefined
  const world = { clock, random: new SeededRandom(1), onOffline: ignored, onProblem: ignored }
  const options = { ...world, config: BrokerConfig.load(), logDirs: ['/a'], endpoints: [] }
  const at = { topic: 'orders', partition: 0 }
  const first = await drive(startEngine({ ...options, files: disk }))
  const create = (name: string, partitionCount: number) => {
    const topics = [{ name, partitionCount }]
    return drive(first.provider.submit({ kind: 'createTopics', topics }))
  }
  await create('orders', 1)
  first.partitions.apply(wholeDelta(first.provider.image))
  await drive(first.partitions.settled())
  const record = { value: new Uint8Array(10), timestamp: clock.now() }
  first.partitions.get(at).append(buildBatch([record]), { needsDisk: true })
  await drive(first.partitions.get(at).log.flush())
  // Their logs are made by the next start, which takes it longer than the late one needs.
  await create('others', 100)
  const killed = disk.afterKill()
  await drive(first.stop())

  let lateOnes = 0
  for (let times = 2; times < 9; times++) {
    const files = killed.afterKill()
    files.fail({ on: 'open', path: 'orders-0', code: 'EMFILE', times })
    const starting = startEngine({ ...options, files }).then((started) => {
      started.provider.onDelta((delta) => started.partitions.apply(delta))
      return started
    })
    const { partitions, provider, recovery, stop } = await drive(starting)
    if (recovery.findings.some(({ messages }) => messages.join().includes('EMFILE'))) lateOnes++
    for (let round = 0; round < 10; round++) {
      try {
        partitions.get(at)
      } catch {
        // Asked for, it is opened.
      }
      await clock.run(2_000)
    }
    expect(provider.image.partition(at)?.leaderEpoch, `${times} times`).toBe(1)
    expect(partitions.get(at).leaderEpoch, `${times} times`).toBe(1)
    await drive(stop())
  }
  expect(lateOnes).toBeGreaterThan(0)
})

test('A topic that is deleted while the broker begins to stop is gone, log and all', async () => {
  const { disk, running } = await broker()
  await running.produce('orders', [{ value: 'one' }])
  const core = running.broker as BrokerCore
  const closed = core.close()
  await core.deleteTopic(ANONYMOUS, 'orders')
  await closed
  expect(
    disk
      .list('/a')
      .concat(disk.list('/b'))
      .map(({ name }) => name),
  ).not.toContain('orders-0')
  await running.stop()
})
