// Snapshots of the metadata log: when they are taken, what a start takes from them, and what goes with the old ones.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import type { MetadataImage } from '#src/metadata/image.ts'
import { replayMetadata } from '#src/metadata/replay.ts'
import { imageRecords } from '#src/metadata/snapshot.ts'
import {
  listSnapshots,
  readSnapshot,
  type SnapshotId,
  snapshotName,
  storedRecords,
} from '#src/partitions/metadata-snapshot-file.ts'
import { SnapshotHeaderRecord } from '#src/protocol/records/control-records.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
} from '#src/protocol/records/metadata-record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { OpenFile, OpenMode } from '#storage/fs/files.ts'
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

/** What a replay of the log alone makes of it up to an offset, as the records of a snapshot. */
function replayedTo(files: SimulatedDisk, { endOffset, epoch }: SnapshotId): MetadataRecord[] {
  const segments = files
    .list(LOG)
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.log'))
    .sort()
  const records = segments.flatMap((name) => {
    const bytes = files.readFile(`${LOG}/${name}`)?.slice() ?? new Uint8Array()
    return Array.from(readBatches(bytes)).flatMap((batch) => Array.from(storedRecords(batch)))
  })
  const { image } = replayMetadata(records.filter(({ offset }) => offset < endOffset))
  expect({ offset: image.offset, epoch: image.epoch }).toEqual({ offset: endOffset - 1, epoch })
  return recordsOf(image)
}

const recordsOf = (image: MetadataImage) =>
  Array.from(imageRecords(image), (record) => decodeMetadataRecord(encodeMetadataRecord(record)))

test('A metadata snapshot is what the log makes up to its end, offset, epoch and time', async () => {
  const { files, clock, start, snapshots } = world()
  for (const prefix of ['a', 'b']) {
    const running = await start()
    await createTopics(running, clock, names(prefix, 20))
    await running.broker.deleteTopic(ANONYMOUS, `${prefix}3`)
    await clock.run(100_000)
    await running.stop()
  }
  expect(snapshots().length).toBeGreaterThan(2)
  for (const id of snapshots()) {
    const { image } = replayMetadata(readSnapshot(files, LOG, id))
    expect(recordsOf(image)).toEqual(replayedTo(files, id))
    const [header] = readSnapshot(files, LOG, id)
    const { lastContainedLogTimestamp } = SnapshotHeaderRecord.decode(
      header?.value ?? new Uint8Array(),
      0,
    )
    expect(Number(lastContainedLogTimestamp)).toBe(timeOf(files, id.endOffset - 1))
  }
})

/** When the batch was appended that holds an offset. */
function timeOf(files: SimulatedDisk, offset: number): number {
  const bytes = files.readFile(`${LOG}/00000000000000000000.log`)?.slice() ?? new Uint8Array()
  const batch = Array.from(readBatches(bytes)).find(({ lastOffset }) => lastOffset >= offset)
  return Number(batch?.maxTimestamp)
}

/** The same files, and how many bytes of those under a path were read through them. */
function countingReads(files: SimulatedDisk, path: string) {
  let bytes = 0
  const open = (name: string, mode: OpenMode): OpenFile => {
    const file = files.open(name, mode)
    if (!name.startsWith(path)) return file
    const read = (target: Uint8Array, position: number) => {
      const count = file.read(target, position)
      bytes += count
      return count
    }
    return new Proxy(file, {
      get(_, key) {
        if (key === 'read') return read
        const value: unknown = Reflect.get(file, key, file)
        return typeof value === 'function' ? value.bind(file) : value
      },
    })
  }
  const readFile = (name: string) => {
    const content = files.readFile(name)
    if (name.startsWith(path)) bytes += content?.length ?? 0
    return content
  }
  const counted = new Proxy(files, {
    get(_, key) {
      if (key === 'open') return open
      if (key === 'readFile') return readFile
      const value: unknown = Reflect.get(files, key, files)
      return typeof value === 'function' ? value.bind(files) : value
    },
  })
  return { files: counted, bytes: () => bytes }
}

test.each(['stopped', 'killed'])(
  'What a start reads of the metadata log is bounded by the policy, however much was decided: %s',
  async (how) => {
    const config = {
      'metadata.log.max.record.bytes.between.snapshots': '20000',
      // After a kill the active segment has no index, and is read from its start.
      'internal.metadata.log.segment.bytes': how === 'killed' ? '40000' : '1073741824',
    }
    const given = world(config)
    const { clock } = given
    let { files } = given
    const first = await given.start()
    await createTopics(first, clock, ['one'])
    await first.stop()
    const readAtStart: number[] = []
    const offsets: number[] = []
    for (const count of [400, 4800]) {
      const counted = countingReads(files, LOG)
      const start = () =>
        startBroker({ data: '/a', files: counted.files, clock, http: false, kafka: false, config })
      const running = await start()
      for (let number = 0; number < count; number++) {
        const change = {
          operation: 'set',
          name: 'retention.ms',
          value: String(number + 1),
        } as const
        await running.broker.alterConfigs(ANONYMOUS, { type: 'topic', name: 'one' }, [change])
        await clock.run(10)
      }
      offsets.push(listSnapshots(files, LOG).at(-1)?.endOffset ?? 0)
      if (how === 'stopped') await running.stop()
      else files = files.afterKill(1)
      const after = countingReads(files, LOG)
      const again = await startBroker({
        data: '/a',
        files: after.files,
        clock,
        http: false,
        kafka: false,
        config,
      })
      readAtStart.push(after.bytes())
      await again.stop()
    }
    expect(offsets[1]).toBeGreaterThan(5000)
    const [few = 0, many = Infinity] = readAtStart
    // A few segments after a kill: what may not be on disk, and the producers' state before that.
    expect(few).toBeLessThan(200_000)
    expect(many).toBeLessThan(200_000)
  },
)

test('Whenever the power goes while metadata are summed up and cut, nothing that was decided is lost', async () => {
  const limits = {
    'metadata.log.max.record.bytes.between.snapshots': '1500',
    'metadata.max.retention.bytes': '1',
    'internal.metadata.log.segment.bytes': '2048',
    'log.segment.delete.delay.ms': '1',
  }
  let isDone = false
  for (let at = 3; !isDone; at += 7) {
    const { files, clock, start } = world(limits)
    files.syncDirectoryNow('/')
    files.faults.stopAtChange(at)
    const created: string[] = []
    try {
      const running = await start()
      for (const name of names('t', 12)) {
        await running.broker.createTopic(ANONYMOUS, { name })
        created.push(name)
        await clock.run(10)
      }
      await running.stop()
      isDone = true
    } catch {
      // The machine has stopped, and whoever met it failed in its own way.
    }
    const after = files.afterCrash(at)
    const again = await startBroker({ data: '/a', files: after, clock, http: false, kafka: false })
    const found = again.broker.listTopics(ANONYMOUS).map(({ name }) => name)
    expect(found, `stopped at change ${at}`).toEqual(expect.arrayContaining(created))
    await again.stop()
  }
})
