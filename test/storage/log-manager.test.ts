import { expect, test } from 'vitest'
import type { StorageFault } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import type { LogManager, LogManagerOptions, OfflineDirectory } from '#storage/log-manager.ts'
import { openLogManager } from '#storage/log-manager.ts'
import type { RecoveryReport } from '#storage/recovery-report.ts'
import { parseOffsetCheckpoint } from '#storage/state/offset-checkpoint.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { append, batchOf, environmentOn, readAll } from './log/log-fixture.ts'

const IDS: Readonly<Record<string, Uuid>> = {
  orders: 'b3JkZXJzb3JkZXJzb3JkZQ',
  events: 'ZXZlbnRzZXZlbnRzZXZlbg',
  'my-topic': 'bXktdG9waWNteS10b3BpYw',
}
const ORDERS: TopicPartition = { topic: 'orders', partition: 0 }
const EVENTS: TopicPartition = { topic: 'events', partition: 3 }
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const encode = (text: string) => new TextEncoder().encode(text)

/** A broker's storage, started on a disk. */
interface Started {
  readonly manager: LogManager
  readonly report: RecoveryReport
  readonly clock: VirtualClock
}

type Settings = Partial<LogManagerOptions> & {
  readonly clock?: VirtualClock
  readonly ids?: Readonly<Record<string, Uuid>>
}

function open(disk: SimulatedDisk, settings: Settings = {}): LogManager {
  const clock = settings.clock ?? new VirtualClock()
  return openLogManager({
    environment: environmentOn(disk, clock),
    logDirs: ['/data'],
    nodeId: 1,
    ...settings,
  })
}

async function start(disk: SimulatedDisk, settings: Settings = {}): Promise<Started> {
  const clock = settings.clock ?? new VirtualClock()
  const manager = open(disk, { ...settings, clock })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const ids = settings.ids ?? IDS
  const report = await manager.load({
    configOf: () => DEFAULT_LOG_CONFIG,
    expectedTopicId: ({ topic }) => ids[topic],
  })
  return { manager, report, clock }
}

function create(manager: LogManager, topicPartition: TopicPartition, directoryId?: Uuid) {
  const topicId = IDS[topicPartition.topic] ?? ''
  return manager.create({ topicPartition, topicId, config: DEFAULT_LOG_CONFIG, directoryId })
}

const namesIn = (disk: SimulatedDisk, path = '/data') =>
  disk
    .list(path)
    .map(({ name }) => name)
    .sort()

/** A disk on which a broker with one record in orders-0 has stopped cleanly. */
async function stoppedDisk(settings: Settings = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const { manager } = await start(disk, settings)
  append(await create(manager, ORDERS), batchOf(['one']))
  await manager.close(14)
  return disk
}

/** Other losses at each stop. */
const seedsOf = (stopAt: number) => [0, 1, 2, 3, 4].map((number) => stopAt * 5 + number)

function rewrite(disk: SimulatedDisk, path: string, text: string): void {
  const file = disk.open(path, 'write')
  file.truncate(0)
  file.write(encode(text), 0)
  file.close()
}

test('openLogManager() formats new directories, each with its own id', async () => {
  const disk = new SimulatedDisk()
  const manager = open(disk, { logDirs: ['/a', '/b'], clusterId: 'MkU3OEVBNTcwNTJENDM2Qg' })
  const [first = '', second = ''] = manager.directoryIds
  expect(first).not.toBe(second)
  expect(decode(disk.readFile('/a/meta.properties'))).toBe(
    `version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\nnode.id=1\ndirectory.id=${first}\n`,
  )
  await manager.closeNow()
  const again = open(disk, { logDirs: ['/a', '/b', '/c'] })
  expect(again.clusterId).toBe('MkU3OEVBNTcwNTJENDM2Qg')
  expect(again.directoryIds.slice(0, 2)).toEqual([first, second])
  await again.closeNow()
})

