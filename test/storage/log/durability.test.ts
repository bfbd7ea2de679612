// What waits for the disk, and what a failing disk may never let through.
import { expect, test } from 'vitest'
import { StorageFault } from '#storage/base/errors.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { append, batchOf, DIRECTORY, openLog, readAll } from './log-fixture.ts'

/** A log on a disk whose syncs take 10 ms. */
async function slowLog(config: Partial<LogConfig> = {}) {
  const clock = new VirtualClock()
  let delayMs = 0
  const disk = new SimulatedDisk({ schedule: (work) => void clock.after(delayMs, work) })
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await clock.drive(openLog(disk, { clock, config }))
  delayMs = 10
  return { clock, disk, log, syncs: () => disk.faults.counts.get('sync') ?? 0 }
}

test('PartitionLog holds the high watermark at the first batch that needs the disk', async () => {
  const { clock, log } = await slowLog()
  append(log, batchOf(['seen at once']))
  expect(log.highWatermark).toBe(1)
  append(log, batchOf(['needs the disk']), true)
  append(log, batchOf(['behind it']))
  expect({ watermark: log.highWatermark, end: log.logEndOffset }).toEqual({ watermark: 1, end: 3 })
  expect(readAll(log)).toEqual(['0:seen at once'])
  expect(readAll(log, 0, 'log_end')).toHaveLength(3)
  await clock.run(50)
  expect(log.highWatermark).toBe(3)
  expect(readAll(log)).toHaveLength(3)
})

test('PartitionLog.append() shares one sync among all that came during the last one', async () => {
  const { clock, log, syncs } = await slowLog()
  append(log, batchOf(['the first of its leader epoch']))
  await clock.run(100)
  const before = syncs()
  for (let index = 0; index < 10; index++) append(log, batchOf([`v${index}`]), true)
  await clock.run(100)
  expect(log.durableOffset).toBe(11)
  expect(syncs() - before).toBe(2)
})

test('PartitionLog.whenCommitted() resolves only when the bytes are on disk', async () => {
  const { clock, disk, log } = await slowLog()
  const { lastOffset } = append(log, batchOf(['v']), true)
  let isDone = false
  void log.whenCommitted(lastOffset).then(() => {
    isDone = true
  })
  await clock.run(5)
  expect(isDone).toBe(false)
  await clock.run(50)
  expect(isDone).toBe(true)
  expect(disk.mediumBytes(`${DIRECTORY}/00000000000000000000.log`).length).toBe(log.sizeInBytes)
})

test('PartitionLog syncs segments in order, and passes one only after its directory', async () => {
  const { clock, disk, log } = await slowLog({ segmentBytes: 100 })
  for (let index = 0; index < 5; index++) append(log, batchOf([`v${index}`]), true)
  let last = 0
  while (log.durableOffset < 5) {
    await clock.run(1)
    expect(log.durableOffset).toBeGreaterThanOrEqual(last)
    last = log.durableOffset
    const settings = { clock: new VirtualClock(), recoveryPoint: log.recoveryPoint }
    const opened = await clock.drive(openLog(disk.afterCrash(last + 1), settings))
    expect(opened.log.logEndOffset).toBeGreaterThanOrEqual(last)
    expect(opened.recovery.damages).toEqual([])
  }
})

test('PartitionLog lets nothing through after a failed sync, duplicates neither', async () => {
  const disk = new SimulatedDisk()
  let fault: Error | undefined
  const { log } = await openLog(disk, {
    onFault: (error) => {
      fault = error
    },
  })
  disk.fail({ on: 'sync', path: '.log', code: 'EIO' })
  const retried = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
  const { lastOffset } = append(log, batchOf(['v'], retried), true)
  await expect(log.whenCommitted(lastOffset)).rejects.toThrow(StorageFault)
  expect(fault).toBeInstanceOf(StorageFault)
  expect(() => append(log, batchOf(['v'], retried), true)).toThrow(StorageFault)
  await expect(log.whenCommitted(lastOffset)).rejects.toThrow(StorageFault)
  expect({ durable: log.durableOffset, watermark: log.highWatermark }).toEqual({
    durable: 0,
    watermark: 0,
  })
})

