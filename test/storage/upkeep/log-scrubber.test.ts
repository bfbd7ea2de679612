// The scrub: what it finds, what is served afterwards, and what it remembers.
import { expect, test } from 'vitest'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { LogScrubber } from '#storage/upkeep/log-scrubber.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { append, batchOf, environmentOn, openLog, readAll } from '../log/log-fixture.ts'

const SEGMENT = '/data/orders-0/00000000000000000000.log'
const TIMES = '/data/orders-0/00000000000000000000.timeindex'
const INDEX = '/data/orders-0/00000000000000000000.index'
const CONFIG = { segmentBytes: 1_000, indexIntervalBytes: 150 }

/** A log of sealed segments of ten batches, offset `n` holding `value n`, and a scrubber over it. */
async function scrubbed(
  disk = new SimulatedDisk(),
  settings: { batches?: number; rate?: number; hadCleanShutdown?: boolean } = {},
) {
  const { batches = 0, rate = Infinity, hadCleanShutdown = false } = settings
  if (!disk.status('/data')) disk.makeDirectory('/data')
  const clock = new VirtualClock()
  const environment = environmentOn(disk, clock)
  const faults: Error[] = []
  const { log } = await openLog(disk, {
    environment,
    config: CONFIG,
    hadCleanShutdown,
    recoveryPoint: hadCleanShutdown ? 60 : 0,
    onFault: (fault) => faults.push(fault),
  })
  for (let number = 0; number < batches; number++) {
    append(log, batchOf([`value ${number}`], { timestamp: 1_000 + number }))
  }
  await log.flush()
  const problems: unknown[] = []
  const logs: PartitionLog[] = [log]
  const scrubber = new LogScrubber({
    environment,
    logs: () => logs,
    bytesPerSecond: () => rate,
    onProblem: (error) => problems.push(error),
  })
  return { disk, clock, log, scrubber, problems, faults, environment, logs }
}

const valuesBut = (missing: readonly number[], count = 60) =>
  Array.from({ length: count }, (_, number) => number)
    .filter((number) => !missing.includes(number))
    .map((number) => `${number}:value ${number}`)

/** All that is served, damaged offsets left out; they must be refused. */
function served(log: PartitionLog, damaged: readonly number[]): string[] {
  const found: string[] = []
  for (let offset = 0; offset < log.logEndOffset; offset++) {
    const request = { maxBytes: 1, isolation: 'read_uncommitted', minOneBatch: true } as const
    if (damaged.includes(offset)) {
      expect(() => log.read(offset, request), `offset ${offset}`).toThrow('damaged range')
      continue
    }
    const slice = log.read(offset, request)
    const [first = ''] = readAllFrom(log, offset, slice.size)
    found.push(first)
  }
  return found
}

/** The record at `offset` alone, as a read of its batch gives it. */
function readAllFrom(log: PartitionLog, offset: number, size: number): string[] {
  const bytes = log.read(offset, {
    maxBytes: size,
    isolation: 'read_uncommitted',
    minOneBatch: true,
  })
  const text = new TextDecoder().decode(bytes.bytes())
  return [`${offset}:${/value \d+/.exec(text)?.[0]}`]
}

test('LogScrubber finds nothing in a sound log, and a start does not read again what it noted', async () => {
  const { disk, log, scrubber, problems } = await scrubbed(undefined, { batches: 60 })
  expect(log.segments.length).toBeGreaterThan(3)
  await scrubber.scrubNow()
  expect([problems, scrubber.findings]).toEqual([[], []])
  expect(scrubber.stats.segments).toBe(log.segments.length - 1)
  await scrubber.scrubNow()
  expect(scrubber.stats.segments).toBe(log.segments.length - 1)
  await log.close()
  const again = await scrubbed(disk.afterCrash(3), { hadCleanShutdown: true })
  await again.scrubber.scrubNow()
  expect(again.scrubber.stats).toEqual({ segments: 0, bytes: 0, damages: 0 })
  // One that has changed since is read again.
  await again.log.close()
  const flipped = again.disk.afterKill()
  const size = flipped.status(SEGMENT)?.size ?? 0
  flipped.flipBit(SEGMENT, size - 1)
  const last = await scrubbed(flipped, { hadCleanShutdown: true })
  await last.scrubber.scrubNow()
  expect(last.scrubber.stats).toMatchObject({ segments: 1, damages: 1 })
})

/** Byte positions in a batch, and how what is there changes what is found. */
const FIELDS = [
  { field: 'base offset, low', at: 7 },
  { field: 'base offset, high', at: 0 },
  { field: 'length, low', at: 11 },
  { field: 'length, high', at: 8 },
  { field: 'magic', at: 16 },
  { field: 'checksum', at: 17 },
  { field: 'attributes', at: 22 },
  { field: 'last offset delta', at: 26 },
  { field: 'base timestamp', at: 30 },
  { field: 'record count', at: 60 },
  { field: 'a record', at: 65 },
]

