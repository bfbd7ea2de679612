// Partitions that have lost their metadata log get a new one, and serve what they hold.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { diagnose } from '#src/partitions/doctor/diagnosis.ts'
import { rebuildMetadata } from '#src/partitions/doctor/rebuild-metadata.ts'
import { planRebuild } from '#src/partitions/doctor/rebuild-plan.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { startBroker } from '../../../../mod.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { MachineStopped } from '../../../simulation/simulated-faults.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'
import { run } from '../../cli/fixture.ts'
import { everything, put, read } from '../left-directory.ts'

const METADATA = '/a/__cluster_metadata-0'
const DIRECTORIES = ['/a', '/b']

const start = (files: SimulatedDisk) =>
  startBroker({ data: DIRECTORIES, files, clock: new VirtualClock(), http: false, kafka: false })

/** Two directories with two topics, one with three partitions; the metadata log is lost. */
async function orphaned({ isClean = true } = {}): Promise<SimulatedDisk> {
  const before = new SimulatedDisk()
  for (const path of DIRECTORIES) before.makeDirectory(path)
  const running = await start(before)
  await running.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 3 })
  await running.broker.createTopic(ANONYMOUS, { name: 'logs', partitionCount: 1 })
  for (const partition of [0, 1, 2]) {
    await running.produce('orders', [{ value: `in ${partition}`, partition }])
  }
  await running.produce('logs', [{ value: 'a line' }])
  if (isClean) await running.stop()
  const files = isClean ? before : before.afterKill(1)
  files.removeDirectory(METADATA)
  return files
}

const topicsOf = (running: Awaited<ReturnType<typeof start>>) =>
  running.broker.listTopics(ANONYMOUS).map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    count: partitions.length,
    led: partitions.every(({ leader }) => leader === 1),
  }))

/** Where a partition's directory is. */
const placeOf = (files: SimulatedDisk, name: string) =>
  DIRECTORIES.map((path) => `${path}/${name}`).find((path) => files.status(path)) ?? ''

const rebuild = (files: SimulatedDisk) =>
  rebuildMetadata(files, new SeededRandom(3), 1, planRebuild(files, DIRECTORIES))

test.each([true, false])(
  'A rebuilt metadata log has every topic under its id, and no record is lost (stopped cleanly: %s)',
  async (isClean) => {
    const files = await orphaned({ isClean })
    const id = new TextDecoder().decode(
      read(files, `${placeOf(files, 'logs-0')}/partition.metadata`),
    )
    await expect(start(files)).rejects.toThrow(/doctor --rebuild-metadata/)
    rebuild(files)
    const { findings } = diagnose(files, DIRECTORIES)
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([])
    for (const round of [1, 2]) {
      const running = await start(files)
      const topics = topicsOf(running)
      expect(topics).toMatchObject([
        { name: 'logs', count: 1, led: true },
        { name: 'orders', count: 3, led: true },
      ])
      expect(id).toContain(topics[0]?.topicId)
      for (const partition of [0, 1, 2]) {
        const page = await running.read('orders', { partition })
        expect(page.records.length).toBe(round)
        await running.produce('orders', [{ value: `round ${round}`, partition }])
      }
      await running.stop()
      expect(
        [...files.list('/a'), ...files.list('/b')].filter(({ name }) => /stray/.test(name)),
      ).toEqual([])
    }
  },
)

test('A rebuilt metadata log keeps all records, whatever the default retention says', async () => {
  const files = await orphaned()
  rebuild(files)
  const running = await start(files)
  const configs = await running.broker.describeConfigs(ANONYMOUS, { type: 'topic', name: 'orders' })
  expect(configs).toContainEqual(expect.objectContaining({ name: 'retention.ms', value: '-1' }))
  await running.stop()
})

test('A rebuilt metadata log goes on behind the leader epochs and producer ids that were used', async () => {
  const files = await orphaned({ isClean: false })
  const path = placeOf(files, 'logs-0')
  put(files, `${path}/leader-epoch-checkpoint`, '0\n1\n7 0\n')
  const log = `${path}/00000000000000000000.log`
  const producer = { producerId: 41_234, producerEpoch: 0, baseSequence: 0 }
  const record = { value: new Uint8Array(3), timestamp: 1 }
  const batch = buildBatch([record], { ...producer, baseOffset: 1, leaderEpoch: 9 })
  put(files, log, Uint8Array.from([...read(files, log), ...batch]))
  rebuild(files)
  const running = await start(files)
  const [logs] = running.broker.listTopics(ANONYMOUS)
  expect(logs?.partitions[0]?.leaderEpoch).toBeGreaterThanOrEqual(10)
  expect(Number(await running.broker.newProducerId(ANONYMOUS))).toBeGreaterThan(41_234)
  await running.stop()
})

