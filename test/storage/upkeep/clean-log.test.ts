// What one cleaning leaves of a log: the newest record of every key, and what must not be forgotten.
import { expect, test } from 'vitest'
import { KafkaError } from '#storage/base/errors.ts'
import { COMPRESSIONS } from '#storage/batch/record-batch.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import { lastSequenceOf } from '#storage/state/producer-entry.ts'
import { SLOT_BYTES } from '#storage/upkeep/offset-map.ts'
import { openLog, readAll } from '../log/log-fixture.ts'
import {
  batchesOf,
  COMPACTED,
  type CompactedLog,
  clean,
  contentOf,
  endTransaction,
  openCompacted,
  put,
  roll,
} from './cleaner-fixture.ts'

/** What is left below the active segment, whose one record is not interesting. */
const left = (compacted: CompactedLog) => contentOf(compacted.log).slice(0, -1)

test('cleanLog() keeps the newest record of every key, and its offset', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1', 'c=1'])
  put(compacted, ['a=2', 'a=3'])
  roll(compacted)
  const { firstDirtyOffset } = await clean(compacted)
  expect(left(compacted)).toEqual(['1:b=1', '2:c=1', '4:a=3'])
  expect(firstDirtyOffset).toBe(5)
})

test('cleanLog() leaves the active segment alone, and what it supersedes', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1'])
  roll(compacted, ['a=2'])
  put(compacted, ['a=3'])
  await clean(compacted)
  expect(contentOf(compacted.log)).toEqual(['0:a=1', '1:a=2', '2:a=3'])
})

test('cleanLog() takes from the clean part what the dirty part supersedes', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  roll(compacted, ['c=1'])
  const first = await clean(compacted)
  put(compacted, ['a=2'])
  roll(compacted)
  await clean(compacted, first.firstDirtyOffset)
  expect(left(compacted)).toEqual(['1:b=1', '2:c=1', '3:a=2'])
})

test('cleanLog() drops records without a key', async () => {
  const compacted = await openCompacted({ cleanupPolicy: { delete: true, compact: false } })
  put(compacted, ['=1', 'a=1', '=2'])
  compacted.log.updateConfig({ ...compacted.log.config, ...COMPACTED })
  put(compacted, ['b=1'])
  roll(compacted)
  await clean(compacted)
  expect(left(compacted)).toEqual(['1:a=1', '3:b=1'])
})

test('cleanLog() keeps a batch as it is when all of its records stay', async () => {
  const compacted = await openCompacted()
  for (const compression of COMPRESSIONS) put(compacted, [`${compression}=1`], { compression })
  const before = batchesOf(compacted.log).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
  roll(compacted)
  await clean(compacted)
  const after = batchesOf(compacted.log).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
  expect(after.slice(0, -1)).toEqual(before)
})

test.each(COMPRESSIONS)(
  'cleanLog() builds a batch of codec %s anew with the same header',
  async (compression) => {
    const compacted = await openCompacted()
    const options = { producerId: 7, producerEpoch: 3, baseSequence: 11, compression }
    put(compacted, ['a=1', 'b=1', 'c=1', 'd=1'], options)
    const [before] = batchesOf(compacted.log)
    compacted.clock.advance(500)
    put(compacted, ['a=2', 'd=2'])
    roll(compacted)
    await clean(compacted)
    expect(left(compacted)).toEqual(['1:b=1', '2:c=1', '4:a=2', '5:d=2'])
    const [after] = batchesOf(compacted.log)
    const headerOf = (batch = before) => ({
      baseOffset: batch?.baseOffset,
      lastOffset: batch?.lastOffset,
      partitionLeaderEpoch: batch?.partitionLeaderEpoch,
      producerId: batch?.producerId,
      producerEpoch: batch?.producerEpoch,
      baseSequence: batch?.baseSequence,
      lastSequence: batch?.lastSequence,
      compression: batch?.compression,
      maxTimestamp: batch?.maxTimestamp,
      timestampType: batch?.timestampType,
    })
    expect(headerOf(after)).toEqual(headerOf(before))
  },
)

