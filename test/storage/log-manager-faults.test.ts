// The log manager when the power goes, a disk fails or fills up, or a file is damaged.
import { expect, test } from 'vitest'
import type { StorageFault } from '#storage/base/errors.ts'
import type { OfflineDirectory } from '#storage/log-manager-options.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { append, batchOf, readAll } from './log/log-fixture.ts'
import {
  create,
  decode,
  EVENTS,
  namesIn,
  ORDERS,
  open,
  rewrite,
  seedsOf,
  start,
  stoppedDisk,
} from './log-manager-fixture.ts'

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

test.each([
  { why: 'its lock', fault: { on: 'lock', path: '/b/' } },
  { why: 'its identity', fault: { on: 'readFile', path: '/b/meta.properties' } },
  { why: 'its marker', fault: { on: 'readFile', path: '/b/.kafka_cleanshutdown' } },
  { why: 'its checkpoints', fault: { on: 'readFile', path: '/b/recovery-point' } },
  { why: 'its names', fault: { on: 'list', path: '/b' } },
] as const)('A start goes on without a directory when $why can not be read', async ({ fault }) => {
  const logDirs = ['/a', '/b']
  const disk = new SimulatedDisk()
  const { manager } = await start(disk, { logDirs })
  const [first, second] = manager.directoryIds
  append(await create(manager, EVENTS, first), batchOf(['served']))
  append(await create(manager, ORDERS, second), batchOf(['kept']))
  await manager.close(1)
  disk.fail({ ...fault, code: 'EIO', times: Number.POSITIVE_INFINITY })
  const without = await start(disk, { logDirs })
  const events = without.manager.log(EVENTS)
  expect(events && readAll(events)).toEqual(['0:served'])
  expect(without.manager.directories.map(({ isOffline }) => isOffline)).toEqual([false, true])
  expect(without.manager.directoryIds).toEqual([first])
  expect(without.report.directories[1]?.notes[0]).toMatch(/EIO|fail/)
  // It is not made anew where there is room: it is there, and will be again.
  await expect(create(without.manager, ORDERS, second)).rejects.toThrow('/b is offline')
  await create(without.manager, { topic: 'orders', partition: 1 }, first)
  await without.manager.close(2)
  disk.faults.heal()
  const again = await start(disk, { logDirs })
  const orders = again.manager.log(ORDERS)
  expect(orders && readAll(orders)).toEqual(['0:kept'])
  expect(again.manager.log(EVENTS)?.logEndOffset).toBe(1)
})

test('A start is refused when the directory of the metadata can not be read, or whose the others are', async () => {
  const disk = new SimulatedDisk()
  const { manager } = await start(disk, { logDirs: ['/a', '/b'] })
  await manager.close(1)
  disk.fail({ on: 'readFile', path: '/a/meta.properties', code: 'EIO' })
  expect(() => open(disk, { logDirs: ['/a', '/b'] })).toThrow('/a failed with EIO')
  disk.fail({ on: 'readFile', path: '/b/meta.properties', code: 'EIO' })
  expect(() => open(disk, { logDirs: ['/new', '/b'] })).toThrow('/b failed with EIO')
  expect(disk.status('/new/meta.properties')).toBeUndefined()
  await open(disk, { logDirs: ['/a', '/b'] }).closeNow()
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

test.each([
  { why: 'malformed', text: 'wersion: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAg' },
  { why: "another topic's", text: 'version: 0\ntopic_id: BAAAAAAAAAAAAAAAAAAAAg' },
])(
  'LogManager.load() makes a topic id anew that is $why, and was not at the last stop',
  async ({ text }) => {
    const disk = await stoppedDisk()
    const path = '/data/orders-0/partition.metadata'
    const before = decode(disk.readFile(path))
    rewrite(disk, path, text)
    const { manager, report } = await start(disk)
    const orders = manager.log(ORDERS)
    expect(orders && readAll(orders)).toEqual(['0:one'])
    expect(decode(disk.readFile(path))).toBe(before)
    expect(report.directories[0]?.notes).toEqual([`The file ${path} was damaged; it is made anew`])
    expect(report.directories[0]?.strays).toEqual([])
  },
)

test('LogManager goes on without checkpoints that are malformed, and says so', async () => {
  const disk = (await stoppedDisk()).afterKill()
  disk.remove('/data/.kafka_cleanshutdown')
  rewrite(disk, '/data/recovery-point-offset-checkpoint', '0\n7\n')
  rewrite(disk, '/data/replication-offset-checkpoint', 'x')
  const { manager, report } = await start(disk)
  expect(report.directories[0]?.notes).toEqual([
    'The file recovery-point-offset-checkpoint announces 7 entries and has 0; it counts as empty',
    'The file replication-offset-checkpoint has version x; it counts as empty',
  ])
  expect(manager.log(ORDERS)?.logEndOffset).toBe(1)
  await manager.closeNow()
})
