// Checkpoint files on a disk that crashes.
import { expect, test } from 'vitest'
import { CheckpointFile } from '#storage/checkpoint-file.ts'
import { parseOffsetCheckpoint } from '#storage/state/offset-checkpoint.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { settle } from '../simulation/virtual-clock.ts'

const NAME = 'recovery-point-offset-checkpoint'
const line = (offset: number, topic = 'orders') => ({ topic, partition: 0, offset })

function fileOn(disk: SimulatedDisk): CheckpointFile {
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  return new CheckpointFile(disk, '/data', NAME)
}

test('CheckpointFile.read() gives what write() was given', async () => {
  const disk = new SimulatedDisk()
  await fileOn(disk).write(() => [line(5), line(7, 'other')])
  expect([...fileOn(disk).read()]).toEqual([
    ['orders-0', 5],
    ['other-0', 7],
  ])
  expect(fileOn(new SimulatedDisk()).read().size).toBe(0)
})

test('CheckpointFile.write() leaves out what changes nothing', async () => {
  const disk = new SimulatedDisk()
  const file = fileOn(disk)
  await file.write(() => [line(5)])
  const { changes } = disk.faults
  await file.write(() => [line(5)])
  expect(disk.faults.changes).toBe(changes)
  await file.write(() => [line(6)])
  expect(file.read().get('orders-0')).toBe(6)
})

test('CheckpointFile.write() shares the next write with all who come while one is under way', async () => {
  const works: (() => void)[] = []
  const disk = new SimulatedDisk({ schedule: (work) => works.push(work) })
  const file = fileOn(disk)
  const first = file.write(() => [line(1)])
  await settle()
  const later = [2, 3, 4, 5].map((offset) => file.write(() => [line(offset)]))
  let hasEnded = false
  const all = Promise.all([first, ...later]).then(() => {
    hasEnded = true
  })
  while (!hasEnded) {
    works.shift()?.()
    await settle()
  }
  await all
  expect(file.read().get('orders-0')).toBe(5)
  expect(disk.faults.counts.get('rename')).toBe(2)
})

test('CheckpointFile.write() that fails keeps the old content, and the next one writes', async () => {
  const disk = new SimulatedDisk()
  const file = fileOn(disk)
  await file.write(() => [line(5)])
  disk.fail({ on: 'write', path: NAME, code: 'ENOSPC' })
  await expect(file.write(() => [line(6)])).rejects.toThrow('ENOSPC')
  expect(fileOn(disk).read().get('orders-0')).toBe(5)
  await file.write(() => [line(6)])
  expect(fileOn(disk).read().get('orders-0')).toBe(6)
})

test('CheckpointFile.mayHold() knows the partitions of the file, and does not trust what it did not see', async () => {
  const file = fileOn(new SimulatedDisk())
  expect(file.mayHold(line(0))).toBe(true)
  await file.write(() => [line(5)])
  expect(file.mayHold(line(0))).toBe(true)
  expect(file.mayHold(line(0, 'other'))).toBe(false)
  await file.write(() => [])
  expect(file.mayHold(line(0))).toBe(false)
})

test('CheckpointFile holds the old lines or the new ones whenever the power goes, and the new ones once told', async () => {
  for (let stopAt = 1; stopAt < 30; stopAt++) {
    const disk = new SimulatedDisk({ seed: stopAt })
    await fileOn(disk).write(() => [line(5)])
    const file = fileOn(disk)
    disk.faults.stopAtChange(stopAt)
    const isWritten = await file
      .write(() => [line(6), line(7, 'other')])
      .then(
        () => true,
        () => false,
      )
    for (let seed = 0; seed < 20; seed++) {
      const bytes = disk.afterCrash(seed).readFile(`/data/${NAME}`)
      const found = parseOffsetCheckpoint(bytes, NAME)
      const why = `stop at change ${stopAt}, seed ${seed}`
      expect(['5', '6,7'], why).toContain([...found.values()].join())
      if (isWritten) expect(found.get('orders-0'), why).toBe(6)
    }
    if (isWritten) return
  }
  throw new Error('The write never ended')
})