test('PartitionLog.append() answers a duplicate that waits for the disk like its original', async () => {
  const { clock, log } = await slowLog()
  const batch = () => batchOf(['a', 'b'], { producerId: 7, producerEpoch: 0, baseSequence: 0 })
  append(log, batch())
  const again = append(log, batch(), true)
  expect(again).toMatchObject({ baseOffset: 0, lastOffset: 1, isDuplicate: true, needsDisk: true })
  expect(log.logEndOffset).toBe(2)
  let isDone = false
  void log.whenCommitted(again.lastOffset).then(() => {
    isDone = true
  })
  await settle()
  expect(isDone).toBe(false)
  await clock.run(50)
  expect({ isDone, durable: log.durableOffset }).toEqual({ isDone: true, durable: 2 })
})

test.each([
  { code: 'ENOSPC', at: 1 },
  { code: 'EDQUOT', at: 1 },
])(
  'PartitionLog.append() refuses on $code, and goes on when there is space',
  async ({ code, at }) => {
    const disk = new SimulatedDisk()
    const { log } = await openLog(disk)
    append(log, batchOf(['before']))
    disk.fail({ on: 'write', code, at })
    expect(() => append(log, batchOf(['refused, with a long value']))).toThrow(
      /Appending to orders-0/,
    )
    expect({ end: log.logEndOffset, fault: log.fault }).toEqual({ end: 1, fault: undefined })
    expect(readAll(log)).toEqual(['0:before'])
    append(log, batchOf(['after']))
    expect(readAll(log)).toEqual(['0:before', '1:after'])
    await log.close()
    const { log: again } = await openLog(disk, { hadCleanShutdown: true, recoveryPoint: 2 })
    expect(readAll(again)).toEqual(['0:before', '1:after'])
  },
)

test.each(['EIO', 'EROFS'])('PartitionLog.append() goes offline on %s', async (code) => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk)
  disk.fail({ on: 'write', code })
  expect(() => append(log, batchOf(['v']))).toThrow(StorageFault)
  expect(log.fault).toBeInstanceOf(StorageFault)
  expect(() => log.read(0, { maxBytes: 1, isolation: 'log_end' })).toThrow(StorageFault)
})

test('PartitionLog.append() needs the disk when flush.messages is reached', async () => {
  const { log } = await slowLog({ flushMessages: 3 })
  expect(append(log, batchOf(['a', 'b'])).needsDisk).toBe(false)
  expect(append(log, batchOf(['c'])).needsDisk).toBe(true)
  expect(log.highWatermark).toBe(2)
})

test('PartitionLog syncs what nobody waits for when flush.ms has passed', async () => {
  const { clock, log } = await slowLog({ flushMs: 500 })
  append(log, batchOf(['v']))
  expect(log.unflushedBytes).toBe(log.sizeInBytes)
  await clock.run(600)
  expect({ durable: log.durableOffset, unflushed: log.unflushedBytes }).toEqual({
    durable: 1,
    unflushed: 0,
  })
})

test('PartitionLog leaves to the page cache what nobody wants on disk', async () => {
  const { clock, log } = await slowLog()
  append(log, batchOf(['v']))
  await clock.run(100_000)
  expect(log.durableOffset).toBe(0)
})