test('cleanLog() keeps the largest timestamp of a batch on a LogAppendTime topic', async () => {
  const compacted = await openCompacted({ messageTimestampType: 'LogAppendTime' })
  put(compacted, ['a=1', 'b=1'])
  const [before] = batchesOf(compacted.log)
  compacted.clock.advance(500)
  put(compacted, ['b=2'])
  roll(compacted)
  await clean(compacted)
  const [after] = batchesOf(compacted.log)
  expect(after).toMatchObject({
    timestampType: 'LogAppendTime',
    maxTimestamp: before?.maxTimestamp,
  })
})

test('cleanLog() keeps tombstones until their horizon, and drops them with a later cleaning', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  put(compacted, ['a', 'c=1'])
  roll(compacted)
  const now = compacted.clock.now()
  await clean(compacted)
  expect(left(compacted)).toEqual(['1:b=1', '2:a', '3:c=1'])
  const horizon = batchesOf(compacted.log).find(({ hasDeleteHorizon }) => hasDeleteHorizon)
  expect(horizon).toMatchObject({ baseOffset: 2, baseTimestamp: now + 1_000, maxTimestamp: now })
  compacted.clock.advance(999)
  await clean(compacted)
  expect(left(compacted)).toEqual(['1:b=1', '2:a', '3:c=1'])
  compacted.clock.advance(1)
  await clean(compacted)
  expect(left(compacted)).toEqual(['1:b=1', '3:c=1'])
  expect(batchesOf(compacted.log).filter(({ hasDeleteHorizon }) => hasDeleteHorizon)).toHaveLength(
    1,
  )
  expect(readAll(compacted.log)).toEqual(['1:1', '3:1', '4:1'])
})

