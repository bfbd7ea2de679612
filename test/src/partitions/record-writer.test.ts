// Records that become batches: what the log refuses together goes in by parts.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Partition } from '#src/partitions/partition.ts'
import { writeRecords } from '#src/partitions/record-writer.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

/** Writes values of these sizes to an empty log; an outcome is an offset or the name of a refusal. */
async function written(config: Partial<LogConfig>, sizes: readonly number[]) {
  const { log } = await openLog(new SimulatedDisk(), { config })
  const records = sizes.map((size) => ({ timestamp: 1, value: new Uint8Array(randomBytes(size)) }))
  const { maxMessageBytes } = log.config
  const result = writeRecords(new Partition(log, 0), records, { maxMessageBytes, needsDisk: false })
  const outcomes = result.outcomes.map((each) => ('offset' in each ? each.offset : each.code))
  return { outcomes, lastOffset: result.lastOffset, end: log.logEndOffset }
}

test('writeRecords() fills segments that are smaller than the largest batch', async () => {
  const config = { segmentBytes: 10_000, maxMessageBytes: 1_000_000 }
  const { outcomes, lastOffset, end } = await written(config, Array(20).fill(3_000))
  expect(outcomes).toEqual(Array.from({ length: 20 }, (_, offset) => offset))
  expect({ lastOffset, end }).toEqual({ lastOffset: 19, end: 20 })
})

test('writeRecords() refuses the one record that fits no segment, and no other', async () => {
  const config = { segmentBytes: 10_000, maxMessageBytes: 1_000_000 }
  const { outcomes, lastOffset } = await written(config, [100, 200, 20_000, 300])
  expect(outcomes).toEqual([0, 1, 'RECORD_LIST_TOO_LARGE', 2])
  expect(lastOffset).toBe(2)
})

test("writeRecords() divides what the topic's codec makes too large", async () => {
  const config = { compressionType: 'gzip' as const, maxMessageBytes: 800_140 }
  expect((await written(config, [400_000, 400_000])).outcomes).toEqual([0, 1])
})
