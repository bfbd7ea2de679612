// What a log costs that nobody wrote to since the last clean stop, and when it is scanned all the same.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import type { DiskOperation } from '../../simulation/simulated-faults.ts'
import { settle } from '../../simulation/virtual-clock.ts'
import { append, batchOf, DIRECTORY, openLog, readAll } from './log-fixture.ts'

const LOG = `${DIRECTORY}/00000000000000000000.log`
const INDEX = `${DIRECTORY}/00000000000000000000.index`
const TIME_INDEX = `${DIRECTORY}/00000000000000000000.timeindex`
const CHANGES: readonly DiskOperation[] = [
  'write',
  'truncate',
  'sync',
  'rename',
  'remove',
  'makeDirectory',
]
// Of the day on which the clock of the tests starts: producers that were idle for a day are forgotten.
const ofProducer = { producerId: 7, producerEpoch: 0, timestamp: 1_704_067_200_000 }

const changesOf = (disk: SimulatedDisk) =>
  CHANGES.map((operation) => disk.faults.counts.get(operation) ?? 0)
const directorySyncsOf = (disk: SimulatedDisk) => disk.faults.counts.get('syncDirectory') ?? 0

const LONG = 'z'.repeat(5_000)
/** The last batch, larger than what is summed of a log's end. */
const tail = () => batchOf([LONG], { ...ofProducer, baseSequence: 4 })

/** A disk on which a log of five records was stopped cleanly; with `isEmpty` one of none. */
async function stopped({ isEmpty = false } = {}): Promise<{ disk: SimulatedDisk; end: number }> {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await openLog(disk, { config: { indexIntervalBytes: 0 } })
  if (!isEmpty) {
    append(log, batchOf(['a', 'b'], { ...ofProducer, baseSequence: 0 }))
    append(log, batchOf(['c', 'd'], { ...ofProducer, baseSequence: 2 }))
    append(log, tail())
  }
  await log.close()
  return { disk, end: log.logEndOffset }
}

test.each([
  { what: 'an empty log', isEmpty: true },
  { what: 'a log with records', isEmpty: false },
])(
  'openPartitionLog() and close() change nothing of $what that nobody writes to',
  async (state) => {
    const { disk, end } = await stopped(state)
    const before = changesOf(disk)
    const { log } = await openLog(disk, { hadCleanShutdown: true, recoveryPoint: end })
    log.assignEpochStart(0)
    await settle()
    await log.close()
    expect(changesOf(disk)).toEqual(before)
    const syncs = directorySyncsOf(disk)
    const after = disk.afterKill()
    const crashed = await openLog(after, { recoveryPoint: end })
    expect(crashed.recovery).toMatchObject({ scannedBytes: 0, cuts: [], logEndOffset: end })
    await crashed.log.close()
    expect(changesOf(after)).toEqual(CHANGES.map(() => 0))
    // All that a kill may leave undone are names.
    expect({ syncs, after: directorySyncsOf(after) }).toEqual({ syncs, after: 1 })
  },
)

test('PartitionLog that was not scanned after a crash still knows its producers', async () => {
  const { disk, end } = await stopped()
  const { log } = await openLog(disk.afterCrash(3), { recoveryPoint: end })
  expect(append(log, tail())).toMatchObject({ isDuplicate: true, baseOffset: 4 })
  expect(append(log, batchOf(['e'], { ...ofProducer, baseSequence: 5 })).baseOffset).toBe(5)
  expect(readAll(log)).toEqual(['0:a', '1:b', '2:c', '3:d', `4:${LONG}`, '5:e'])
})

/** Opens the log after its clean stop, and does something before the power goes. */
async function reopened(disk: SimulatedDisk, end: number) {
  return (await openLog(disk, { hadCleanShutdown: true, recoveryPoint: end })).log
}

