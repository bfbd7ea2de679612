// Reads: limits, isolation, damage, upkeep.
import { expect, test } from 'vitest'
import { buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { append, batchOf, DIRECTORY, environmentOn, openLog, readAll } from './log-fixture.ts'

const LOG = `${DIRECTORY}/00000000000000000000.log`

async function logOf(values: string[]) {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk)
  const sizes = values.map((value) => {
    const bytes = batchOf([value])
    append(log, bytes)
    return bytes.length
  })
  return { disk, log, sizes }
}

test.each([
  { why: 'a limit below the first batch gives nothing', maxBytes: 10, minOneBatch: false, size: 0 },
  { why: 'with one batch wanted it comes whole', maxBytes: 10, minOneBatch: true, size: 71 },
  { why: 'a later batch is cut at the limit', maxBytes: 100, minOneBatch: false, size: 100 },
  { why: 'the end of the log is the end', maxBytes: 10_000, minOneBatch: false, size: 213 },
])('PartitionLog.read() keeps to maxBytes: $why', async ({ maxBytes, minOneBatch, size }) => {
  const { log, sizes } = await logOf(['a', 'b', 'c'])
  expect(sizes).toEqual([71, 71, 71].map(() => sizes[0]))
  const one = sizes[0] ?? 0
  const expected = size === 71 ? one : size === 213 ? 3 * one : size
  const slice = log.read(0, { maxBytes, isolation: 'read_uncommitted', minOneBatch })
  expect(slice.size).toBe(expected)
  expect(slice.bytes().length).toBe(expected)
})

test.each([-1, 4, 5, 2 ** 53])(
  'PartitionLog.read() refuses offset %d of [0, 3]',
  async (offset) => {
    const { log } = await logOf(['a', 'b', 'c'])
    const read = () => log.read(offset, { maxBytes: 1, isolation: 'log_end' })
    expect(read).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  },
)

test('PartitionLog.read() is empty at the log end', async () => {
  const { log } = await logOf(['a'])
  const slice = log.read(1, { maxBytes: 100, isolation: 'read_committed', minOneBatch: true })
  expect({ size: slice.size, aborted: slice.abortedTransactions }).toEqual({ size: 0, aborted: [] })
})

function transactional(log: PartitionLog, producerId: number, sequence: number, value: string) {
  const options = { producerId, producerEpoch: 0, baseSequence: sequence, isTransactional: true }
  return append(log, batchOf([value], { ...options, timestamp: 1_704_067_200_000 }))
}

function mark(log: PartitionLog, producerId: number, isCommit: boolean) {
  const marker = { isCommit, producerId, producerEpoch: 0, coordinatorEpoch: 0 }
  const bytes = buildEndTransactionMarker({ ...marker, timestamp: 1_704_067_200_000 })
  return log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
}

test('PartitionLog.read() ends for read_committed at the first undecided transaction', async () => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk)
  append(log, batchOf(['plain'], { timestamp: 1_704_067_200_000 }))
  transactional(log, 1, 0, 'of 1')
  transactional(log, 2, 0, 'of 2')
  expect(log.lastStableOffset).toBe(1)
  expect(readAll(log, 0, 'read_committed')).toEqual(['0:plain'])
  mark(log, 2, true)
  expect(log.lastStableOffset).toBe(1)
  mark(log, 1, false)
  expect(log.lastStableOffset).toBe(5)
  const slice = log.read(0, { maxBytes: 10_000, isolation: 'read_committed' })
  expect(slice.abortedTransactions).toMatchObject([
    { producerId: 1, firstOffset: 1, lastOffset: 4 },
  ])
  const uncommitted = log.read(0, { maxBytes: 10_000, isolation: 'read_uncommitted' })
  expect(uncommitted.abortedTransactions).toBeUndefined()
  log.closeNow()
  const { log: recovered } = await openLog(disk.afterKill())
  const again = recovered.read(0, { maxBytes: 10_000, isolation: 'read_committed' })
  expect(again.abortedTransactions).toEqual(slice.abortedTransactions)
})

