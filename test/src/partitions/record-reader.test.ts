// Reading records: batches of all sizes and codecs, those that are unpacked off the loop among them.
import { expect, test } from 'vitest'
import { Partition } from '#src/partitions/partition.ts'
import { readPartition } from '#src/partitions/record-reader.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import type { Compression } from '#storage/batch/record-batch.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

const READ = {
  offset: 0,
  maxBytes: 10_000_000,
  maxRecords: 100,
  isolation: 'read_uncommitted',
  maxDecompressedBytes: 10_000_000,
} as const

/** Three records a batch: 3 KB, or 210 KB of noise, with 1.5 MB of zeros where there is a codec. */
async function filled(batches: readonly { compression: Compression; isLarge: boolean }[]) {
  const { log } = await openLog(new SimulatedDisk())
  const partition = new Partition(log, 0)
  const random = new SeededRandom(1)
  const written = batches.flatMap(({ compression, isLarge }) => {
    const values = Array.from({ length: 3 }, () => {
      const value = new Uint8Array(!isLarge ? 1_000 : compression === 'none' ? 70_000 : 570_000)
      value.set(random.bytes(isLarge ? 70_000 : 1_000))
      return value
    })
    const records = values.map((value) => ({ value, timestamp: 1_000 }))
    partition.append(buildBatch(records, { compression }), { needsDisk: false })
    return values
  })
  return { partition, written }
}

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

test('readPartition() gives the records of small and large batches in order, from any offset', async () => {
  const batches = CODECS.flatMap((compression) => [
    { compression, isLarge: true },
    { compression, isLarge: false },
  ])
  const { partition, written } = await filled(batches)
  for (const offset of [0, 1, 4, 8, 29]) {
    const { records, nextOffset } = await readPartition(partition, { ...READ, offset })
    expect(nextOffset).toBe(30)
    expect(records.map((record) => record.offset)).toEqual(
      Array.from({ length: 30 - offset }, (_, index) => offset + index),
    )
    for (const { offset: at, value } of records) {
      expect(Buffer.compare(value ?? new Uint8Array(0), written[at] ?? new Uint8Array(0))).toBe(0)
    }
  }
})

test('readPartition() stops within a large batch, and goes on there', async () => {
  const { partition } = await filled([{ compression: 'lz4', isLarge: true }])
  const first = await readPartition(partition, { ...READ, maxRecords: 2 })
  expect(first.records.map(({ offset }) => offset)).toEqual([0, 1])
  expect(first.nextOffset).toBe(2)
  const second = await readPartition(partition, { ...READ, offset: first.nextOffset })
  expect(second.records.map(({ offset }) => offset)).toEqual([2])
})

test('readPartition() refuses a large batch that unpacks to more than is allowed', async () => {
  const { partition } = await filled([{ compression: 'zstd', isLarge: true }])
  const read = readPartition(partition, { ...READ, maxDecompressedBytes: 200_000 })
  await expect(read).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
})