test('LogManager.close() leaves checkpoints and the marker, and no lock file', async () => {
  const disk = await stoppedDisk()
  expect(namesIn(disk)).toEqual([
    '.kafka_cleanshutdown',
    '__cluster_metadata-0',
    'log-start-offset-checkpoint',
    'meta.properties',
    'millrace.sums',
    'orders-0',
    'recovery-point-offset-checkpoint',
    'replication-offset-checkpoint',
  ])
  expect(decode(disk.readFile('/data/.kafka_cleanshutdown'))).toBe('{"version":0,"brokerEpoch":14}')
  expect(decode(disk.readFile('/data/replication-offset-checkpoint'))).toContain('orders 0 1\n')
  expect(decode(disk.readFile('/data/recovery-point-offset-checkpoint'))).toContain('orders 0 1\n')
  expect(decode(disk.readFile('/data/log-start-offset-checkpoint'))).toBe('0\n0\n')
  expect(decode(disk.readFile('/data/orders-0/partition.metadata'))).toContain(IDS['orders'])
})

test('LogManager scans nothing after a clean stop, also when the power went right after it', async () => {
  const disk = (await stoppedDisk()).afterCrash(3)
  const { manager, report } = await start(disk)
  expect(manager.hadCleanShutdown).toBe(true)
  expect(manager.previousBrokerEpoch).toBe(14)
  expect(report).toMatchObject({ recovered: [], unreadable: [], logCount: 1 })
  const log = manager.log(ORDERS)
  expect(log && readAll(log)).toEqual(['0:one'])
  expect(namesIn(disk)).not.toContain('.kafka_cleanshutdown')
  await manager.closeNow()
})

test('LogManager takes the marker away before anything else, so that a crash after the start is one', async () => {
  const disk = await stoppedDisk()
  open(disk)
  for (let seed = 0; seed < 20; seed++) {
    const manager = open(disk.afterCrash(seed))
    expect(manager.hadCleanShutdown, `seed ${seed}`).toBe(false)
    expect(manager.previousBrokerEpoch).toBe(-1)
  }
})

test('openLogManager() has the directories on disk that it makes, parents included', () => {
  const disk = new SimulatedDisk()
  const { clusterId } = open(disk, { logDirs: ['/var/lib/data'] })
  for (let seed = 0; seed < 20; seed++) {
    const again = open(disk.afterCrash(seed), { logDirs: ['/var/lib/data'] })
    expect(again.clusterId, `seed ${seed}`).toBe(clusterId)
  }
})

test('LogManager recovers after a kill, and says which partitions need a new epoch', async () => {
  const disk = await stoppedDisk()
  const { manager } = await start(disk)
  append(manager.log(ORDERS) as never, batchOf(['two']))
  await create(manager, EVENTS)
  const after = await start(disk.afterKill())
  expect(after.report.recovered).toMatchObject([
    { topic: 'orders', partition: 0, needsNewEpoch: true },
  ])
  const log = after.manager.log(ORDERS)
  expect(log && readAll(log)).toEqual(['0:one', '1:two'])
  expect(after.manager.log(EVENTS)?.logEndOffset).toBe(0)
  await after.manager.close(15)
})

test('openLogManager() refuses a directory that another broker uses, and lets go of the others', async () => {
  const disk = new SimulatedDisk()
  const first = open(disk, { logDirs: ['/b'] })
  expect(() => open(disk, { logDirs: ['/a', '/b'] })).toThrow(
    'Another broker is using the data directory /b; stop it, or choose another directory',
  )
  rewrite(disk, '/b/.lock.pid', '4711 12345 boot\n')
  expect(() => open(disk, { logDirs: ['/a', '/b'] })).toThrow(
    'Another broker (process 4711) is using',
  )
  await first.closeNow()
  await open(disk, { logDirs: ['/a', '/b'] }).closeNow()
})

const META = (fields: string) => `version=1\ncluster.id=c\nnode.id=1\n${fields}`