test('openPartitionLog() never cuts below the recovery point: the damage is reported and not served', async () => {
  const { disk, log, sizes } = await logOf(['a', 'b', 'c', 'd'])
  await log.flush()
  const size = sizes[0] ?? 0
  disk.flipBit(LOG, size + 65)
  const { log: opened, recovery } = await openLog(disk.afterKill(), { recoveryPoint: 4 })
  expect(recovery).toMatchObject({
    cuts: [],
    logEndOffset: 4,
    damages: [{ from: 1, to: 2, segmentBaseOffset: 0, position: size }],
  })
  expect(opened.read(0, { maxBytes: 1000, isolation: 'log_end' }).size).toBe(size)
  const read = () => opened.read(1, { maxBytes: 1000, isolation: 'log_end' })
  expect(read).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  expect(readAll(opened, 2)).toEqual(['2:c', '3:d'])
  append(opened, batchOf(['e']))
  expect(readAll(opened, 2)).toEqual(['2:c', '3:d', '4:e'])
})

test('openPartitionLog() cuts at the first invalid batch above the recovery point, and keeps the bytes', async () => {
  const { disk, log, sizes } = await logOf(['a', 'b', 'c', 'd'])
  const size = sizes[0] ?? 0
  disk.flipBit(LOG, size + 65)
  const tail = disk.readFile(LOG)?.slice(size) ?? new Uint8Array(0)
  const left = disk.afterKill()
  const { log: opened, recovery } = await openLog(left, {
    recoveryPoint: 1,
    highWatermark: log.highWatermark,
  })
  const [cut] = recovery.cuts
  expect(cut).toMatchObject({
    offset: 1,
    position: size,
    sizeInBytes: 3 * size,
    offsetsAtRisk: { from: 2, to: 4, batches: 2 },
  })
  expect(recovery.lostBelowHighWatermark).toBe(3)
  expect(cut?.keptIn).toMatch(/\/00000000000000000001\.log\.cut-\d+$/)
  expect(Buffer.compare(left.readFile(cut?.keptIn ?? '') ?? tail.slice(1), tail)).toBe(0)
  expect(readAll(opened)).toEqual(['0:a'])
})

test('openPartitionLog() keeps later segments aside when it cuts in an earlier one', async () => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk, { config: { segmentBytes: 150 } })
  for (let index = 0; index < 6; index++) append(log, batchOf([`v${index}`]))
  log.closeNow()
  disk.flipBit(LOG, 75)
  const left = disk.afterKill()
  const { log: opened, recovery } = await openLog(left)
  expect(opened.logEndOffset).toBeLessThan(2)
  expect(recovery.cuts.length).toBe(3)
  const names = left.list(DIRECTORY).map(({ name }) => name)
  expect(names.filter((name) => name.includes('.cut-'))).toHaveLength(3)
  expect(names.filter((name) => name.endsWith('.log'))).toEqual(['00000000000000000000.log'])
  expect(readAll(opened)).toHaveLength(opened.logEndOffset)
})

test('openPartitionLog() keeps both a torn tail and the segment behind it, which begins at the same offset', async () => {
  const disk = new SimulatedDisk()
  const { log } = await openLog(disk, { config: { segmentBytes: 150 } })
  for (let index = 0; index < 4; index++) append(log, batchOf([`v${index}`]))
  expect(log.segments.length).toBe(2)
  const second = disk.readFile(LOG.replace('0.log', '2.log')) ?? new Uint8Array(0)
  log.closeNow()
  const file = disk.open(LOG, 'write')
  const torn = new Uint8Array(40).fill(7)
  file.write(torn, file.size())
  file.close()
  const left = disk.afterKill()
  const { recovery } = await openLog(left)
  const kept = recovery.cuts.map(({ keptIn }) => left.readFile(keptIn ?? ''))
  expect(new Set(recovery.cuts.map(({ keptIn }) => keptIn)).size).toBe(2)
  expect(Buffer.compare(kept[0] ?? new Uint8Array(0), torn)).toBe(0)
  expect(Buffer.compare(kept[1] ?? torn, second)).toBe(0)
})

