// The life of all logs of a broker: stop, start, load, create, delete, checkpoint.
import { expect, test } from 'vitest'
import { partitionName } from '#storage/base/topic-partition.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { parseOffsetCheckpoint } from '#storage/state/offset-checkpoint.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { append, batchOf, readAll } from './log/log-fixture.ts'
import {
  create,
  decode,
  EVENTS,
  IDS,
  namesIn,
  ORDERS,
  open,
  rewrite,
  start,
  stoppedDisk,
} from './log-manager-fixture.ts'

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
  expect(decode(disk.readFile('/data/log-start-offset-checkpoint'))).toMatch(
    /^0\n1\nmillrace#crc32c 0 \d+\n$/,
  )
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

test('LogManager asks for a new epoch when what consumers had seen is gone, although nothing new was kept', async () => {
  const disk = await stoppedDisk()
  const { manager } = await start(disk)
  append(manager.log(ORDERS) as never, batchOf(['two']))
  await manager.checkpoint('highWatermarks')
  const ends = new Set<number | undefined>()
  for (let seed = 0; seed < 20; seed++) {
    const { manager: after, report } = await start(disk.afterCrash(seed))
    ends.add(after.log(ORDERS)?.logEndOffset)
    expect(report.recovered, `seed ${seed}`).toMatchObject([
      { topic: 'orders', needsNewEpoch: true },
    ])
    await after.closeNow()
  }
  expect(ends).toContain(1)
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
  disk.remove('/data/orders-0/millrace.sums')
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
    expect(log.segments.length).toBe(5)
    expect(readAll(log)).toEqual(values.map((value, index) => `${index}:${value}`))
    await manager.delete(ORDERS)
  }
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