test.each([
  {
    why: 'another node',
    files: { '/data/meta.properties': META('').replace('id=1', 'id=2') },
    says: 'belongs to node 2, not to node.id 1',
  },
  {
    why: 'another cluster',
    files: { '/data/meta.properties': META('') },
    clusterId: 'd',
    says: 'belongs to cluster c, not d',
  },
  {
    why: 'two clusters',
    files: {
      '/data/meta.properties': META(''),
      '/more/meta.properties': META('').replace('id=c', 'id=d'),
    },
    says: 'belongs to cluster d, not c',
  },
  {
    why: 'a copied directory',
    files: {
      '/data/meta.properties': META('directory.id=EcBj2HU8TJaSLKRhi_xImw'),
      '/more/meta.properties': META('directory.id=EcBj2HU8TJaSLKRhi_xImw'),
    },
    says: '/data and /more have the same directory.id',
  },
  {
    why: 'a malformed file',
    files: { '/data/meta.properties': 'version=7' },
    says: 'meta.properties has version 7',
  },
  {
    why: 'partitions without a metadata log',
    files: { '/data/meta.properties': META(''), '/data/orders-0/x': '' },
    says: 'millrace doctor --rebuild-metadata /data',
  },
  {
    why: 'partitions without an identity',
    files: { '/data/__cluster_metadata-0/00000000000000000000.log': '', '/data/orders-0/x': '' },
    says: 'holds partitions (orders-0), but no meta.properties',
  },
])('openLogManager() refuses $why and writes nothing', ({ files, clusterId, says }) => {
  const disk = new SimulatedDisk()
  for (const [path, text] of Object.entries(files)) {
    disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    rewrite(disk, path, text)
  }
  disk.makeDirectory('/more')
  expect(() => open(disk, { logDirs: ['/data', '/more'], clusterId })).toThrow(says)
  for (const [path, text] of Object.entries(files)) expect(decode(disk.readFile(path))).toBe(text)
  expect(disk.lock('/data/.lock')).toBeDefined()
})

test('openLogManager() completes the meta.properties of an old Kafka', () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  rewrite(disk, '/data/meta.properties', 'version=0\nbroker.id=1\ncluster.id=c\n')
  const manager = open(disk)
  expect(decode(disk.readFile('/data/meta.properties'))).toBe(
    `version=1\ncluster.id=c\nnode.id=1\ndirectory.id=${manager.metadataDirectoryId}\n`,
  )
})

test('LogManager.load() finishes deletions, keeps strays, reports strange directories, ignores the rest', async () => {
  const disk = await stoppedDisk()
  const hex = '0123456789abcdef0123456789abcdef'
  for (const name of [
    'lost+found',
    'notes',
    `a-0.${hex}-stray`,
    `a-0.${hex}-delete`,
    `a-0.${hex}-future`,
  ]) {
    disk.makeDirectory(`/data/${name}/sub`)
  }
  const { manager, report } = await start(disk)
  expect(report.directories).toMatchObject([
    {
      path: '/data',
      finishedDeletions: [`a-0.${hex}-delete`],
      strays: [`a-0.${hex}-stray`],
      strange: [`a-0.${hex}-future`, 'notes'],
      hadCleanShutdown: true,
    },
  ])
  expect(namesIn(disk)).not.toContain(`a-0.${hex}-delete`)
  expect(namesIn(disk)).toContain('lost+found')
  await manager.close(1)
})

test.each([
  { why: 'is not assigned', ids: {} },
  { why: 'has another topic id', ids: { orders: 'AAAAAAAAAAAAAAAAAAAAAg' } },
])('LogManager.load() sets a partition aside that $why', async ({ ids }) => {
  const disk = await stoppedDisk()
  const { manager, report } = await start(disk, { ids })
  expect(manager.log(ORDERS)).toBeUndefined()
  const [stray = ''] = report.directories[0]?.strays ?? []
  expect(stray).toMatch(/^orders-0\.[0-9a-f]{32}-stray$/)
  expect(namesIn(disk, `/data/${stray}`)).toContain('00000000000000000000.log')
  expect((await create(manager, ORDERS)).logEndOffset).toBe(0)
  await manager.close(1)
})

