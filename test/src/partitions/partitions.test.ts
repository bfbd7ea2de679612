// The partitions of a broker while topics come and go faster than their logs can be made, and when disks fail.
import { expect, test } from 'vitest'
import { BrokerConfig } from '#src/config/broker-config.ts'
import { CONFIG_RESOURCE } from '#src/metadata/image.ts'
import { startEngine } from '#src/partitions/engine.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'

/** An engine on simulated disks, whose deltas reach its partitions, as the broker has it. */
async function engine(disk = new SimulatedDisk(), logDirs = ['/a']) {
  for (const path of logDirs) if (!disk.status(path)) disk.makeDirectory(path)
  const clock = new VirtualClock()
  const problems: unknown[] = []
  const started = await startEngine({
    config: BrokerConfig.load({ flags: {} }),
    logDirs,
    endpoints: [],
    files: disk,
    clock,
    random: new SeededRandom(7),
    onOffline: ({ path }) => problems.push(path),
    onProblem: (error) => problems.push(error),
  })
  const { provider, partitions } = started
  provider.onDelta((delta) => partitions.apply(delta))
  const create = async (name: string, partitionCount = 1) => {
    const [result] = await provider.submit({
      kind: 'createTopics',
      topics: [{ name, partitionCount }],
    })
    if (result?.error) throw result.error
  }
  const remove = async (name: string) => {
    const [result] = await provider.submit({ kind: 'deleteTopics', topics: [{ name }] })
    if (result?.error) throw result.error
  }
  const batch = () => buildBatch([{ value: new Uint8Array(9), timestamp: clock.now() }])
  return { ...started, disk, clock, problems, create, remove, batch }
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

const T0 = { topic: 't', partition: 0 }

test('A topic that is deleted while its log is being made leaves no partition behind', async () => {
  const { partitions, create, remove, provider, batch } = await engine()
  await create('t')
  expect(partitions.isPending(T0)).toBe(true)
  await remove('t')
  await partitions.settled()
  expect([...partitions.all()]).toEqual([])

  await create('t')
  await partitions.settled()
  const partition = partitions.get(T0)
  expect(partition.topicId).toBe(provider.image.topic('t')?.id)
  expect(partition.append(batch(), { needsDisk: false })).toMatchObject({ baseOffset: 0 })
})

test('A topic that is made again while it is being made and deleted is pending until its own log is there', async () => {
  const { partitions, create, remove, provider, batch } = await engine()
  await create('t')
  await remove('t')
  await create('t')
  expect(codeOf(() => partitions.get(T0))).toBe('LEADER_NOT_AVAILABLE')
  await partitions.settled()
  expect(partitions.isPending(T0)).toBe(false)
  expect(partitions.get(T0).topicId).toBe(provider.image.topic('t')?.id)
  expect(partitions.get(T0).append(batch(), { needsDisk: false })).toMatchObject({ baseOffset: 0 })
})

test('The logs of one topic are made side by side, some at a time', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  const { partitions, create } = await engine(disk)
  await create('t', 50)
  isSlow = true
  let waits = 0
  let isDone = false
  const settled = partitions.settled().then(() => {
    isDone = true
  })
  while (!isDone) {
    for (const work of works.splice(0)) work()
    waits++
    await settle()
  }
  await settled
  // One after the other they would wait for the disk several times each.
  expect(waits).toBeLessThan(50)
  expect([...partitions.all()]).toHaveLength(50)
})

test('A setting that is altered while the log is being made is in force', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  const { partitions, create, provider } = await engine(disk)
  isSlow = false
  await create('t')
  isSlow = true
  // The log's directory waits for the disk; the metadata does not.
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  expect(partitions.isPending(T0)).toBe(true)
  isSlow = false
  await provider.submit({
    kind: 'incrementalAlterConfigs',
    resources: [
      {
        resource: { type: CONFIG_RESOURCE.TOPIC, name: 't' },
        changes: [{ name: 'max.message.bytes', operation: 'set', value: '1234' }],
      },
    ],
  })
  for (const work of works.splice(0)) work()
  await partitions.settled()
  expect(partitions.get(T0).log.config.maxMessageBytes).toBe(1234)
})

test('A topic with a partition in a directory that is offline can be deleted, and others can be made', async () => {
  const { partitions, create, remove, disk, batch, stop, problems } = await engine(
    new SimulatedDisk(),
    ['/a', '/b'],
  )
  await create('t', 2)
  await partitions.settled()
  const lost = [...partitions.all()].find(({ log }) => log.directory.startsWith('/b'))
  expect(lost).toBeDefined()
  disk.fail({ on: 'write', path: '/b/', code: 'EIO' })
  expect(() => lost?.append(batch(), { needsDisk: false })).toThrow()
  expect(problems).toContain('/b')

  await remove('t')
  await partitions.settled()
  for (const name of ['u', 'v']) {
    await create(name, 1)
    await partitions.settled()
  }
  const made = [...partitions.all()].map(({ topicPartition: { topic } }) => topic)
  expect(made).not.toContain('t')
  expect(made.length).toBeGreaterThan(0)
  await stop()
  expect(disk.status('/a/.kafka_cleanshutdown')).toBeDefined()
})

test('The partitions of a directory that fails answer so, all of them, and those who wait there wake', async () => {
  const { partitions, create, disk, batch } = await engine(new SimulatedDisk(), ['/a', '/b'])
  await create('t', 4)
  await partitions.settled()
  const inB = [...partitions.all()].filter(({ log }) => log.directory.startsWith('/b'))
  expect(inB).toHaveLength(2)
  const [failing, other] = inB
  let wakes = 0
  other?.watch(() => wakes++)
  disk.fail({ on: 'write', path: '/b/', code: 'EIO' })
  expect(() => failing?.append(batch(), { needsDisk: false })).toThrow()
  for (const { topicPartition } of inB) {
    expect(codeOf(() => partitions.get(topicPartition))).toBe('KAFKA_STORAGE_ERROR')
    expect(codeOf(() => partitions.find(topicPartition))).toBe('KAFKA_STORAGE_ERROR')
  }
  expect(wakes).toBe(1)
  expect([...partitions.all()]).toHaveLength(2)
})

test('A log that could not be made on a full disk is made when somebody asks for it and there is room', async () => {
  const { partitions, create, disk, batch } = await engine()
  disk.fail({
    on: ['makeDirectory', 'open', 'write'],
    path: '/t-0',
    code: 'ENOSPC',
    at: 2,
    times: 1,
  })
  await create('t')
  await partitions.settled()
  expect(codeOf(() => partitions.get(T0))).toBe('KAFKA_STORAGE_ERROR')
  await partitions.settled()
  expect(partitions.get(T0).append(batch(), { needsDisk: false })).toMatchObject({ baseOffset: 0 })
})

test('Asking for a partition whose disk stays full does not pile up attempts', async () => {
  const { partitions, create, disk } = await engine()
  disk.fail({ on: 'makeDirectory', path: '/t-0', code: 'ENOSPC', times: Infinity })
  await create('t')
  await partitions.settled()
  let attempts = 0
  const makeDirectory = disk.makeDirectory.bind(disk)
  disk.makeDirectory = (path) => {
    attempts++
    makeDirectory(path)
  }
  for (let call = 0; call < 100; call++) {
    expect(codeOf(() => partitions.get(T0))).toBe('KAFKA_STORAGE_ERROR')
  }
  await partitions.settled()
  expect(attempts).toBe(1)
})
