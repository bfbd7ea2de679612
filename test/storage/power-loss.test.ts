// Losses that the simulation of whole data directories found, each made small.
import { expect, test } from 'vitest'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { append, batchOf, openLog, readAll } from './log/log-fixture.ts'
import { create, IDS, namesIn, ORDERS, start } from './log-manager-fixture.ts'

const losses = Array.from({ length: 20 }, (_, seed) => seed + 1)

test('LogManager has a data directory on disk that a start made which was killed', async () => {
  const made = new SimulatedDisk()
  made.makeDirectory('/data')
  const disk = made.afterKill()
  const { manager } = await start(disk)
  append(await create(manager, ORDERS), batchOf(['one']), true)
  await manager.log(ORDERS)?.flush()
  for (const seed of losses) {
    const found = await start(disk.afterCrash(seed))
    const log = found.manager.log(ORDERS)
    expect(log && readAll(log), `seed ${seed}`).toEqual(['0:one'])
  }
})

test('LogManager.delete() removes no file before the new name of its directory is on disk', async () => {
  const later: (() => void)[] = []
  const clock = new VirtualClock()
  const schedule = (work: () => void) => void later.push(work)
  const disk = new SimulatedDisk({ schedule })
  const driven = async <T>(promise: Promise<T>) => {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    while (!isDone) {
      for (const work of later.splice(0)) work()
      await clock.run(0)
    }
    return done
  }
  const { manager } = await driven(start(disk, { clock }))
  const config = { ...DEFAULT_LOG_CONFIG, fileDeleteDelayMs: 0 }
  const topicId = IDS['orders'] ?? ''
  await driven(manager.create({ topicPartition: ORDERS, topicId, config }))
  const deleted = manager.delete(ORDERS)
  await clock.run(1_000)
  const [renamed = ''] = namesIn(disk).filter((name) => name.endsWith('-delete'))
  expect(namesIn(disk, `/data/${renamed}`)).toContain('partition.metadata')
  await driven(deleted)
  await clock.run(1)
  expect(namesIn(disk)).not.toContain(renamed)
})

test('openPartitionLog() finds the epochs again of records whose deletion a crash undid', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await openLog(disk)
  append(log, batchOf(['a', 'b']), true, 2)
  append(log, batchOf(['c']), true, 4)
  await log.flush()
  log.deleteRecordsBefore(3)
  await log.close()
  // The log start was in no checkpoint yet.
  const { log: back } = await openLog(disk.afterKill(), { recoveryPoint: 3, logStartOffset: 0 })
  expect([0, 1, 2].map((offset) => back.epochOf(offset))).toEqual([2, 2, 4])
})

test('PartitionLog.deleteOldSegments() takes nothing before the segment that follows is on disk', async () => {
  const clock = new VirtualClock()
  let isStuck = false
  const disk = new SimulatedDisk({ schedule: (work) => void (isStuck || work()) })
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await openLog(disk, { clock, config: { retentionMs: 1 } })
  append(log, batchOf(['a', 'b'], { timestamp: clock.now() }), true)
  await log.flush()
  await clock.run(100)
  isStuck = true
  expect(log.deleteOldSegments(clock.now()).count).toBe(1)
  isStuck = false
  for (const seed of losses) {
    const { log: found } = await openLog(disk.afterCrash(seed))
    expect(found.logEndOffset, `seed ${seed}`).toBe(2)
  }
})

test('LogManager.retain() takes no segment that came too late for the log start on disk', async () => {
  const clock = new VirtualClock()
  const disk = new SimulatedDisk({ schedule: (work) => clock.after(2, work) })
  const drive = <T>(work: Promise<T>) => clock.drive(work)
  const { manager } = await drive(start(disk, { clock }))
  const log = await drive(create(manager, ORDERS))
  log.updateConfig({ ...log.config, segmentBytes: 100, retentionBytes: 200 })
  const write = async (count: number) => {
    for (let number = 0; number < count; number++) append(log, batchOf([`${number}`]))
    await drive(log.flush())
  }
  await write(8)
  const retaining = manager.retain()
  await clock.run(1)
  const passed = log.logStartOffset
  expect(passed).toBeGreaterThan(0)
  // As many come as go, while the log start is on its way to the disk.
  for (let number = 0; number < 4; number++) append(log, batchOf([`late ${number}`]))
  await drive(retaining)
  expect(log.segments[0]?.baseOffset).toBe(passed)
  await drive(manager.retain())
  expect(log.segments[0]?.baseOffset).toBeGreaterThan(passed)
})