test('LogManager.load() writes a partition.metadata that is missing', async () => {
  const disk = await stoppedDisk()
  disk.remove('/data/orders-0/partition.metadata')
  const { manager } = await start(disk)
  expect(manager.log(ORDERS)?.logEndOffset).toBe(1)
  expect(decode(disk.readFile('/data/orders-0/partition.metadata'))).toContain(IDS['orders'])
})

test('LogManager.load() goes on without a partition that makes no sense, and the stop is not clean then', async () => {
  const disk = await stoppedDisk()
  const before = await start(disk)
  await create(before.manager, EVENTS)
  await before.manager.close(15)
  rewrite(disk, '/data/orders-0/partition.metadata', 'garbage')
  const { manager, report } = await start(disk)
  expect(report.unreadable).toMatchObject([{ topic: 'orders', path: '/data/orders-0' }])
  expect(() => manager.log(ORDERS)).toThrow(
    expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
  )
  expect(manager.log(EVENTS)?.logEndOffset).toBe(0)
  await expect(create(manager, ORDERS)).rejects.toThrow("/data/orders-0 can't be read")
  await manager.close(16)
  expect(namesIn(disk)).not.toContain('.kafka_cleanshutdown')
})

test('LogManager.delete() also takes a partition away that could not be read', async () => {
  const disk = await stoppedDisk()
  rewrite(disk, '/data/orders-0/partition.metadata', 'garbage')
  const { manager } = await start(disk)
  await manager.delete(ORDERS)
  expect(manager.log(ORDERS)).toBeUndefined()
  expect((await create(manager, ORDERS)).logEndOffset).toBe(0)
})

test('LogManager.load() refuses a partition that is in two directories', async () => {
  const logDirs = ['/data', '/more']
  const disk = await stoppedDisk({ logDirs })
  disk.makeDirectory('/data/orders-0')
  disk.makeDirectory('/more/orders-0')
  await expect(start(disk, { logDirs })).rejects.toThrow(
    'The partition orders-0 is in both /data and /more',
  )
})

test('LogManager.create() takes the directory with the fewest partitions, or the one that is named', async () => {
  const logDirs = ['/a', '/b']
  const { manager } = await start(new SimulatedDisk(), { logDirs })
  const [first, second] = manager.directoryIds
  const at = (partition: number) => ({ topic: 'orders', partition })
  await Promise.all([0, 1, 2].map((partition) => create(manager, at(partition))))
  // The metadata log counts as one in the first.
  expect([0, 1, 2].map((partition) => manager.directoryIdOf(at(partition)))).toEqual([
    second,
    first,
    second,
  ])
  await create(manager, at(3), second)
  expect(manager.directoryIdOf(at(3))).toBe(second)
  expect([...manager.logs()].length).toBe(4)
})

test('LogManager.create() leaves nothing behind when the disk is full, and works again later', async () => {
  const disk = new SimulatedDisk()
  const { manager } = await start(disk)
  disk.fail({ on: 'write', path: 'orders-0', code: 'ENOSPC' })
  await expect(create(manager, ORDERS)).rejects.toThrow(
    expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
  )
  expect(namesIn(disk)).not.toContain('orders-0')
  expect((await create(manager, ORDERS)).logEndOffset).toBe(0)
})

