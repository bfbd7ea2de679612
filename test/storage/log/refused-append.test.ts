// What a refused append leaves: nothing that any start takes for appended.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { append, batchOf, openLog, readAll } from './log-fixture.ts'

/** Many: of a cut that was not synced a power loss seldom leaves the old bytes in their old size. */
const SEEDS = Array.from({ length: 400 }, (_, seed) => seed)

/** A log with one record, and two more batches that a full disk refuses after `writtenBytes` of them. */
async function refused(writtenBytes: number, also?: 'truncate') {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await openLog(disk)
  append(log, batchOf(['a']), true)
  await log.flush()
  const [b, c] = [batchOf(['b']), batchOf(['c'])]
  const both = new Uint8Array(b.length + c.length)
  both.set(b)
  both.set(c, b.length)
  disk.fail({ on: 'write', path: '.log', code: 'ENOSPC', writtenBytes })
  if (also) disk.fail({ on: also, path: '.log', code: 'ENOSPC' })
  expect(() => append(log, both)).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  disk.faults.heal()
  return { disk, log, batchBytes: b.length }
}

test.each([
  { why: 'a part of a batch', batches: 0.5 },
  { why: 'a whole batch', batches: 1 },
  { why: 'one and a half', batches: 1.5 },
  { why: 'all of it', batches: 2 },
])('An append that was refused with $why written is in no log that a crash leaves', async (row) => {
  const { batchBytes } = await refused(0)
  const { disk } = await refused(batchBytes * row.batches)
  for (const left of [disk.afterKill(), ...SEEDS.map((seed) => disk.afterCrash(seed))]) {
    const { log } = await openLog(left)
    expect(readAll(log)).toEqual(['0:a'])
  }
})

test('What a refused append wrote and could not take back is gone before the next append', async () => {
  const { batchBytes } = await refused(0)
  const { disk, log } = await refused(batchBytes * 2, 'truncate')
  // As long as the first of those that were refused: the other one would follow it.
  append(log, batchOf(['d']), true)
  await log.flush()
  for (const left of [disk.afterKill(), ...SEEDS.map((seed) => disk.afterCrash(seed))]) {
    expect(readAll((await openLog(left)).log)).toEqual(['0:a', '1:d'])
  }
})
