// Snapshots of the metadata log: when they are taken, what a start takes from them, and what goes with the old ones.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import {
  listSnapshots,
  readSnapshot,
  snapshotName,
} from '#src/partitions/metadata-snapshot-file.ts'
import { startBroker } from '../../../mod.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const LOG = '/a/__cluster_metadata-0'
const HOUR_MS = 3_600_000

/** A broker that sums its metadata up after every few topics. */
function world(config: Record<string, string> = {}) {
  const files = new SimulatedDisk()
  files.makeDirectory('/a')
  const clock = new VirtualClock()
  const problems: string[] = []
  const start = () =>
    startBroker({
      data: '/a',
      files,
      clock,
      random: new SeededRandom(1),
      http: false,
      kafka: false,
      onEvent: (line) => problems.push(line),
      config: { 'metadata.log.max.record.bytes.between.snapshots': '3000', ...config },
    })
  return { files, clock, problems, start, snapshots: () => listSnapshots(files, LOG) }
}

type World = ReturnType<typeof world>
type Running = Awaited<ReturnType<World['start']>>

async function createTopics(running: Running, clock: VirtualClock, names: readonly string[]) {
  for (const name of names) {
    await running.broker.createTopic(ANONYMOUS, { name, configs: { 'retention.ms': '1000' } })
    await clock.run(10)
  }
}

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

const topicsOf = (running: Running) =>
  running.broker
    .listTopics(ANONYMOUS)
    .map(({ name, topicId, partitions }) => ({ name, topicId, partitions }))

/** Flips a bit in the middle of a file. */
function damage(files: SimulatedDisk, path: string): void {
  const file = files.open(path, 'write')
  const at = Math.floor(file.size() / 2)
  const byte = new Uint8Array(1)
  file.read(byte, at)
  file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), at)
  file.close()
}

test('A metadata snapshot holds all that was committed up to it', async () => {
  const { files, clock, start, snapshots } = world()
  const first = await start()
  await createTopics(first, clock, names('t', 30))
  const before = topicsOf(first)
  await first.stop()
  expect(snapshots().length).toBeGreaterThanOrEqual(2)
  const newest = snapshots().at(-1) ?? { endOffset: 0, epoch: 0 }
  expect(readSnapshot(files, LOG, newest).length).toBeGreaterThan(60)

  const second = await start()
  expect(topicsOf(second)).toEqual(before)
  expect(
    await second.broker.describeConfigs(ANONYMOUS, { type: 'topic', name: 't7' }),
  ).toContainEqual(expect.objectContaining({ name: 'retention.ms', value: '1000' }))
  await second.stop()
})

test('A metadata snapshot that is damaged costs nothing: an older one or the log stands in', async () => {
  const { files, clock, start, snapshots } = world()
  const first = await start()
  await createTopics(first, clock, names('t', 30))
  const before = topicsOf(first)
  await first.stop()
  for (const id of snapshots().reverse()) {
    damage(files, `${LOG}/${snapshotName(id)}`)
    const next = await start()
    expect(topicsOf(next)).toEqual(before)
    await next.stop()
  }
})

test('Old metadata snapshots go, and the segments that only they need; the newest two stay', async () => {
  const limits = {
    'metadata.max.retention.bytes': '1',
    'internal.metadata.log.segment.bytes': '4096',
  }
  const { files, clock, start, snapshots } = world(limits)
  const first = await start()
  await createTopics(first, clock, names('t', 60))
  const before = topicsOf(first)
  await first.stop()
  await clock.run(2 * 60_000)
  expect(snapshots().length).toBe(2)
  expect(files.status(`${LOG}/00000000000000000000.log`)).toBeUndefined()

  const second = await start()
  expect(topicsOf(second)).toEqual(before)
  await createTopics(second, clock, ['another'])
  await second.stop()

  // The log no longer begins at 0: without a snapshot nothing is known of what came before.
  for (const id of snapshots()) damage(files, `${LOG}/${snapshotName(id)}`)
  await expect(start()).rejects.toThrow(/what was before is in no snapshot that can be read/)
})

test('A metadata snapshot is taken after the interval when something is new, and not otherwise', async () => {
  const { clock, start, snapshots } = world({
    'metadata.log.max.record.bytes.between.snapshots': '20971520',
    'metadata.log.max.snapshot.interval.ms': String(HOUR_MS),
  })
  const running = await start()
  await createTopics(running, clock, ['one'])
  expect(snapshots()).toEqual([])
  await clock.run(HOUR_MS)
  expect(snapshots().length).toBe(1)
  await clock.run(3 * HOUR_MS)
  expect(snapshots().length).toBe(1)
  await createTopics(running, clock, ['two'])
  await clock.run(HOUR_MS)
  expect(snapshots().length).toBe(2)
  await running.stop()
})

test('A metadata snapshot that can not be written is reported; topics are created all the same', async () => {
  const { files, clock, start, snapshots, problems } = world()
  const running = await start()
  files.fail({ on: 'write', path: '.checkpoint.part', code: 'ENOSPC' })
  await createTopics(running, clock, names('t', 30))
  expect(running.broker.listTopics(ANONYMOUS).length).toBe(30)
  expect(problems.join('\n')).toMatch(/ENOSPC/)
  await running.stop()
  const again = await start()
  expect(again.broker.listTopics(ANONYMOUS).length).toBe(30)
  await again.stop()
  expect(snapshots().every(({ endOffset }) => endOffset > 0)).toBe(true)
})
