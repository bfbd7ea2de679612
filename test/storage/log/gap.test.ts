// A gap that unsynced segments left, and what recoveries make of it.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { append, batchOf, DIRECTORY, openLog, readAll } from './log-fixture.ts'

const config = { segmentBytes: 100 }
const compacted = { ...config, cleanupPolicy: { delete: false, compact: true } }

/** Three segments, of which the one in the middle has lost its bytes with the power. */
async function diskWithGap(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  const { log } = await openLog(disk, { config: compacted })
  for (const value of ['a', 'b', 'c']) append(log, batchOf([value]))
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2])
  const left = disk.afterKill()
  const file = left.open(`${DIRECTORY}/00000000000000000001.log`, 'write')
  file.truncate(0)
  file.close()
  return left
}

test('A recovery of a compacted log lets a gap pass, and the next one does, whatever the policy is then', async () => {
  const disk = await diskWithGap()
  const { log } = await openLog(disk, { config: compacted, recoveryPoint: 1 })
  append(log, batchOf(['acknowledged']))
  await log.flush()
  const { recoveryPoint } = log
  const next = await openLog(disk.afterKill(), { config, recoveryPoint })
  expect(next.recovery).toMatchObject({ cuts: [], damages: [] })
  expect(readAll(next.log)).toEqual(['0:a', '2:c', '3:acknowledged'])
})

test('A recovery of a log that was never compacted takes a gap for a lost end', async () => {
  const { log, recovery } = await openLog(await diskWithGap(), { config, recoveryPoint: 1 })
  expect(recovery.cuts).toMatchObject([{ offset: 2, offsetsAtRisk: { from: 2, to: 3 } }])
  expect(readAll(log)).toEqual(['0:a'])
})
