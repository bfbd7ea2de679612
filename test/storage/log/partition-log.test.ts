// Appends, reads, rolls.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { append, batchOf, DIRECTORY, openLog, readAll } from './log-fixture.ts'

test('PartitionLog.append() gives offsets in order, and read() returns the records', async () => {
  const { log } = await openLog(new SimulatedDisk())
  expect(append(log, batchOf(['a', 'b']))).toMatchObject({ baseOffset: 0, lastOffset: 1 })
  expect(append(log, batchOf(['c']))).toMatchObject({ baseOffset: 2, lastOffset: 2 })
  expect(log.logEndOffset).toBe(3)
  expect(readAll(log)).toEqual(['0:a', '1:b', '2:c'])
  expect(readAll(log, 1)).toEqual(['1:b', '2:c'])
})

test('PartitionLog rolls when a segment is full, and a clean start finds it all again', async () => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk, { config: { segmentBytes: 300 } })
  const expected: string[] = []
  for (let index = 0; index < 50; index++) {
    append(log, batchOf([`v${index}`]))
    expected.push(`${index}:v${index}`)
  }
  expect(log.segments.length).toBeGreaterThan(10)
  expect(readAll(log)).toEqual(expected)
  await log.close()
  const { log: again, recovery } = await openLog(disk, {
    hadCleanShutdown: true,
    recoveryPoint: 50,
  })
  expect(recovery).toMatchObject({ logEndOffset: 50, scannedBytes: 0, cuts: [], damages: [] })
  expect(readAll(again)).toEqual(expected)
})

test('PartitionLog keeps what was committed through a power loss', async () => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk, { config: { segmentBytes: 300 } })
  for (let index = 0; index < 20; index++) append(log, batchOf([`v${index}`]), true)
  expect(log.highWatermark).toBe(0)
  await log.whenCommitted(19)
  expect(log.highWatermark).toBe(20)
  append(log, batchOf(['lost?']))
  const after = disk.afterCrash(7)
  const { log: again } = await openLog(after, { recoveryPoint: log.recoveryPoint })
  expect(readAll(again).slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}:v${i}`))
  expect(after.list(DIRECTORY).length).toBeGreaterThan(3)
})

test('A duplicate of a batch that flush.messages holds back waits like it, whatever it asks for itself', async () => {
  const { log } = await openLog(new SimulatedDisk(), { config: { flushMessages: 1 } })
  const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
  const request = { leaderEpoch: 0, origin: 'client', needsDisk: false } as const
  const first = log.append(batchOf(['a'], producer), request)
  expect(first).toMatchObject({ isDuplicate: false, needsDisk: true })
  const again = log.append(batchOf(['a'], producer), request)
  expect(again).toMatchObject({ isDuplicate: true, needsDisk: true, baseOffset: 0 })
  await log.whenCommitted(0)
  expect(log.append(batchOf(['a'], producer), request)).toMatchObject({ needsDisk: false })
})
