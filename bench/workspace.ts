// What the benches share: a scratch folder, a log on real files, and batches of records of one size.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import { openPartitionLog } from '#storage/log/open-log.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'

/** Runs `work` with a folder of its own, below BENCH_DIR or the system's temporary folder, and removes it. */
export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'millrace-bench-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A log in `folder` with Kafka's default settings but segments of `segmentBytes`. */
export async function openBenchLog(folder: string, segmentBytes: number): Promise<PartitionLog> {
  const files = createNodeFiles()
  const { log } = await openPartitionLog({
    environment: {
      files,
      clock: systemClock,
      random: systemRandom,
      pool: new FilePool(files, 100),
      maps: new MapCache(files, { maxMaps: 100, maxBytes: 1 << 30 }),
      buffers: new ReadBufferPool(),
      indexCache: new IndexCache(),
    },
    observer: {
      onFault: (fault) => {
        throw fault
      },
    },
    directory: join(folder, 'bench-0'),
    topicPartition: { topic: 'bench', partition: 0 },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
    config: { ...DEFAULT_LOG_CONFIG, segmentBytes },
    hadCleanShutdown: true,
    recoveryPoint: 0,
    logStartOffset: 0,
    highWatermark: 0,
  })
  return log
}

/** One uncompressed batch of about `batchBytes`, of records with values of `recordBytes`. */
export function benchBatch(recordBytes: number, batchBytes: number): Uint8Array<ArrayBuffer> {
  const count = Math.max(1, Math.floor(batchBytes / (recordBytes + 12)))
  const value = systemRandom.bytes(recordBytes)
  const timestamp = systemClock.now()
  return buildBatch(Array.from({ length: count }, () => ({ value, timestamp })))
}
