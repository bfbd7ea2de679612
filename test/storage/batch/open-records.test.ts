// Opening batches without holding the loop: which are opened at once, and that both ways give the same.
import { expect, test } from 'vitest'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { openRecords } from '#storage/batch/open-records.ts'
import { RecordCursor, recordsOf } from '#storage/batch/record.ts'
import { type Compression, RecordBatch } from '#storage/batch/record-batch.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'

const LIMIT = 100_000_000
const NOISE = { isNoise: true }

/** A batch with one record of so many bytes, which compress well or not at all. */
function batchOf(compression: Compression, size: number, { isNoise = false } = {}): RecordBatch {
  const value = isNoise ? new SeededRandom(1).bytes(size) : new Uint8Array(size)
  return new RecordBatch(buildBatch([{ value, timestamp: 1 }], { compression }))
}

test.each([
  { why: 'is not compressed', batch: batchOf('none', 3_000_000), isAtOnce: true },
  { why: 'is small', batch: batchOf('lz4', 1_000), isAtOnce: true },
  { why: 'is small and unpacks to 1 MB', batch: batchOf('zstd', 1_000_000), isAtOnce: true },
  { why: 'is small and unpacks to 2 MB', batch: batchOf('zstd', 2_000_000), isAtOnce: false },
  { why: 'has 300 KB that stay as they are', batch: batchOf('lz4', 3e5, NOISE), isAtOnce: true },
  { why: 'has 2 MB that stay as they are', batch: batchOf('lz4', 2e6, NOISE), isAtOnce: false },
  {
    why: 'is large for gzip',
    batch: batchOf('gzip', 80_000, { isNoise: true }),
    isAtOnce: false,
  },
])('openRecords() opens a batch that $why, at once: $isAtOnce', async ({ batch, isAtOnce }) => {
  const opened = openRecords(batch, LIMIT)
  expect(opened instanceof RecordCursor).toBe(isAtOnce)
  const [record] = Array.from(recordsOf(batch, await opened))
  const [expected] = Array.from(recordsOf(batch, new RecordCursor(batch, LIMIT)))
  expect(record?.value?.length).toBe(expected?.value?.length)
  expect(Buffer.compare(record?.value ?? Buffer.alloc(0), expected?.value ?? Buffer.alloc(0))).toBe(
    0,
  )
})

test.each([
  { why: 'unpacks to more than is allowed', batch: batchOf('zstd', 2_000_000), limit: 1_999_999 },
  { why: 'unpacks to more than little', batch: batchOf('lz4', 1_000), limit: 999 },
  { why: 'is no stream', batch: damaged(batchOf('gzip', 1_000)), limit: LIMIT },
  {
    why: 'is no large stream',
    batch: damaged(batchOf('gzip', 90_000, { isNoise: true })),
    limit: LIMIT,
  },
])('openRecords() refuses a batch that $why', async ({ batch, limit }) => {
  await expect((async () => await openRecords(batch, limit))()).rejects.toMatchObject({
    code: 'CORRUPT_MESSAGE',
  })
})

function damaged({ bytes }: RecordBatch): RecordBatch {
  const copy = bytes.slice()
  copy.fill(0xff, 61, 90)
  return new RecordBatch(copy)
}
