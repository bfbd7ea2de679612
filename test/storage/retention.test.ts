// What retention and DeleteRecords take from logs, when their files go, and what a restart makes of both.
import { expect, test } from 'vitest'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import type { LogManager } from '#storage/log-manager.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { append, batchOf, environmentOn, readAll } from './log/log-fixture.ts'
import { IDS, namesIn, ORDERS, open } from './log-manager-fixture.ts'

const DAY_MS = 86_400_000
const CHECK_MS = 300_000
/** One batch a segment. */
const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 100, retentionMs: 7 * DAY_MS }

/** Starts with orders-0 made if need be, upkeep running. */
async function started(disk: SimulatedDisk, config: Partial<LogConfig> = {}) {
  const clock = new VirtualClock()
  const environment = environmentOn(disk, clock)
  const manager = open(disk, { clock, environment })
  const whole = { ...CONFIG, ...config }
  await manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  await manager.load({ configOf: () => whole, expectedTopicId: ({ topic }) => IDS[topic] })
  const topicId = IDS['orders'] ?? ''
  const log =
    manager.log(ORDERS) ??
    (await manager.create({ topicPartition: ORDERS, topicId, config: whole }))
  manager.start()
  return { manager, clock, log, environment }
}

/** A batch on disk for each timestamp. */
async function appendAt(log: PartitionLog, timestamps: readonly number[]): Promise<void> {
  for (const timestamp of timestamps) {
    append(log, batchOf([`v${log.logEndOffset}`], { timestamp }), true)
    await log.whenCommitted(log.logEndOffset - 1)
  }
}

const filesOf = (disk: SimulatedDisk) => namesIn(disk, '/data/orders-0')
const deletedFiles = (disk: SimulatedDisk) =>
  filesOf(disk).filter((name) => name.endsWith('.deleted'))

test.each([
  { why: 'delete', cleanupPolicy: { delete: true, compact: false }, start: 3 },
  { why: 'compact,delete', cleanupPolicy: { delete: true, compact: true }, start: 3 },
  { why: 'compact', cleanupPolicy: { delete: false, compact: true }, start: 0 },
])('Retention by time follows cleanup.policy=$why', async ({ cleanupPolicy, start }) => {
  const config = { cleanupPolicy, minCleanableDirtyRatio: 1, minCompactionLagMs: 30 * DAY_MS }
  const { manager, clock, log } = await started(new SimulatedDisk(), config)
  const now = clock.now()
  await appendAt(log, [now - 8 * DAY_MS, now - 8 * DAY_MS, now - 8 * DAY_MS, now, now])
  await clock.run(CHECK_MS)
  expect(log.logStartOffset).toBe(start)
  expect(readAll(log)).toEqual([0, 1, 2, 3, 4].slice(start).map((at) => `${at}:v${at}`))
  await manager.close(1)
})

test.each([
  { why: 'a year ahead', later: (now: number) => now + 365 * DAY_MS },
  { why: 'in nanoseconds', later: (now: number) => BigInt(now) * 1_000_000n },
])('A timestamp $why keeps its segment and those behind it, as in Kafka', async ({ later }) => {
  const config = { messageTimestampAfterMaxMs: Infinity }
  const { manager, clock, log } = await started(new SimulatedDisk(), config)
  const now = clock.now()
  const old = now - 8 * DAY_MS
  append(log, batchOf(['v0'], { timestamp: old }))
  append(log, buildBatch([{ value: new TextEncoder().encode('v1'), timestamp: later(now) }]))
  await appendAt(log, [old, old])
  await clock.run(CHECK_MS)
  expect(log.logStartOffset).toBe(1)
  expect(readAll(log)).toEqual(['1:v1', '2:v2', '3:v3'])
  // By size they go all the same, and what is behind them by age.
  log.updateConfig({ ...CONFIG, ...config, retentionBytes: 1 })
  await clock.run(CHECK_MS)
  expect(log.logStartOffset).toBe(4)
  await manager.close(1)
})

test('Retention takes the active segment too when all is old, and the log goes on at its end', async () => {
  const disk = new SimulatedDisk()
  const { manager, clock, log } = await started(disk)
  await appendAt(log, [1, 2, 3])
  await clock.run(CHECK_MS + CONFIG.fileDeleteDelayMs)
  expect([log.logStartOffset, log.logEndOffset, log.sizeInBytes]).toEqual([3, 3, 0])
  expect(filesOf(disk).filter((name) => name.endsWith('.log'))).toEqual([
    '00000000000000000003.log',
  ])
  await manager.close(1)
  for (const next of [disk, disk.afterKill(), disk.afterCrash(7)]) {
    const again = await started(next)
    expect([again.log.logStartOffset, again.log.logEndOffset]).toEqual([3, 3])
    expect(append(again.log, batchOf(['next'])).baseOffset).toBe(3)
    await again.manager.closeNow()
  }
})

