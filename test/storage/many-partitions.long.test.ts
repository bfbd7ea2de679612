// Ten thousand partitions, all of them read: how few files, maps and bytes of memory that takes.
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import type { LogEnvironment } from '#storage/log/log-parts.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import {
  RECOVERY_POINT_CHECKPOINT,
  serializeOffsetCheckpoint,
} from '#storage/state/offset-checkpoint.ts'
import { SUMS_FILE } from '#storage/state/sums.ts'
import { write } from './big-log.ts'
import { append, batchOf } from './log/log-fixture.ts'
import { IDS, ORDERS } from './log-manager-fixture.ts'

const PARTITIONS = 10_000
const RECORDS = 4
const MAX_FILES = 100
const MAX_MAPS = 50
const INDEX_BYTES = 65_536
/** What a log takes that was opened and read, by and large; 20 GiB of maps would be another order. */
const BYTES_PER_LOG = 40_000
/** Two batches a segment. */
const CONFIG = { ...DEFAULT_LOG_CONFIG, segmentBytes: 150 }

const root = mkdtempSync(join(tmpdir(), 'millrace-many-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function environmentOf(): LogEnvironment {
  const files = createNodeFiles()
  return {
    files,
    clock: systemClock,
    random: systemRandom,
    pool: new FilePool(files, MAX_FILES),
    maps: new MapCache(files, { maxMaps: MAX_MAPS, maxBytes: 2 ** 30 }),
    buffers: new ReadBufferPool(),
    indexCache: new IndexCache(INDEX_BYTES),
  }
}

async function start(environment: LogEnvironment): Promise<LogManager> {
  const manager = openLogManager({ environment, logDirs: [root], nodeId: 1 })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const expectedTopicId = ({ topic }: { topic: string }) => IDS[topic]
  const report = await manager.load({ configOf: () => CONFIG, expectedTopicId })
  expect([report.recovered, report.unreadable]).toEqual([[], []])
  return manager
}

/** One log, and others that are made of the same files. */
async function makeAll(): Promise<void> {
  const environment = environmentOf()
  const manager = await start(environment)
  const topicId = IDS['orders'] ?? ''
  const log = await manager.create({ topicPartition: ORDERS, topicId, config: CONFIG })
  for (let number = 0; number < RECORDS; number++) {
    append(log, batchOf([`v${number}`], { timestamp: systemClock.now() }))
  }
  await manager.close(1)
  const from = `${root}/orders-0`
  const names = readdirSync(from)
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  for (const partition of partitions.slice(1)) {
    mkdirSync(`${root}/orders-${partition}`)
    for (const name of names) linkSync(`${from}/${name}`, `${root}/orders-${partition}/${name}`)
  }
  const points = partitions.map((partition) => ({ topic: 'orders', partition, offset: RECORDS }))
  const path = `${root}/${RECOVERY_POINT_CHECKPOINT}`
  write(environment.files, path, serializeOffsetCheckpoint(points))
  rmSync(`${root}/${SUMS_FILE}`)
}

/** Every record, through maps and buffers as a fetch gets at them. */
function readAll(log: PartitionLog): string[] {
  const found: string[] = []
  for (let offset = 0; offset < log.logEndOffset; ) {
    const slice = log.read(offset, { maxBytes: 1_000, isolation: 'read_uncommitted' })
    const lease = slice.lease()
    for (const batch of readBatches(lease.bytes)) {
      for (const { value } of readRecords(batch)) {
        found.push(new TextDecoder().decode(value ?? new Uint8Array(0)))
      }
      offset = batch.lastOffset + 1
    }
    lease.release()
  }
  return found
}

/** What the system says that this process holds; undefined where it can't be asked. */
function held(): { descriptors: number; maps: number } | undefined {
  if (process.platform !== 'linux') return undefined
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n')
  const maps = lines.filter((line) => line.includes(root)).length
  return { descriptors: readdirSync('/proc/self/fd').length, maps }
}

test('LogManager reads all of ten thousand partitions with few files, few maps and little memory', async () => {
  await makeAll()
  const before = { ...held(), rss: process.memoryUsage().rss }
  const environment = environmentOf()
  const manager = await start(environment)
  const values = Array.from({ length: RECORDS }, (_, number) => `v${number}`)
  let count = 0
  for (const log of manager.logs()) {
    expect(readAll(log)).toEqual(values)
    expect(environment.pool.stats.open).toBeLessThanOrEqual(MAX_FILES)
    expect(environment.maps.stats.maps).toBeLessThanOrEqual(MAX_MAPS)
    expect(environment.indexCache.sizeInBytes).toBeLessThanOrEqual(INDEX_BYTES)
    count++
  }
  expect(count).toBe(PARTITIONS)
  const now = held()
  if (now && before.descriptors !== undefined) {
    expect(now.maps).toBeLessThanOrEqual(MAX_MAPS)
    expect(now.descriptors - before.descriptors).toBeLessThanOrEqual(MAX_FILES + 10)
  }
  const grown = process.memoryUsage().rss - before.rss
  expect(grown / PARTITIONS).toBeLessThan(BYTES_PER_LOG)
  await manager.closeNow()
}, 600_000)