test('openPartitionLog() gives no offset twice when retention and a power loss left no segment', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory(DIRECTORY)
  const { log } = await openLog(disk, { recoveryPoint: 42, highWatermark: 42 })
  expect([log.logStartOffset, log.logEndOffset]).toEqual([42, 42])
  append(log, batchOf(['a']))
  expect(readAll(log)).toEqual(['42:a'])
})

test('PartitionLog.deleteOldSegments() removes what is too old, and the files after the delay', async () => {
  const disk = new SimulatedDisk()
  const clock = new VirtualClock()
  const config = { segmentBytes: 150, retentionMs: 1_000, fileDeleteDelayMs: 500 }
  const { log } = await openLog(disk, { clock, config })
  const now = clock.now()
  for (let index = 0; index < 6; index++) append(log, batchOf([`v${index}`], { timestamp: now }))
  const held = log.read(0, { maxBytes: 1000, isolation: 'log_end' })
  expect(log.deleteOldSegments(now + 999).count).toBe(0)
  const { count } = log.deleteOldSegments(now + 2_000)
  expect(count).toBe(3)
  expect({ start: log.logStartOffset, end: log.logEndOffset, size: log.sizeInBytes }).toEqual({
    start: 6,
    end: 6,
    size: 0,
  })
  expect([...readBatches(held.bytes())].length).toBeGreaterThan(0)
  const names = () => disk.list(DIRECTORY).filter(({ name }) => name.endsWith('.deleted')).length
  expect(names()).toBeGreaterThan(0)
  await clock.run(501)
  expect(names()).toBe(0)
  expect(append(log, batchOf(['next'])).baseOffset).toBe(6)
})

test('PartitionLog.onAdvance() tells of each move, until it is stopped', async () => {
  const { log } = await openLog(new SimulatedDisk())
  let calls = 0
  const stop = log.onAdvance(() => {
    calls++
  })
  append(log, batchOf(['a']))
  expect(calls).toBe(1)
  append(log, batchOf(['b']), true)
  expect(calls).toBe(1)
  await log.whenCommitted(1)
  expect(calls).toBe(2)
  log.deleteRecordsBefore(1)
  expect(calls).toBe(3)
  stop()
  append(log, batchOf(['c']))
  expect(calls).toBe(3)
})

test.each([
  { file: 'timeindex', why: 'the last segment' },
  { file: 'txnindex', why: 'any segment' },
])('openPartitionLog() makes a $file anew that does not fit its sum', async ({ file }) => {
  const disk = new SimulatedDisk()
  const config = { segmentBytes: 400 }
  const { log } = await openLog(disk, { config })
  transactional(log, 1, 0, 'aborted')
  mark(log, 1, false)
  for (let index = 0; file === 'txnindex' && index < 12; index++)
    append(log, batchOf([`v${index}`]))
  await log.close()
  const path = LOG.replace('.log', `.${file}`)
  const good = disk.readFile(path) ?? new Uint8Array(0)
  expect(good.length).toBeGreaterThan(0)
  disk.flipBit(path, good.length - 1)
  const settings = { config, hadCleanShutdown: true, recoveryPoint: log.logEndOffset }
  const { log: opened, recovery } = await openLog(disk, settings)
  expect(recovery.rebuiltSegments).toEqual([0])
  await opened.close()
  expect(disk.readFile(path)).toEqual(good)
})

test('PartitionLog.offsetForTimestamp() does not look into a batch that fails its checksum', async () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  const { log } = await openLog(disk)
  append(log, batchOf(['one', 'two'], { timestamp: 1_000 }))
  expect(log.offsetForTimestamp(1_001)).toEqual({ timestamp: 1_001, offset: 1 })
  // The timestamp delta of the last record.
  disk.flipBit('/data/orders-0/00000000000000000000.log', log.sizeInBytes - 11, 4)
  expect(() => log.offsetForTimestamp(1_001)).toThrow('fails its checksum')
  expect(() => log.maxTimestamp()).toThrow('fails its checksum')
})