test.each(['EMFILE', 'ENFILE'])(
  'PartitionLog takes a sync without a descriptor (%s) for a refusal, and tries again',
  async (code) => {
    const { clock, disk, log } = await slowLog()
    append(log, batchOf(['the first of its epoch']), true)
    await clock.run(100)
    disk.fail({ on: 'sync', path: '.log', code, times: 2 })
    const { lastOffset } = append(log, batchOf(['v']), true)
    const refused = expect(log.whenCommitted(lastOffset)).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
    })
    await clock.run(20)
    await refused
    expect({ fault: log.fault, watermark: log.highWatermark }).toEqual({
      fault: undefined,
      watermark: 1,
    })
    append(log, batchOf(['appends go on']))
    await clock.run(300)
    expect({ durable: log.durableOffset, watermark: log.highWatermark }).toEqual({
      durable: 3,
      watermark: 3,
    })
    const medium = disk.mediumBytes(`${DIRECTORY}/00000000000000000000.log`)
    expect(medium.length).toBe(log.sizeInBytes)
  },
)

test('PartitionLog finishes a sealed segment later when there is no space for its indexes now', async () => {
  const { clock, disk, log } = await slowLog({ segmentBytes: 100 })
  append(log, batchOf(['one']), true)
  await clock.run(100)
  disk.fail({ on: 'write', path: 'index', code: 'ENOSPC', times: 2 })
  append(log, batchOf(['two']), true)
  await clock.run(50)
  expect({ fault: log.fault, recoveryPoint: log.recoveryPoint }).toEqual({
    fault: undefined,
    recoveryPoint: 1,
  })
  await clock.run(500)
  expect({ durable: log.durableOffset, recoveryPoint: log.recoveryPoint }).toEqual({
    durable: 2,
    recoveryPoint: 2,
  })
})

test('PartitionLog.close() is not clean while a refused sync waits to be tried again', async () => {
  const { clock, disk, log } = await slowLog()
  append(log, batchOf(['v']))
  disk.fail({ on: 'sync', path: '.log', code: 'EMFILE', times: Number.POSITIVE_INFINITY })
  const closed = expect(log.close()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  await clock.run(50)
  await closed
})

/** A disk with `/data`, on which only the log itself syncs the partition's directory: its epoch file can't be written. */
function diskWithoutHelp(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  withoutHelp(disk)
  return disk
}

function withoutHelp(disk: SimulatedDisk): void {
  const times = Number.POSITIVE_INFINITY
  disk.fail({ on: 'write', path: 'leader-epoch-checkpoint', code: 'ENOSPC', times })
}

test.each([
  {
    why: 'made when the log was emptied',
    prepare: async (disk: SimulatedDisk) => {
      const { log } = await openLog(disk)
      append(log, batchOf(['gone']), true)
      await settle()
      log.truncateFullyAndStartAt(7)
      return { disk, log }
    },
  },
  {
    why: 'that a killed process had made and not synced',
    prepare: async (disk: SimulatedDisk) => {
      disk.fail({ on: 'syncDirectory', path: DIRECTORY, code: 'EIO' })
      await expect(openLog(disk)).rejects.toThrow('EIO')
      const killed = disk.afterKill()
      withoutHelp(killed)
      const { log, recovery } = await openLog(killed)
      expect(recovery.rebuiltSegments).toEqual([])
      return { disk: killed, log }
    },
  },
])(
  'PartitionLog acknowledges nothing in a segment $why before its name is on disk',
  async ({ prepare }) => {
    const { disk, log } = await prepare(diskWithoutHelp())
    const { baseOffset, lastOffset } = append(log, batchOf(['acknowledged']), true)
    await log.whenCommitted(lastOffset)
    for (let seed = 1; seed <= 20; seed++) {
      const { log: after } = await openLog(disk.afterCrash(seed))
      expect(readAll(after, baseOffset), `seed ${seed}`).toEqual([`${baseOffset}:acknowledged`])
    }
  },
)

test('PartitionLog syncs the directory between the roll and the first durable append behind it', async () => {
  const { clock, disk, log } = await slowLog({ segmentBytes: 100 })
  append(log, batchOf(['one']), true)
  await clock.run(200)
  const directorySyncs = () => disk.faults.counts.get('syncDirectory') ?? 0
  const before = directorySyncs()
  append(log, batchOf(['two']), true)
  while (log.durableOffset < 2) await clock.run(1)
  expect(directorySyncs()).toBeGreaterThan(before)
})