test('LogManager.delete() renames at once, removes later, and forgets the checkpoints', async () => {
  const disk = await stoppedDisk()
  const { manager, clock } = await start(disk)
  await manager.delete(ORDERS)
  const [renamed = ''] = namesIn(disk).filter((name) => name.startsWith('orders-0'))
  expect(renamed).toMatch(/^orders-0\.[0-9a-f]{32}-delete$/)
  expect(manager.log(ORDERS)).toBeUndefined()
  for (const name of ['recovery-point-offset-checkpoint', 'replication-offset-checkpoint']) {
    expect(parseOffsetCheckpoint(disk.readFile(`/data/${name}`), name).has('orders-0')).toBe(false)
  }
  const log = await create(manager, ORDERS)
  expect(readAll(log)).toEqual([])
  clock.advance(59_999)
  expect(namesIn(disk)).toContain(renamed)
  clock.advance(1)
  expect(namesIn(disk)).not.toContain(renamed)
  expect(namesIn(disk)).toContain('orders-0')
  await manager.delete({ topic: 'nobody', partition: 0 })
})

test('LogManager does not read a recreated partition through what was open of the old one', async () => {
  const { manager } = await start(new SimulatedDisk())
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 100 }
  const createSmall = () =>
    manager.create({ topicPartition: ORDERS, topicId: IDS['orders'] ?? '', config })
  for (const life of ['old', 'new']) {
    const log = await createSmall()
    const values = Array.from({ length: 5 }, (_, index) => `${life} ${index}`)
    for (const value of values) append(log, batchOf([value]))
    await log.flush()
    expect(log.segmentCount).toBe(5)
    expect(readAll(log)).toEqual(values.map((value, index) => `${index}:${value}`))
    await manager.delete(ORDERS)
  }
})

test('LogManager.create() and delete() keep their word whenever the power goes', async () => {
  let hasEnded = false
  for (let stopAt = 1; !hasEnded && stopAt < 400; stopAt++) {
    const disk = await stoppedDisk()
    const { manager } = await start(disk)
    disk.faults.stopAtChange(stopAt)
    const done: string[] = []
    const run = async () => {
      const log = await create(manager, EVENTS)
      done.push('created')
      append(log, batchOf(['kept']), true)
      await log.whenCommitted(0)
      done.push('appended')
      await manager.delete(ORDERS)
      done.push('deleted')
      await create(manager, ORDERS)
      done.push('recreated')
    }
    hasEnded = await run().then(
      () => true,
      () => false,
    )
    for (const seed of seedsOf(stopAt)) {
      const why = `stop at change ${stopAt}, seed ${seed}, after ${done.at(-1)}`
      const after = disk.afterCrash(seed)
      const { manager: next, report } = await start(after)
      expect(report.unreadable, why).toEqual([])
      if (done.includes('created')) expect(next.log(EVENTS), why).toBeDefined()
      const events = next.log(EVENTS)
      if (done.includes('appended')) expect(events && readAll(events), why).toEqual(['0:kept'])
      const orders = next.log(ORDERS)
      if (!done.includes('appended')) expect(orders && readAll(orders), why).toEqual(['0:one'])
      if (done.includes('deleted')) expect(orders?.logEndOffset ?? 0, why).toBe(0)
      if (done.includes('recreated')) expect(orders, why).toBeDefined()
      // The second start finds what the first one left.
      await next.close(20)
      const { manager: last } = await start(after.afterCrash(seed))
      expect([...last.logs()].length, why).toBe([events, orders].filter(Boolean).length)
      await last.closeNow()
    }
  }
  expect(hasEnded).toBe(true)
})

test('LogManager.close() leaves the marker only when everything it stands for is on disk', async () => {
  let hasEnded = false
  for (let stopAt = 1; !hasEnded && stopAt < 400; stopAt++) {
    const disk = await stoppedDisk()
    const { manager } = await start(disk)
    const log = manager.log(ORDERS)
    if (log) append(log, batchOf(['two', 'three']))
    disk.faults.stopAtChange(stopAt)
    await manager.close(15).catch(() => undefined)
    hasEnded = !disk.faults.isStopped
    for (const seed of seedsOf(stopAt)) {
      const why = `stop at change ${stopAt}, seed ${seed}`
      const { manager: next, report } = await start(disk.afterCrash(seed))
      const orders = next.log(ORDERS)
      const found = orders ? readAll(orders) : []
      expect(found[0], why).toBe('0:one')
      if (next.hadCleanShutdown) {
        expect(found.length, why).toBe(3)
        expect(report.directories[0]?.notes, why).toEqual([])
      }
      if (hasEnded) expect(next.hadCleanShutdown, why).toBe(true)
      await next.closeNow()
    }
  }
  expect(hasEnded).toBe(true)
})

