// What is known of a sealed segment once it was cut: nothing.
import { expect, test } from 'vitest'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { append, batchOf, openLog } from './log-fixture.ts'

const at = (timestamp: number) => batchOf(['v'.repeat(100)], { timestamp })
const config = { segmentBytes: 400, indexIntervalBytes: 0 }

test('A segment that was sealed, cut and sealed again has new indexes after a crash', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectoryNow('/')
  const { log } = await openLog(disk, { config })
  for (const timestamp of [1_000, 2_000, 3_000]) append(log, at(timestamp))
  await log.flush()
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2])
  log.truncateTo(1)
  append(log, at(9_000))
  await log.flush()
  const { recoveryPoint } = log
  // The next one begins a segment, and the crash comes before the indexes of the one before are on disk.
  append(log, at(9_500))
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, recoveryPoint])
  const after = await openLog(disk.afterKill(), { config, recoveryPoint })
  expect(after.log.offsetForTimestamp(9_000)).toEqual({ timestamp: 9_000, offset: 1 })
  expect(after.log.segments[0]?.largest).toEqual({ timestamp: 9_000, offset: 1 })
})