test.each(FIELDS.flatMap((one) => [0, 4, 9].map((batch) => ({ ...one, batch }))))(
  'LogScrubber finds a flipped bit in $field of batch $batch, and the rest is served',
  async ({ at, batch }) => {
    const { disk, log, scrubber, problems } = await scrubbed(undefined, { batches: 60 })
    const end = log.segments[1]?.baseOffset ?? 0
    const number = Math.min(batch, end - 1)
    const { position } = log.segments[0]?.find(number) ?? { position: 0 }
    disk.flipBit(SEGMENT, position + at, 3)
    await scrubber.scrubNow()
    expect(problems.length).toBe(1)
    expect(String(problems[0])).toContain(`offsets ${number} to ${number} fail their checksum`)
    expect(scrubber.findings).toMatchObject([
      { topic: 'orders', damages: [{ from: number, to: number + 1 }] },
    ])
    expect(served(log, [number])).toEqual(valuesBut([number]))
    // It is told once, and found again after a start.
    await scrubber.scrubNow()
    expect(problems.length).toBe(1)
    await log.close()
    const again = await scrubbed(disk.afterKill(), { hadCleanShutdown: true })
    await again.scrubber.scrubNow()
    expect(again.scrubber.stats).toMatchObject({ segments: 1, damages: 1 })
  },
)

test('LogScrubber reads no faster than it may, and stops at once', async () => {
  const { clock, log, scrubber } = await scrubbed(undefined, { batches: 60, rate: 1_000 })
  const startedAt = clock.monotonic()
  const round = scrubber.scrubNow()
  await clock.run(1_500)
  const inTime = scrubber.stats.bytes
  expect(inTime).toBeGreaterThan(1_000)
  expect(inTime).toBeLessThanOrEqual(3_500)
  await scrubber.stop()
  await round
  expect(clock.monotonic() - startedAt).toBe(1_500)
  expect(scrubber.stats.segments).toBeLessThan(log.segments.length - 1)
})

test('LogScrubber begins by itself after a while, and not at all when it is switched off', async () => {
  for (const [rate, segments] of [
    [Infinity, 1],
    [0, 0],
  ] as const) {
    const { clock, scrubber } = await scrubbed(undefined, { batches: 15, rate })
    scrubber.start()
    await clock.run(50_000)
    expect(scrubber.stats.segments).toBe(0)
    await clock.run(20_000)
    expect(scrubber.stats.segments > 0).toBe(segments > 0)
    await scrubber.stop()
    expect(clock.pendingTimers).toBe(0)
  }
})

test.each([TIMES, INDEX])(
  'LogScrubber makes indexes anew when the bytes of %s have changed',
  async (path) => {
    const { disk, log, scrubber, environment } = await scrubbed(undefined, { batches: 60 })
    disk.flipBit(path, 3, 6)
    environment.indexCache.delete(SEGMENT)
    // Used before it is found, it is made from the log.
    expect(log.offsetForTimestamp(1_002)).toEqual({ timestamp: 1_002, offset: 2 })
    await scrubber.scrubNow()
    environment.indexCache.delete(SEGMENT)
    const { offsets, times } = log.segments[0]?.indexes ?? {}
    const end = log.segments[1]?.baseOffset ?? 0
    expect(times?.validate(end)).toBeUndefined()
    expect(times?.lastEntry).toEqual({ timestamp: 1_000 + end - 1, offset: end - 1 })
    expect(offsets?.lastOffset).toBeLessThan(end)
    expect(scrubber.findings).toMatchObject([{ damages: [], rebuiltIndexes: [0] }])
  },
)

test('A flipped last entry of a time index does not make retention delete too early', async () => {
  const { disk, log } = await scrubbed(undefined, { batches: 60 })
  const size = disk.status(TIMES)?.size ?? 0
  await log.close()
  const flipped = disk.afterKill()
  // Byte 2 of the timestamp: from then on far in the future, or the record is.
  flipped.flipBit(TIMES, size - 12 + 6, 1)
  const again = await scrubbed(flipped, { hadCleanShutdown: true })
  const segment = again.log.segments[0]
  const next = again.log.segments[1]?.baseOffset ?? 0
  expect(segment?.largestTimestamp).toBe(1_000 + next - 1)
})

test('LogScrubber takes a log offline whose medium fails, and leaves one that goes away', async () => {
  const failing = await scrubbed(undefined, { batches: 60 })
  failing.disk.fail({ on: 'read', path: SEGMENT, code: 'EIO', times: Number.POSITIVE_INFINITY })
  failing.disk.fail({ on: 'populate', code: 'EIO', times: Number.POSITIVE_INFINITY })
  await failing.scrubber.scrubNow()
  expect(failing.faults.length).toBe(1)
  const going = await scrubbed(undefined, { batches: 60, rate: 1_000 })
  const round = going.scrubber.scrubNow()
  await going.clock.run(1_000)
  going.log.closeNow()
  await going.clock.run(60_000)
  await round
  expect([going.problems, going.faults]).toEqual([[], []])
  const refused = await scrubbed(undefined, { batches: 60 })
  refused.disk.fail({ on: 'open', path: SEGMENT, code: 'EMFILE' })
  await refused.scrubber.scrubNow()
  expect([refused.problems.length, refused.faults]).toEqual([1, []])
  await refused.scrubber.scrubNow()
  expect(refused.scrubber.stats.segments).toBe(refused.log.segments.length - 1)
})

test('LogScrubber forgets damage that is cut off', async () => {
  const { disk, log, scrubber } = await scrubbed(undefined, { batches: 60 })
  const { position } = log.segments[0]?.find(5) ?? { position: 0 }
  disk.flipBit(SEGMENT, position + 65)
  await scrubber.scrubNow()
  expect(() => readAll(log, 5)).toThrow('damaged range')
  log.truncateTo(4)
  for (let number = 4; number < 20; number++) {
    append(log, batchOf([`value ${number}`], { timestamp: 1_000 + number }))
  }
  expect(readAll(log)).toEqual(valuesBut([], 20))
})