test.each([
  {
    why: 'something was appended',
    change: async (disk: SimulatedDisk, end: number) => {
      append(await reopened(disk, end), batchOf(['new']))
    },
  },
  {
    why: 'it was cut and filled again to the same size',
    change: async (disk: SimulatedDisk, end: number) => {
      const log = await reopened(disk, end)
      log.truncateTo(2)
      append(log, batchOf(['x', 'y'], { ...ofProducer, baseSequence: 2 }))
      append(log, tail())
      expect(log.logEndOffset).toBe(end)
    },
  },
  {
    why: 'it was emptied and filled again to the same size',
    change: async (disk: SimulatedDisk, end: number) => {
      const log = await reopened(disk, end)
      log.truncateFullyAndStartAt(0)
      append(log, batchOf(['a', 'b'], { ...ofProducer, baseSequence: 0 }))
      append(log, batchOf(['x', 'd'], { ...ofProducer, baseSequence: 2 }))
      append(log, tail())
    },
  },
  {
    why: 'a bit of its end is flipped',
    change: (disk: SimulatedDisk) => disk.flipBit(LOG, 5_000, 1),
  },
  { why: 'a bit of its index is flipped', change: (disk: SimulatedDisk) => disk.flipBit(INDEX, 5) },
  {
    why: 'a bit of its time index is flipped',
    change: (disk: SimulatedDisk) => disk.flipBit(TIME_INDEX, 5),
  },
  {
    why: 'the sums are gone',
    change: (disk: SimulatedDisk) => disk.remove(`${DIRECTORY}/millrace.sums`),
  },
])('openPartitionLog() scans a log after a crash when $why', async ({ change }) => {
  const { disk, end } = await stopped()
  await change(disk, end)
  const { recovery } = await openLog(disk.afterKill(), { recoveryPoint: end })
  expect(recovery.scannedBytes).toBeGreaterThan(0)
})

test.each([
  { why: 'below its end', by: -2 },
  { why: 'beyond its end', by: 1 },
])('openPartitionLog() scans a log whose recovery point lies $why', async ({ by }) => {
  const { disk, end } = await stopped()
  const { recovery } = await openLog(disk.afterKill(), { recoveryPoint: end + by })
  expect(recovery.scannedBytes).toBeGreaterThan(0)
  expect(recovery.damages.length).toBe(by > 0 ? 1 : 0)
})

test('openPartitionLog() reports an empty log whose recovery point says that it held records', async () => {
  const { disk } = await stopped({ isEmpty: true })
  const { recovery } = await openLog(disk.afterKill(), { recoveryPoint: 3 })
  expect(recovery.damages).toMatchObject([{ from: 0, to: 3 }])
})

test('PartitionLog that was cut never trusts what a power loss left of its old end', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { disk, end } = await stopped()
    const log = await reopened(disk, end)
    log.truncateTo(2)
    append(log, batchOf(['x', 'y'], { ...ofProducer, baseSequence: 2 }))
    append(log, tail())
    // The checkpoint may have been written since, or still have the recovery point of the clean stop.
    for (const recoveryPoint of [log.recoveryPoint, end]) {
      const { log: after, recovery } = await openLog(disk.afterCrash(seed), { recoveryPoint })
      const whole = ['0:a', '1:b', '2:x', '3:y', `4:${LONG}`]
      // What it has behind the cut is what was appended there, or reported.
      if (recovery.damages.length > 0) continue
      const all = readAll(after, 0, 'log_end')
      expect(all, `seed ${seed}`).toEqual(whole.slice(0, all.length))
    }
  }
})

test('PartitionLog.close() has on disk that a refused append was cut off, although nothing else had changed', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/data')
    disk.syncDirectoryNow('/')
    const first = await openLog(disk)
    append(first.log, batchOf(['a']))
    await first.log.close()
    const second = await openLog(disk, { hadCleanShutdown: true, recoveryPoint: 1 })
    disk.fail({ on: 'write', path: '.log', code: 'ENOSPC' })
    expect(() => append(second.log, batchOf(['b', 'c']))).toThrow()
    disk.faults.heal()
    await second.log.close()
    expect(disk.hasUnsyncedChanges, `seed ${seed}`).toBe(false)
  }
})