/** A log of one active segment, a bit more than 2 MiB, and what is in it. */
async function largeLog(onFault: (fault: Error) => void = () => undefined) {
  const disk = new SimulatedDisk()
  const environment = environmentOn(disk)
  const { log } = await openLog(disk, { environment, onFault })
  const grow = (from: number, to: number) => {
    for (let number = from; number < to; number++) append(log, batchOf([largeValue(number)]))
  }
  grow(0, 230)
  return { disk, environment, log, grow }
}

const largeValue = (number: number) => `${number}:`.padEnd(10_000, 'x')

test('PartitionLog.read() takes old bytes of an active segment from one map, however it grows', async () => {
  const { disk, environment, log, grow } = await largeLog()
  const request = { maxBytes: 50_000, isolation: 'read_uncommitted', minOneBatch: true } as const
  expect(readAll(log)).toEqual(Array.from({ length: 230 }, (_, at) => `${at}:${largeValue(at)}`))
  expect(environment.maps.stats).toMatchObject({ maps: 1, leases: 0 })
  grow(230, 500)
  const lease = log.read(300, request).lease()
  expect(Buffer.compare(lease.bytes, log.read(300, request).bytes())).toBe(0)
  expect(environment.maps.stats.leases).toBe(1)
  lease.release()
  // At the end, where it grows, positional reads are cheaper.
  const tail = log.read(499, request).lease()
  expect(environment.maps.stats).toMatchObject({ maps: 1, leases: 0 })
  tail.release()
  expect(disk.faults.counts.get('map')).toBe(1)
})

test('PartitionLog.read() sees what is appended again behind a cut in a segment that is mapped', async () => {
  const { log, grow } = await largeLog()
  const read = () => readAll(log).map((record) => record.slice(0, 12))
  read()
  log.truncateTo(100)
  for (let at = 0; at < 200; at++) append(log, batchOf([`again ${at}`.padEnd(10_000, 'y')]))
  grow(0, 10)
  const records = read()
  expect(records).toHaveLength(310)
  expect([records[99], records[100], records[299]]).toEqual([
    '99:99:xxxxxx',
    '100:again 0y',
    '299:again 19',
  ])
})

test.each([
  { code: 'EIO', isOffline: true },
  { code: 'ENOMEM', isOffline: false },
  { code: 'ENOENT', isOffline: false },
])('LogSlice takes its log offline when its bytes meet $code: $isOffline', async (row) => {
  const disk = new SimulatedDisk()
  const faults: Error[] = []
  const { log } = await openLog(disk, { onFault: (fault) => faults.push(fault) })
  append(log, batchOf(['a']))
  append(log, batchOf(['b']))
  const slice = log.read(0, { maxBytes: 1_000, isolation: 'log_end' })
  disk.fail({ on: 'read', path: '.log', code: row.code })
  expect(() => slice.bytes()).toThrow(row.code)
  expect(faults.length).toBe(row.isOffline ? 1 : 0)
  const read = () => log.read(1, { maxBytes: 1_000, isolation: 'log_end' }).bytes().length
  if (row.isOffline) expect(read).toThrow('offline')
  else expect(read()).toBeGreaterThan(0)
})

test('LogSlice takes its log offline when its segment can not even be mapped, and throws when it is read', async () => {
  const faults: Error[] = []
  const { disk, log } = await largeLog((fault) => faults.push(fault))
  const slice = log.read(0, { maxBytes: 50_000, isolation: 'log_end' })
  disk.fail({ on: ['map', 'open'], code: 'EIO', times: Infinity })
  expect(slice.isCold).toBe(false)
  expect(faults).toHaveLength(1)
  expect(() => slice.lease()).toThrow('EIO')
})
