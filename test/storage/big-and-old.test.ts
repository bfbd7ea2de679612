// A log of a terabyte, in sparse files: what a start reads of it, and what reading it holds.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock, systemRandom } from '#storage/base/world.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { Files } from '#storage/fs/files.ts'
import { MapCache } from '#storage/fs/map-cache.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import type { LogEnvironment } from '#storage/log/log-parts.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import { CLEAN_SHUTDOWN_FILE } from '#storage/state/clean-shutdown.ts'
import {
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
  serializeOffsetCheckpoint,
} from '#storage/state/offset-checkpoint.ts'
import { type BigLog, write, writeBigLog } from './big-log.ts'
import { countedFiles, sumOver } from './counted-files.ts'
import { append, batchOf } from './log/log-fixture.ts'
import { IDS, ORDERS } from './log-manager-fixture.ts'

const GIB = 1_073_741_824
const MAX_FILES = 40
const LIMITS = { maxMaps: 20, maxBytes: 12 * GIB }
const SEGMENTS = 1_036
/** Of the records: no test here wants them to be old. */
const NOW = systemClock.now()

/** What a small machine would allow. */
function environmentOf(files: Files): LogEnvironment {
  return {
    files,
    clock: systemClock,
    random: systemRandom,
    pool: new FilePool(files, MAX_FILES),
    maps: new MapCache(files, LIMITS),
    buffers: new ReadBufferPool(),
    indexCache: new IndexCache(65_536),
  }
}

async function start(root: string, environment: LogEnvironment) {
  const manager = openLogManager({ environment, logDirs: [root], nodeId: 1 })
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  const report = await manager.load({
    configOf: () => DEFAULT_LOG_CONFIG,
    expectedTopicId: ({ topic }) => IDS[topic],
  })
  return { manager, report }
}

let root = ''
let big: BigLog

// The data directory of a broker that was stopped cleanly, with one partition of a terabyte.
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-big-'))
  const files = createNodeFiles()
  const { manager } = await start(root, environmentOf(files))
  await manager.close(1)
  const topicId = IDS['orders'] ?? ''
  const timestamp = NOW - SEGMENTS
  big = writeBigLog(files, `${root}/orders-0`, { segments: SEGMENTS, topicId, timestamp })
  for (const name of [RECOVERY_POINT_CHECKPOINT, REPLICATION_CHECKPOINT]) {
    const path = `${root}/${name}`
    write(files, path, serializeOffsetCheckpoint([{ ...ORDERS, offset: big.logEndOffset }]))
  }
}, 60_000)

afterAll(() => rmSync(root, { recursive: true, force: true }))

function logOf(manager: LogManager): PartitionLog {
  const log = manager.log(ORDERS)
  if (!log) throw new Error('The log must be there')
  return log
}

/** The first record at `offset`, through a map or a buffer that is held until `release`. */
function leaseRecord(log: PartitionLog, offset: number) {
  const slice = log.read(offset, { maxBytes: 1, minOneBatch: true, isolation: 'read_uncommitted' })
  const lease = slice.lease()
  const [batch] = readBatches(lease.bytes)
  const [record] = batch ? readRecords(batch) : []
  const text = new TextDecoder().decode(record?.value ?? new Uint8Array(0))
  return { text, release: () => lease.release() }
}

/** What the system says that this process holds; undefined where it can't be asked. */
function held(root: string): { descriptors: number; maps: number } | undefined {
  if (process.platform !== 'linux') return undefined
  const maps = readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .filter((line) => line.includes(root))
  return { descriptors: readdirSync('/proc/self/fd').length, maps: maps.length }
}

test('LogManager starts on a log of a terabyte without reading it, and reads all of it with few files and maps', async () => {
  expect(big.sizeInBytes).toBeGreaterThan(2 ** 40)
  const before = held(root)
  const counted = countedFiles(createNodeFiles())
  const environment = environmentOf(counted.files)
  const { manager, report } = await start(root, environment)
  expect(report.recovered).toEqual([])
  const log = logOf(manager)
  expect(log).toMatchObject({ logStartOffset: 0, logEndOffset: big.logEndOffset })
  expect(log.sizeInBytes).toBe(big.sizeInBytes)
  const asked = counted.asked()
  const last = String(big.baseOffsets.at(-1))
  const sealed = Array.from(asked.opened.keys()).filter((path) => {
    return /orders-0\/\d+\.log$/.test(path) && !path.includes(last)
  })
  expect(sealed).toEqual([])
  expect(sumOver(asked.read, /orders-0/)).toBeLessThan(32_768)
  // A few looks at each segment's files, and at none of them twice over.
  expect(asked.calls).toBeLessThan(6 * SEGMENTS)

  const leases: { release(): void }[] = []
  for (const base of big.baseOffsets) {
    const record = leaseRecord(log, base)
    expect(record.text).toBe(String(base))
    // Some answers are still on their way when the next ones are read.
    leases.push(record)
    if (leases.length > 5) leases.shift()?.release()
    expect(environment.pool.stats.open).toBeLessThanOrEqual(MAX_FILES)
    expect(environment.maps.stats.maps).toBeLessThanOrEqual(LIMITS.maxMaps)
    expect(environment.maps.stats.bytes).toBeLessThanOrEqual(LIMITS.maxBytes)
    expect(environment.indexCache.sizeInBytes).toBeLessThanOrEqual(65_536)
  }
  const now = held(root)
  if (now && before) {
    expect(now.maps).toBeLessThanOrEqual(LIMITS.maxMaps + leases.length)
    expect(now.descriptors - before.descriptors).toBeLessThanOrEqual(MAX_FILES + 10)
  }
  for (const lease of leases) lease.release()
  const wanted = big.baseOffsets[700] ?? 0
  expect(log.offsetForTimestamp(NOW - SEGMENTS + 700)).toMatchObject({ offset: wanted })
  // The last byte of a GiB, by the index.
  expect(leaseRecord(log, wanted - 1).text).toHaveLength(127 * 1_048_576)
  // Nothing is due: a look at the first segment says so.
  counted.asked()
  await manager.retain()
  expect(counted.asked().calls).toBeLessThan(20)
  await manager.close(2)
})

test('LogManager reads the last segment alone of a terabyte after a kill', async () => {
  const files = createNodeFiles()
  const first = await start(root, environmentOf(files))
  append(logOf(first.manager), batchOf(['after'], { timestamp: NOW }))
  await first.manager.closeNow()
  expect(files.status(`${root}/${CLEAN_SHUTDOWN_FILE}`)).toBeUndefined()

  const counted = countedFiles(files)
  const second = await start(root, environmentOf(counted.files))
  const log = logOf(second.manager)
  expect(log.logEndOffset).toBe(big.logEndOffset + 1)
  const [{ recovery } = { recovery: undefined }] = second.report.recovered
  const last = log.segments.at(-1)
  expect(recovery).toMatchObject({ scannedBytes: last?.size, cuts: [], damages: [] })
  const asked = counted.asked()
  const sealed = Array.from(asked.opened.keys()).filter((path) => {
    return /orders-0\/\d+\.log$/.test(path) && path !== last?.path
  })
  expect(sealed).toEqual([])
  // Only what may not be on disk is written again.
  expect(sumOver(asked.written, /orders-0\/\d+\.log$/)).toBeLessThan(1_000)
  await second.manager.close(3)
})