test('A rebuilt metadata log is not taken for the old one, of which the checkpoints still speak', async () => {
  const files = await orphaned({ isClean: false })
  const old = '0\n2\n__cluster_metadata 0 500\norders 0 0\n'
  for (const kind of ['log-start', 'recovery-point', 'replication']) {
    put(files, `/a/${kind}-offset-checkpoint`, old)
  }
  rebuild(files)
  const running = await start(files)
  expect(topicsOf(running).map(({ count }) => count)).toEqual([1, 3])
  await running.stop()
})

test('A rebuild may be broken off anywhere: it is done again, and then all is there', async () => {
  for (let at = 1; ; at++) {
    const files = await orphaned()
    files.remove('/b/meta.properties')
    files.remove(`${placeOf(files, 'orders-1')}/partition.metadata`)
    for (const path of ['/', ...DIRECTORIES, placeOf(files, 'orders-1')])
      files.syncDirectoryNow(path)
    files.faults.stopAtChange(at)
    let failed = false
    try {
      rebuild(files)
    } catch (error) {
      if (!(error instanceof MachineStopped)) throw error
      failed = true
    }
    const after = files.afterCrash(at)
    if (failed && !after.status(`${METADATA}/${'0'.repeat(20)}.log`)) rebuild(after)
    const running = await start(after)
    expect(topicsOf(running).map(({ count }) => count)).toEqual([1, 3])
    await running.stop()
    if (!failed) {
      expect(at).toBeGreaterThan(10)
      break
    }
  }
})

interface Refusal {
  readonly why: string
  readonly change: (files: SimulatedDisk) => void
  readonly message: RegExp
}

const refusals: Refusal[] = [
  {
    why: 'a partition is missing',
    change: (files) => files.removeDirectory(placeOf(files, 'orders-1')),
    message: /Partition 1 of orders is missing, and \/[ab]\/orders-2 is there/,
  },
  {
    why: 'a partition is there twice',
    change: (files) => {
      for (const path of DIRECTORIES) files.makeDirectory(`${path}/orders-0`)
    },
    message: /orders-0 is there twice/,
  },
  {
    why: 'topic ids differ within a topic',
    change: (files) => {
      const path = `${placeOf(files, 'orders-1')}/partition.metadata`
      put(files, path, 'version: 0\ntopic_id: xxxxxxxxxxxxxxxxxxxxxw')
    },
    message: /orders-\d has topic id .{22}, another partition of orders has/,
  },
  {
    why: 'two topics have one id',
    change: (files) => {
      const bytes = read(files, `${placeOf(files, 'orders-0')}/partition.metadata`)
      put(files, `${placeOf(files, 'logs-0')}/partition.metadata`, bytes)
    },
    message: /have the same id/,
  },
  {
    why: 'there is a metadata log',
    change: (files) => {
      files.makeDirectory(METADATA)
      put(files, `${METADATA}/00000000000000000000.log`, '')
    },
    message: /There is a metadata log: \/a\/__cluster_metadata-0\/0{20}\.log/,
  },
  {
    why: 'a broker runs',
    change: (files) => void files.lock('/b/.lock'),
    message: /A broker is running on \/b/,
  },
  {
    why: 'the directories are of two nodes',
    change: (files) => {
      const text = new TextDecoder().decode(read(files, '/b/meta.properties'))
      put(files, '/b/meta.properties', text.replace('node.id=1', 'node.id=2'))
    },
    message: /\/b belongs to cluster .* and node 2/,
  },
]

test.each(refusals)(
  'A rebuild is refused when $why, and writes nothing',
  async ({ change, message }) => {
    const files = await orphaned()
    change(files)
    const before = everything(files, '/a')
    expect(() => planRebuild(files, DIRECTORIES)).toThrow(message)
    expect(everything(files, '/a')).toEqual(before)
  },
)

test('millrace doctor --rebuild-metadata says what it would write, and writes it with --yes only', async () => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-rebuild-'))
  try {
    const running = await startBroker({ data, http: false, kafka: false })
    await running.produce('orders', [{ value: 'one' }])
    await running.stop()
    rmSync(join(data, '__cluster_metadata-0'), { recursive: true })
    const asked = await run(['doctor', '--rebuild-metadata', data])
    expect(asked).toMatchObject({
      exitCode: 2,
      error: expect.stringMatching(/Nothing was written/),
    })
    expect(asked.output).toMatch(/orders: 1 partition, topic id [\w-]{22}\n/)
    expect(asked.output).toMatch(/Lost with the old one: topic and broker configs/)
    expect(existsSync(join(data, '__cluster_metadata-0'))).toBe(false)
    expect(await run(['doctor', '--rebuild-metadata', '--yes', `${data}/`])).toMatchObject({
      exitCode: 0,
      error: '',
    })
    expect((await run(['doctor', data])).output).toMatch(/Kafka 4\.3 can start here/)
    const again = await run(['doctor', '--rebuild-metadata', '--yes', data])
    expect(again).toMatchObject({
      exitCode: 1,
      error: expect.stringMatching(/There is a metadata/),
    })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