test('cleanLog() keeps the last batch of a producer as a header, so that its sequences go on', async () => {
  const compacted = await openCompacted()
  const producer = { producerId: 7, producerEpoch: 0 }
  put(compacted, ['a=1'], { ...producer, baseSequence: 0 })
  put(compacted, ['a=2', 'a=3'], { ...producer, baseSequence: 1 })
  put(compacted, ['a=4'])
  roll(compacted)
  await clean(compacted)
  expect(left(compacted)).toEqual(['1-2:empty', '3:a=4'])
  const [header] = batchesOf(compacted.log)
  expect(header).toMatchObject({
    sizeInBytes: 61,
    baseTimestamp: -1,
    compression: 'none',
    lastSequence: 2,
  })
  // As a start finds it, without any snapshot.
  for (const { name } of compacted.disk.list('/data/orders-0')) {
    if (name.endsWith('.snapshot')) compacted.disk.remove(`/data/orders-0/${name}`)
  }
  const { log } = await openLog(compacted.disk.afterKill(), { config: COMPACTED })
  expect(log.producers.producer(7)?.batches).toMatchObject([{ lastSequence: 2, lastOffset: 2 }])
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'cleanLog() drops no batch of a producer for one that a power loss may take, loss %i',
  async (loss) => {
    const compacted = await openCompacted()
    compacted.disk.syncDirectoryNow('/')
    const producer = { producerId: 7, producerEpoch: 0 }
    put(compacted, ['a=1'], { ...producer, baseSequence: 0 })
    put(compacted, ['a=2'])
    roll(compacted)
    await compacted.log.flush()
    // Sent while nobody waits for the disk, just as the cleaning begins.
    await clean(compacted, undefined, {}, () => {
      put(compacted, ['b=1'], { ...producer, baseSequence: 1 })
    })
    const { log } = await openCompacted({}, compacted.disk.afterCrash(loss))
    const sequences = [...log.producers.producers()].map((entry) => lastSequenceOf(entry))
    expect(sequences).toEqual([log.logEndOffset > 3 ? 1 : 0])
  },
)

test('cleanLog() forgets the batches of producers that the log has forgotten', async () => {
  const compacted = await openCompacted({ producerIdExpirationMs: 1_000 })
  put(compacted, ['a=1'], { producerId: 7, producerEpoch: 0, baseSequence: 0 })
  compacted.clock.advance(2_000)
  put(compacted, ['a=2'])
  roll(compacted)
  compacted.log.removeExpiredProducers(compacted.clock.now())
  await clean(compacted)
  expect(left(compacted)).toEqual(['1:a=2'])
})

test('cleanLog() keeps the last batch before its end as a header, so that offsets do not go back', async () => {
  const compacted = await openCompacted({ cleanupPolicy: { delete: true, compact: false } })
  put(compacted, ['a=1'])
  put(compacted, ['=1'])
  compacted.log.updateConfig({ ...compacted.log.config, ...COMPACTED })
  roll(compacted)
  await clean(compacted)
  expect(left(compacted)).toEqual(['0:a=1', '1-1:empty'])
})

test('cleanLog() drops aborted records, and their marker a while after', async () => {
  const compacted = await openCompacted()
  const transaction = { producerId: 7, producerEpoch: 0, isTransactional: true }
  put(compacted, ['a=1'])
  put(compacted, ['a=2', 'b=2'], { ...transaction, baseSequence: 0 })
  endTransaction(compacted, 7, false)
  put(compacted, ['c=1'], { producerId: 7, producerEpoch: 0, baseSequence: 2 })
  roll(compacted)
  const { firstDirtyOffset } = await clean(compacted)
  // The marker stays as long as there was anything for it to say.
  expect(left(compacted)).toEqual(['0:a=1', '3:marker', '4:c=1'])
  expect(compacted.log.segments[0]?.indexes.transactions.entries).toBe(1)
  await clean(compacted, firstDirtyOffset)
  expect(compacted.log.segments[0]?.indexes.transactions.entries).toBe(0)
  const marker = batchesOf(compacted.log).find(({ isControl }) => isControl)
  expect(marker).toMatchObject({ hasDeleteHorizon: true, isTransactional: true, producerId: 7 })
  compacted.clock.advance(1_000)
  await clean(compacted, firstDirtyOffset)
  expect(left(compacted)).toEqual(['0:a=1', '4:c=1'])
  expect(compacted.disk.status('/data/orders-0/00000000000000000000.txnindex')).toBeUndefined()
})

test('cleanLog() keeps the marker of a committed transaction while records of it are there', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'], { producerId: 7, producerEpoch: 0, isTransactional: true })
  endTransaction(compacted, 7, true)
  put(compacted, ['a=2'], { producerId: 7, producerEpoch: 0 })
  roll(compacted)
  const first = await clean(compacted)
  expect(left(compacted)).toEqual(['1:b=1', '2:marker', '3:a=2'])
  expect(batchesOf(compacted.log)[1]?.hasDeleteHorizon).toBe(false)
  put(compacted, ['b=2'], { producerId: 7, producerEpoch: 0 })
  roll(compacted)
  await clean(compacted, first.firstDirtyOffset)
  expect(left(compacted)).toContain('2:marker')
  await clean(compacted)
  compacted.clock.advance(1_000)
  await clean(compacted)
  expect(left(compacted).filter((text) => text.endsWith('marker'))).toEqual([])
})

test('cleanLog() keeps the last marker of a producer that has no data, as a header', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1'], {
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 0,
    isTransactional: true,
  })
  // A marker with a new epoch makes the batches of the old one void.
  endTransaction(compacted, 7, false)
  endTransaction(compacted, 8, false)
  roll(compacted)
  for (let round = 0; round < 3; round++) {
    await clean(compacted)
    compacted.clock.advance(1_000)
  }
  expect(left(compacted)).toContain('2-2:empty')
})

test('cleanLog() serves aborted transactions to readers as before', async () => {
  const compacted = await openCompacted({ segmentBytes: 300 })
  const { log } = compacted
  for (let round = 0; round < 6; round++) {
    put(compacted, [`k${round}=1`, `m${round}=1`], {
      producerId: round % 2,
      producerEpoch: 0,
      baseSequence: Math.floor(round / 2) * 2,
      isTransactional: true,
    })
    endTransaction(compacted, round % 2, round % 3 === 0)
  }
  roll(compacted)
  const before = readAll(log, 0, 'read_committed')
  await clean(compacted)
  const markers = batchesOf(log).filter(({ isControl }) => isControl)
  expect(markers).toHaveLength(6)
  const committed = readAll(log, 0, 'read_uncommitted')
  expect(committed).toEqual(before.filter((text) => committed.includes(text)))
  expect(committed).toHaveLength(5)
})