test('LogManager.start() writes the checkpoints and applies retention by the clock', async () => {
  const disk = new SimulatedDisk()
  const { manager, clock } = await start(disk)
  const log = await create(manager, ORDERS)
  manager.start()
  append(log, batchOf(['a', 'b']), true)
  await log.whenCommitted(1)
  await clock.run(5_000)
  expect(decode(disk.readFile('/data/replication-offset-checkpoint'))).toContain('orders 0 2\n')
  await clock.run(55_000)
  expect(decode(disk.readFile('/data/recovery-point-offset-checkpoint'))).toContain('orders 0 2\n')
  // The records' timestamps are of 1970.
  await clock.run(240_000)
  expect(log.logStartOffset).toBe(2)
  expect(decode(disk.readFile('/data/log-start-offset-checkpoint'))).toContain('orders 0 2\n')
  await manager.close(1)
  expect(clock.pendingTimers).toBe(0)
})

test('LogManager takes a directory whose disk fails offline, and the others go on', async () => {
  const logDirs = ['/a', '/b']
  const disk = new SimulatedDisk()
  const offline: OfflineDirectory[] = []
  const { manager } = await start(disk, { logDirs, onOffline: (one) => offline.push(one) })
  const [first, second] = manager.directoryIds
  const good = await create(manager, EVENTS, first)
  const bad = await create(manager, ORDERS, second)
  disk.fail({ path: '/b/', on: ['sync', 'write'], code: 'EIO', times: Number.POSITIVE_INFINITY })
  expect(() => append(bad, batchOf(['x']))).toThrow('EIO')
  expect(offline).toMatchObject([{ path: '/b', directoryId: second, partitions: [ORDERS] }])
  expect(() => manager.log(ORDERS)).toThrow(
    expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
  )
  await expect(manager.delete(ORDERS)).rejects.toThrow('The data directory /b is offline')
  await expect(create(manager, { topic: 'orders', partition: 1 }, second)).rejects.toThrow(
    'is offline',
  )
  append(good, batchOf(['y']), true)
  await good.whenCommitted(0)
  await create(manager, { topic: 'orders', partition: 2 })
  expect(manager.directoryIdOf({ topic: 'orders', partition: 2 })).toBe(first)
  expect(manager.directoryIds).toEqual([first])
  await manager.close(3)
  disk.faults.heal()
  expect(namesIn(disk, '/a')).toContain('.kafka_cleanshutdown')
  expect(namesIn(disk, '/b')).not.toContain('.kafka_cleanshutdown')
  const again = await start(disk, { logDirs })
  expect(again.manager.log(ORDERS)?.logEndOffset).toBe(0)
})

test('LogManager.load() does not take the partitions of a failing disk for missing ones', async () => {
  const logDirs = ['/a', '/b']
  const disk = new SimulatedDisk()
  const { manager } = await start(disk, { logDirs })
  const [first, second] = manager.directoryIds
  const at = (partition: number) => ({ topic: 'orders', partition })
  await create(manager, EVENTS, first)
  for (let partition = 0; partition < 40; partition++) await create(manager, at(partition), second)
  await manager.close(1)
  const offline: OfflineDirectory[] = []
  disk.fail({ on: 'readFile', path: '/b/orders-7/', code: 'EIO' })
  const again = await start(disk, { logDirs, onOffline: (one) => offline.push(one) })
  expect(offline.map(({ path, partitions }) => [path, partitions.length])).toEqual([['/b', 40]])
  for (let partition = 0; partition < 40; partition++) {
    expect(() => again.manager.log(at(partition))).toThrow(
      expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
    )
  }
  expect(again.report.directories[1]?.notes.length).toBe(1)
  expect([...again.manager.logs()].length).toBe(1)
  expect(again.manager.log(EVENTS)).toBeDefined()
})