test('Files of deleted segments stay for file.delete.delay.ms, and a reader finishes even after that', async () => {
  const disk = new SimulatedDisk()
  const { manager, clock, log, environment } = await started(disk)
  await appendAt(log, [1, 2, clock.now()])
  const slice = log.read(0, { maxBytes: 1_000, isolation: 'read_uncommitted' })
  const late = log.read(1, { maxBytes: 1_000, isolation: 'read_uncommitted' })
  expect(slice.isSealed).toBe(true)
  const lease = slice.lease()
  const before = lease.bytes.slice()
  expect(environment.maps.stats.leases).toBe(1)
  await clock.run(CHECK_MS)
  expect(log.logStartOffset).toBe(2)
  expect(deletedFiles(disk)).toContain('00000000000000000000.log.deleted')
  // Who had found the segment before may read it still.
  expect(late.bytes()).toHaveLength(before.length)
  await clock.run(CONFIG.fileDeleteDelayMs - 1)
  expect(deletedFiles(disk)).not.toEqual([])
  await clock.run(1)
  expect(deletedFiles(disk)).toEqual([])
  expect(Buffer.compare(lease.bytes, before)).toBe(0)
  lease.release()
  expect(environment.maps.stats).toMatchObject({ leases: 0, maps: 0, bytes: 0 })
  expect(() => log.read(0, { maxBytes: 1, isolation: 'read_uncommitted' })).toThrow('Offset 0')
  await manager.close(1)
})

test.each([
  { why: 'a clean stop', end: (manager: LogManager) => manager.close(1) },
  { why: 'a kill', end: (manager: LogManager) => manager.closeNow() },
])('A start removes the .deleted files that $why has left', async ({ end }) => {
  const disk = new SimulatedDisk()
  const { manager, clock, log } = await started(disk)
  await appendAt(log, [1, 2, clock.now()])
  await clock.run(CHECK_MS)
  expect(deletedFiles(disk)).not.toEqual([])
  await end(manager)
  const next = disk.afterKill()
  expect(deletedFiles(next)).not.toEqual([])
  const again = await started(next)
  expect(deletedFiles(next)).toEqual([])
  expect([again.log.logStartOffset, readAll(again.log)]).toEqual([2, ['2:v2']])
  await again.manager.close(2)
})

/** Kafka's `log.flush.start.offset.checkpoint.interval.ms`. */
const CHECKPOINT_MS = 60_000

test.each([
  { why: 'a clean stop', waitMs: 0, end: (manager: LogManager) => manager.close(1), start: 2 },
  {
    why: 'a kill after the checkpoint',
    waitMs: CHECKPOINT_MS,
    end: (manager: LogManager) => manager.closeNow(),
    start: 2,
  },
  {
    why: 'a kill before the checkpoint, which nobody was told to wait for,',
    waitMs: 0,
    end: (manager: LogManager) => manager.closeNow(),
    start: 0,
  },
])('The log start after DeleteRecords and $why is $start', async ({ waitMs, end, start }) => {
  const disk = new SimulatedDisk()
  // All in one segment: the log start lies within it.
  const { manager, clock, log } = await started(disk, { segmentBytes: 100_000 })
  const now = clock.now()
  await appendAt(log, [now, now, now])
  log.deleteRecordsBefore(2)
  expect(readAll(log)).toEqual(['2:v2'])
  await clock.run(waitMs)
  await end(manager)
  const again = await started(disk.afterCrash(3), { segmentBytes: 100_000 })
  expect(again.log).toMatchObject({ logStartOffset: start, logEndOffset: 3 })
  expect(readAll(again.log)).toHaveLength(3 - start)
  await again.manager.close(2)
})

test('Segments below the log start go by the next check, of a log that is only compacted too', async () => {
  const disk = new SimulatedDisk()
  const cleanupPolicy = { delete: false, compact: true }
  const { manager, clock, log } = await started(disk, { cleanupPolicy, minCompactionLagMs: DAY_MS })
  const now = clock.now()
  await appendAt(log, [now, now, now, now])
  log.deleteRecordsBefore(2)
  await clock.run(CHECK_MS)
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([2, 3])
  expect(log.logStartOffset).toBe(2)
  await manager.close(1)
})