test('cleanLog() does not touch an open transaction', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'a=2'])
  roll(compacted, ['b=1'], {
    producerId: 7,
    producerEpoch: 0,
    isTransactional: true,
    baseSequence: 0,
  })
  put(compacted, ['b=2', 'a=3'])
  roll(compacted)
  await clean(compacted)
  expect(contentOf(compacted.log)).toEqual(['1:a=2', '2:b=1', '3:b=2', '4:a=3', '5:filler=1'])
})

test.each([
  { why: 'whole batches', keys: 4, loadFactor: 1, stages: [4, 6] },
  {
    why: 'a part of the first batch, which is larger than the map',
    keys: 2,
    loadFactor: 0.4,
    stages: [1, 2],
  },
])('cleanLog() goes only as far as the map: $why', async ({ keys, loadFactor, stages }) => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  put(compacted, ['c=1', 'd=1'])
  put(compacted, ['a=2', 'e=1'])
  roll(compacted)
  const means = { mapBytes: (keys + 1) * SLOT_BYTES, loadFactor }
  let checkpoint: number | undefined
  const reached: number[] = []
  for (let round = 0; round < 8; round++) {
    checkpoint = (await clean(compacted, checkpoint, means)).firstDirtyOffset
    reached.push(checkpoint)
  }
  expect(reached.slice(0, 2)).toEqual(stages)
  expect(reached.at(-1)).toBe(6)
  expect(left(compacted)).toEqual(['1:b=1', '2:c=1', '3:d=1', '4:a=2', '5:e=1'])
})

test('cleanLog() joins small segments and rebuilds their indexes', async () => {
  const compacted = await openCompacted({ segmentBytes: 2_000 })
  for (let round = 0; round < 40; round++) roll(compacted, [`k${round % 10}=${'v'.repeat(50)}`])
  const { log, disk, clock } = compacted
  expect(log.segments.length).toBe(40)
  await clean(compacted)
  expect(log.segments.length).toBe(4)
  expect(log.sizeInBytes).toBe(log.segments.reduce((sum, { size }) => sum + size, 0))
  for (const segment of log.segments.slice(0, -1)) {
    const { offsets, times } = segment.indexes
    expect(offsets.validate(segment.size)).toBeUndefined()
    expect(times.validate(log.logEndOffset)).toBeUndefined()
    expect(segment.largest).toEqual(times.lastEntry)
  }
  const names = disk.list('/data/orders-0').map(({ name }) => name)
  expect(names.filter((name) => name.endsWith('.log')).length).toBe(4)
  expect(names.filter((name) => name.endsWith('.snapshot')).length).toBeLessThanOrEqual(4)
  expect(names.filter((name) => /cleaned|swap/.test(name))).toEqual([])
  await clock.run(60_000)
  const later = disk.list('/data/orders-0').map(({ name }) => name)
  expect(later.filter((name) => name.endsWith('deleted'))).toEqual([])
  await log.close()
  const { log: again, recovery } = await openLog(disk, {
    config: COMPACTED,
    hadCleanShutdown: true,
  })
  expect(recovery.scannedBytes).toBe(0)
  // The last one, in the active segment, is there twice.
  expect(contentOf(again)).toHaveLength(11)
})

test('cleanLog() leaves readers the segments that they have found', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  roll(compacted, ['a=2'])
  roll(compacted)
  const { log, clock } = compacted
  const read = () => log.read(0, { maxBytes: 1_000, isolation: 'read_uncommitted' })
  const first = read()
  const lease = read().lease()
  const bytes = Array.from(first.bytes())
  await clean(compacted)
  const second = read()
  const cleaned = Array.from(second.bytes())
  expect(cleaned).not.toEqual(bytes)
  // Cleaned again before the first files are gone.
  await clean(compacted, 0)
  expect(Array.from(first.bytes())).toEqual(bytes)
  expect(Array.from(second.bytes())).toEqual(cleaned)
  expect(Array.from(lease.bytes)).toEqual(bytes)
  await clock.run(60_000)
  expect(Array.from(lease.bytes)).toEqual(bytes)
  lease.release()
})