test('LogManager takes a directory offline whose checkpoint fails, and tries a full disk again', async () => {
  const disk = new SimulatedDisk()
  const problems: unknown[] = []
  const faults: StorageFault[] = []
  const { manager } = await start(disk, {
    onProblem: (error) => problems.push(error),
    onOffline: ({ fault }) => faults.push(fault),
  })
  append(await create(manager, ORDERS), batchOf(['x']))
  disk.fail({ on: 'write', path: 'replication', code: 'ENOSPC' })
  await manager.checkpoint('highWatermarks')
  expect(problems).toMatchObject([{ code: 'KAFKA_STORAGE_ERROR' }])
  expect(faults).toEqual([])
  await manager.checkpoint('highWatermarks')
  expect(decode(disk.readFile('/data/replication-offset-checkpoint'))).toContain('orders 0 1\n')
  disk.fail({ on: 'sync', path: 'recovery-point', code: 'EIO' })
  await manager.checkpoint('recoveryPoints')
  expect(faults.map(({ message }) => message)).toEqual([
    'Writing a checkpoint in /data failed with EIO',
  ])
  await manager.close(1)
  expect(namesIn(disk)).not.toContain('.kafka_cleanshutdown')
})

test.each([
  { why: 'a bit is flipped', kafkaRan: false, start: 0, notes: 1 },
  { why: 'a Kafka wrote it meanwhile', kafkaRan: true, start: 1, notes: 0 },
])('LogManager trusts a checkpoint by its sum: when $why, the log start is $start', async (row) => {
  const disk = await stoppedDisk()
  rewrite(disk, '/data/log-start-offset-checkpoint', '0\n1\norders 0 1\n')
  if (row.kafkaRan) rewrite(disk, '/data/.kafka_cleanshutdown', '{"version":0,"brokerEpoch":22}')
  const { manager, report } = await start(disk)
  expect(manager.log(ORDERS)?.logStartOffset).toBe(row.start)
  expect(report.directories[0]?.notes.length).toBe(row.notes)
  expect(namesIn(disk)).not.toContain('millrace.sums')
})

test('LogManager goes on without a recovery point that is malformed, not without the high watermarks', async () => {
  const disk = (await stoppedDisk()).afterKill()
  disk.remove('/data/.kafka_cleanshutdown')
  rewrite(disk, '/data/recovery-point-offset-checkpoint', '0\n7\n')
  const { manager, report } = await start(disk)
  expect(report.directories[0]?.notes).toEqual([
    'The file recovery-point-offset-checkpoint announces 7 entries and has 0; it counts as empty',
  ])
  expect(manager.log(ORDERS)?.logEndOffset).toBe(1)
  await manager.closeNow()
  rewrite(disk, '/data/replication-offset-checkpoint', 'x')
  expect(() => open(disk)).toThrow('The file replication-offset-checkpoint has version x')
  expect(disk.lock('/data/.lock')).toBeDefined()
})

test('LogManager keeps the metadata log apart from the others, and closes it with them', async () => {
  const disk = new SimulatedDisk()
  const manager = open(disk)
  const { log } = await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  expect(partitionName(log.topicPartition)).toBe('__cluster_metadata-0')
  append(log, batchOf(['record']))
  await manager.load({ configOf: () => DEFAULT_LOG_CONFIG, expectedTopicId: () => undefined })
  expect([...manager.logs()]).toEqual([])
  await manager.close(1)
  const again = open(disk)
  const opened = await again.openMetadataLog(DEFAULT_LOG_CONFIG)
  expect(opened.log.logEndOffset).toBe(1)
  expect(opened.recovery.scannedBytes).toBe(0)
})
