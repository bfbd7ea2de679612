// What loading many logs costs, how many go on at a time, and what is told meanwhile.
import { expect, test } from 'vitest'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { LoadingProgress } from '#storage/loading-progress.ts'
import { DEFAULT_LOG_CONFIG } from '#storage/log/log-config.ts'
import type { LogManager } from '#storage/log-manager.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../simulation/virtual-clock.ts'
import { countedFiles, sumOver } from './counted-files.ts'
import { append, batchOf, environmentOn, readAll } from './log/log-fixture.ts'
import { create, open, type Settings, start } from './log-manager-fixture.ts'

/** How long each sync of a slow disk takes. */
const SYNC_MS = 1_000
/** How many logs a recovery thread has in hand, since each of Kafka's would wait for the disk alone. */
const LOGS_PER_THREAD = 8

async function createAll(manager: LogManager, count: number): Promise<void> {
  for (let partition = 0; partition < count; partition++) {
    await create(manager, { topic: 'orders', partition })
  }
}

/** A disk whose syncs become slow when a test says so. */
interface KilledDisk {
  readonly disk: SimulatedDisk
  readonly speed: { schedule(work: () => void): void }
}

/** A directory with `count` logs, or several, each log with a record that may not be on disk. */
async function killedDisk(count: number, logDirs = ['/data']): Promise<KilledDisk> {
  const speed = { schedule: (work: () => void) => work() }
  const disk = new SimulatedDisk({ schedule: (work) => speed.schedule(work) })
  const { manager } = await start(disk, { logDirs })
  await createAll(manager, count)
  for (const log of manager.logs()) append(log, batchOf(['one']))
  // Their leader epochs are written in the background.
  for (let turn = 0; turn < 20; turn++) await settle()
  return { disk: disk.afterKill(), speed }
}

/** Starts on a slow disk, moving its clock. `peak` is how many syncs were under way at most. */
async function slowStart({ disk, speed }: KilledDisk, settings: Settings) {
  const clock = new VirtualClock()
  let underWay = 0
  let peak = 0
  speed.schedule = (work) => {
    peak = Math.max(peak, ++underWay)
    clock.after(SYNC_MS, () => {
      underWay--
      work()
    })
  }
  const starting = start(disk, { clock, ...settings })
  let isDone = false
  const done = starting.finally(() => {
    isDone = true
  })
  while (!isDone) {
    // Slices of work take turns of the loop, none of the clock.
    for (let turn = 0; turn < 4; turn++) await settle()
    clock.step()
  }
  return { ...(await done), clock, peak }
}

test.each([1, 2, 4])(
  'LogManager.load() recovers logs side by side: %d threads',
  async (threads) => {
    const left = await killedDisk(40)
    const { report, peak } = await slowStart(left, { recoveryThreads: threads })
    expect(report.recovered).toHaveLength(40)
    expect(peak).toBe(Math.min(40, threads * LOGS_PER_THREAD))
  },
)

test('LogManager.load() recovers directories side by side: each has a disk of its own', async () => {
  const one = await slowStart(await killedDisk(10), { recoveryThreads: 1 })
  const logDirs = ['/a', '/b', '/c']
  const three = await slowStart(await killedDisk(30, logDirs), { recoveryThreads: 1, logDirs })
  expect(three.report.directories.map(({ logCount }) => logCount)).toEqual([11, 10, 10])
  expect(three.peak).toBe(3 * LOGS_PER_THREAD)
  expect(three.report.durationMs).toBeLessThan(1.5 * one.report.durationMs)
})

test('LogManager.load() tells every few seconds how far it is, and then no more', async () => {
  const left = await killedDisk(80)
  const told: LoadingProgress[] = []
  const onProgress = (progress: LoadingProgress) => told.push(progress)
  const { report, clock } = await slowStart(left, { recoveryThreads: 1, onProgress })
  const scannedBytes = report.recovered.reduce((sum, log) => sum + log.recovery.scannedBytes, 0)
  expect(told.length).toBeGreaterThan(2)
  expect(told.map(({ elapsedMs }) => elapsedMs)).toEqual(told.map((_, at) => 5_000 * (at + 1)))
  for (const progress of told) expect(progress).toMatchObject({ logs: 80 })
  const done = told.map(({ loadedLogs }) => loadedLogs)
  expect(done).toEqual(done.toSorted((a, b) => a - b))
  expect(done.at(-1)).toBeGreaterThan(40)
  expect(told[0]?.scannedBytes).toBeGreaterThan(0)
  expect(told.at(-1)?.scannedBytes).toBeLessThanOrEqual(scannedBytes)
  const before = told.length
  clock.advance(60_000)
  expect(told).toHaveLength(before)
})

test('LogManager.openMetadataLog() tells how far its recovery is', async () => {
  const { disk, speed } = await killedDisk(1)
  const before = open(disk)
  const { log } = await before.openMetadataLog(DEFAULT_LOG_CONFIG)
  append(log, batchOf(['decided']))
  await before.closeNow()
  const clock = new VirtualClock()
  const told: LoadingProgress[] = []
  const manager = open(disk, { clock, onProgress: (progress) => told.push(progress) })
  speed.schedule = (work) => void clock.after(6_000, work)
  const opening = manager.openMetadataLog(DEFAULT_LOG_CONFIG)
  await clock.run(60_000)
  const { recovery } = await opening
  expect(recovery.scannedBytes).toBeGreaterThan(0)
  const { scannedBytes } = recovery
  expect(told[0]).toEqual({ logs: 1, loadedLogs: 0, scannedBytes, elapsedMs: 5_000 })
  const count = told.length
  clock.advance(60_000)
  expect(told).toHaveLength(count)
})

test('LogManager opens a thousand logs with few descriptors, and a clean start reads little of each', async () => {
  const count = 1_000
  const maxFiles = 40
  let disk = new SimulatedDisk({ maxOpenFiles: 2 * maxFiles + 40 })
  const counted = () => {
    const { files, asked } = countedFiles(disk)
    const environment = { ...environmentOn(files), pool: new FilePool(files, maxFiles) }
    return { environment, asked }
  }
  const first = await start(disk, counted())
  await createAll(first.manager, count)
  for (const log of first.manager.logs()) {
    append(log, batchOf([String(log.topicPartition.partition)]))
    // And one for each of the small files that are replaced at the same time.
    expect(disk.openFiles).toBeLessThanOrEqual(2 * maxFiles + 35)
  }
  await first.manager.close(1)

  const { environment, asked } = counted()
  const second = await start(disk, { environment })
  expect(second.report).toMatchObject({ logCount: count, recovered: [], unreadable: [] })
  const { calls, opened, read } = asked()
  expect(calls).toBeLessThan(25 * count)
  // The headers behind the last index entry of the last segment: here that is the only batch.
  expect(sumOver(opened, /\.log$/)).toBeLessThanOrEqual(2 * count)
  expect(sumOver(read, /\.log$/)).toBeLessThanOrEqual(200 * count)
  for (const log of second.manager.logs()) {
    expect(readAll(log)).toEqual([`0:${log.topicPartition.partition}`])
    expect(disk.openFiles).toBeLessThanOrEqual(maxFiles + 2)
  }
  disk = disk.afterKill()
  // Nobody wrote to any of them: nothing is scanned, not even after the kill.
  const third = await start(disk, counted())
  expect(third.report).toMatchObject({ logCount: count, recovered: [], unreadable: [] })
})