test('cleanLog() leaves an empty segment where nothing stays, which the next one joins', async () => {
  const compacted = await openCompacted({ segmentBytes: 100 })
  put(compacted, ['a=1'])
  roll(compacted, ['a=2'])
  roll(compacted, ['a=3'])
  roll(compacted)
  const { log } = compacted
  await clean(compacted)
  expect(log.segments.map(({ baseOffset, size }) => [baseOffset, size > 0])).toEqual([
    [0, false],
    [1, false],
    [2, true],
    [3, true],
  ])
  expect(readAll(log)).toEqual(['2:3', '3:1'])
  await clean(compacted)
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 3])
  expect(readAll(log, 0)).toEqual(['2:3', '3:1'])
})

test('cleanLog() gives a segment the modification time of what it replaces', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1'])
  roll(compacted, ['a=2'])
  roll(compacted)
  const { log, disk } = compacted
  await log.flush()
  disk.setModified(log.segments[1]?.path ?? '', 12_345)
  await clean(compacted)
  expect(disk.status('/data/orders-0/00000000000000000000.log')?.modifiedMs).toBe(12_345)
})

test.each([
  { why: 'a wrong checksum', position: 65, code: 'CORRUPT_MESSAGE' },
  { why: 'an absurd size', position: 8, code: 'CORRUPT_MESSAGE' },
  { why: 'an offset that goes back', position: 81 + 7, code: 'CORRUPT_MESSAGE' },
])('cleanLog() refuses a batch with $why, and changes nothing', async ({ position, code }) => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  put(compacted, ['a=2'])
  roll(compacted)
  const { log, disk } = compacted
  await log.flush()
  const path = log.segments[0]?.path ?? ''
  disk.flipBit(path, position, position > 80 ? 1 : 6)
  const before = disk.readFile(path)
  await expect(clean(compacted)).rejects.toMatchObject({ name: KafkaError.name, code })
  expect(Buffer.compare(disk.readFile(path) ?? new Uint8Array(0), before ?? Buffer.of())).toBe(0)
  const names = disk.list('/data/orders-0').map(({ name }) => name)
  expect(names.filter((name) => /cleaned|swap|deleted/.test(name))).toEqual([])
})

test('cleanLog() reads records larger than its buffer', async () => {
  const compacted = await openCompacted()
  put(compacted, [`a=${'x'.repeat(5_000)}`, 'b=1'])
  put(compacted, ['b=2'])
  roll(compacted)
  await clean(compacted, 0, { bufferBytes: 64 })
  expect(left(compacted)).toEqual([`0:a=${'x'.repeat(5_000)}`, '2:b=2'])
})

test('cleanLog() brings cold segments into memory before it reads them', async () => {
  const compacted = await openCompacted()
  put(compacted, ['a=1', 'b=1'])
  put(compacted, ['a=2'])
  roll(compacted)
  const { log, disk } = compacted
  await log.flush()
  disk.evict(log.segments[0]?.path ?? '')
  const populated = () => disk.faults.counts.get('populate') ?? 0
  const before = populated()
  await clean(compacted)
  expect(populated()).toBeGreaterThan(before)
  expect(left(compacted)).toEqual(['1:b=1', '2:a=2'])
  disk.evict(log.segments[0]?.path ?? '')
  disk.fail({ on: 'populate', code: 'EIO' })
  await expect(clean(compacted, 0)).rejects.toMatchObject({ code: 'EIO' })
  expect(left(compacted)).toEqual(['1:b=1', '2:a=2'])
})

test('a compacted log rolls before a record may be older than max.compaction.lag.ms', async () => {
  const settings: Partial<LogConfig> = { maxCompactionLagMs: 1_000 }
  for (const [compact, segments] of [
    [true, 2],
    [false, 1],
  ] as const) {
    const cleanupPolicy = { compact, delete: !compact }
    const compacted = await openCompacted({ ...settings, cleanupPolicy })
    put(compacted, ['a=1'])
    compacted.clock.advance(1_001)
    put(compacted, ['a=2'])
    expect(compacted.log.segments.length).toBe(segments)
  }
})
