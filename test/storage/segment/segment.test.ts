// One segment: index entries, searches, rolls, cuts.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordBatch } from '#storage/batch/record-batch.ts'
import { FilePool } from '#storage/fs/file-pool.ts'
import type { OpenFile } from '#storage/fs/files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { IndexCache } from '#storage/segment/index-cache.ts'
import { Segment } from '#storage/segment/segment.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { batchOf } from '../log/log-fixture.ts'

const LIMITS = { segmentBytes: 1000, segmentMs: 5000, segmentIndexBytes: 1000 }

function newSegment(baseOffset = 0, files = new SimulatedDisk()) {
  files.makeDirectory('/orders-0')
  const pool = new FilePool(files, 10)
  const environment = {
    files,
    pool,
    indexCache: new IndexCache(),
    buffers: new ReadBufferPool(),
    directory: '/orders-0',
  }
  return { files, environment, segment: Segment.create(environment, baseOffset, 0) }
}

/** Appends one batch of `count` records of about `size` bytes. */
function add(
  segment: Segment,
  at: { offset: number; count?: number; size?: number; time?: number },
) {
  const values = Array.from({ length: at.count ?? 1 }, () => 'x'.repeat(at.size ?? 1))
  const batch = new RecordBatch(batchOf(values, { timestamp: at.time ?? 1000 }))
  batch.setOffsets(at.offset, 0)
  segment.append([batch.bytes], [batch], 100)
  return batch
}

test('Segment.append() gives the first batch no index entry, and the next ones by the bytes since the last', () => {
  const { segment } = newSegment(100)
  const size = add(segment, { offset: 100, size: 200 }).sizeInBytes
  expect(segment.indexes.offsets.entries).toBe(0)
  add(segment, { offset: 101, count: 2, time: 3000 })
  add(segment, { offset: 103, size: 200, time: 2000 })
  add(segment, { offset: 104 })
  const { offsets, times } = segment.indexes
  // The last offset of a batch, with its start: the second batch, and the fourth.
  expect(offsets.entryAt(0)).toEqual({ offset: 102, position: size })
  expect(offsets.entries).toBe(2)
  expect(offsets.lastOffset).toBe(104)
  expect(times.lastEntry).toEqual({ timestamp: 3001, offset: 102 })
  expect(times.entries).toBe(1)
})

test('Segment.seal() adds the largest timestamp, which a sealed segment knows from its file', () => {
  const { segment, environment } = newSegment()
  add(segment, { offset: 0, time: 5000 })
  segment.seal()
  segment.writeIndexes()
  const { size } = segment
  segment.release()
  const opened = Segment.open(environment, { baseOffset: 0, size, createdMs: 0 })
  expect(opened.largest).toEqual({ timestamp: 5000, offset: 0 })
  expect(opened.find(0)?.baseOffset).toBe(0)
})

test.each([
  { why: 'the segment is empty', filled: false, request: { size: 999_999 }, rolls: false },
  { why: 'the batch fits exactly', filled: true, request: { size: 1000 - 72 }, rolls: false },
  {
    why: 'the batch is one byte too large',
    filled: true,
    request: { size: 1000 - 71 },
    rolls: true,
  },
  {
    why: 'record time has reached segment.ms',
    filled: true,
    request: { maxTimestamp: 6000 },
    rolls: false,
  },
  {
    why: 'record time is beyond segment.ms',
    filled: true,
    request: { maxTimestamp: 6001 },
    rolls: true,
  },
  { why: 'the offset does not fit', filled: true, request: { lastOffset: 2 ** 31 }, rolls: true },
  { why: 'the clock alone moves on', filled: true, request: { now: 10 ** 12 }, rolls: false },
])('Segment.shouldRoll() is $rolls when $why', ({ filled, request, rolls }) => {
  const { segment } = newSegment()
  if (filled) expect(add(segment, { offset: 0 }).sizeInBytes).toBe(72)
  const full = { size: 100, lastOffset: 5, maxTimestamp: 1000, now: 0, ...request }
  expect(segment.shouldRoll(full, LIMITS)).toBe(rolls)
})

test('Segment.find() agrees with a walk over all batches, whatever the index says', () => {
  const batches = fc.array(fc.record({ count: fc.integer({ min: 1, max: 5 }), size: fc.nat(90) }), {
    minLength: 1,
    maxLength: 40,
  })
  fc.assert(
    fc.property(batches, fc.nat(250), fc.boolean(), (given, target, isIndexWrong) => {
      const { segment } = newSegment()
      const appended: RecordBatch[] = []
      let offset = 0
      for (const { count, size } of given) {
        appended.push(add(segment, { offset, count, size }))
        offset += count
      }
      const { offsets } = segment.indexes
      if (isIndexWrong && offsets.entries > 0) {
        const last = offsets.lastEntry
        offsets.append({ offset: last.offset + 1, position: last.position + 1 })
      }
      const expected = appended.find(({ lastOffset }) => lastOffset >= target)
      expect(segment.find(target)?.baseOffset).toBe(expected?.baseOffset)
    }),
  )
})

test('Segment.append() leaves no byte behind when the disk is full', () => {
  const { segment, files } = newSegment()
  const size = add(segment, { offset: 0 }).sizeInBytes
  files.fail({ on: 'write', code: 'ENOSPC', writtenBytes: 40 })
  expect(() => add(segment, { offset: 1 })).toThrow(/ENOSPC/)
  expect({ size: segment.size, file: files.status(segment.path)?.size }).toEqual({
    size,
    file: size,
  })
})

test.each(['in place', 'by copy'])('Segment cuts the batch that holds the offset, %s', (way) => {
  const { segment, files } = newSegment()
  add(segment, { offset: 0, count: 3, time: 1000 })
  const size = segment.size
  add(segment, { offset: 3, count: 3, time: 9000 })
  add(segment, { offset: 6, size: 200, time: 2000 })
  const position = segment.cutPosition(4)
  if (way === 'in place') segment.truncate(4, position)
  else {
    segment.copyForCut(position)
    segment.truncateByCopy(4, position)
  }
  expect({ size: segment.size, file: files.status(segment.path)?.size }).toEqual({
    size,
    file: size,
  })
  expect(segment.largest).toEqual({ timestamp: 1002, offset: 2 })
  add(segment, { offset: 4 })
  expect(segment.find(3)?.baseOffset).toBe(4)
})

test('Segment.markDeleted() keeps the bytes within reach of who holds the segment', () => {
  const { segment, files } = newSegment()
  add(segment, { offset: 0 })
  segment.seal()
  segment.writeIndexes()
  const paths = segment.markDeleted()
  expect(paths.every((path) => path.endsWith('.deleted'))).toBe(true)
  expect(
    files
      .list('/orders-0')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(paths.map((path) => path.slice('/orders-0/'.length)).toSorted())
  expect(segment.withFile((file) => file.size())).toBe(segment.size)
})

const MIB = 1_048_576

/** Ranges that were begun, as they were asked for. Answers what `canBegin` says. */
function spyOnWriteBehind(files: SimulatedDisk, canBegin = () => true) {
  const begun: [from: number, to: number][] = []
  const open = files.open.bind(files)
  files.open = (path, mode): OpenFile => {
    const file = open(path, mode)
    file.writeBehind = (position, size) => {
      if (!canBegin()) return false
      begun.push([position, position + size])
      return true
    }
    return file
  }
  return begun
}

function addMany(segment: Segment, count: number) {
  for (let left = count; left > 0; left--) {
    add(segment, { offset: segment.size, size: 100_000 })
  }
}

test('Segment.append() has what nobody waits for go to the disk bit by bit, but for what came last', async () => {
  const files = new SimulatedDisk()
  const begun = spyOnWriteBehind(files)
  const { segment } = newSegment(0, files)
  addMany(segment, 25)
  expect(begun).toEqual([])
  addMany(segment, 75)
  // Each begins where the one before ended, has 2 MiB or a batch more, and leaves 1 MiB.
  expect(begun).toHaveLength(4)
  expect(begun.map(([from]) => from)).toEqual([0, ...begun.slice(0, -1).map(([, to]) => to)])
  for (const [from, to] of begun) {
    expect(to - from).toBeGreaterThanOrEqual(2 * MIB)
    expect(to - from).toBeLessThan(2 * MIB + 101_000)
  }
  expect(segment.size - (begun.at(-1)?.[1] ?? 0)).toBeGreaterThanOrEqual(MIB)
  // What is on disk is not written again.
  await segment.sync()
  const synced = segment.size
  addMany(segment, 35)
  expect(begun.slice(4).map(([from]) => from)).toEqual([synced])
})

test('Segment.append() goes on from where it was when nothing could be begun, and from its end after a cut', () => {
  const files = new SimulatedDisk()
  let canBegin = false
  const begun = spyOnWriteBehind(files, () => canBegin)
  const { segment } = newSegment(0, files)
  addMany(segment, 50)
  canBegin = true
  addMany(segment, 1)
  expect(begun).toEqual([[0, segment.size - MIB]])
  const [, end] = begun[0] ?? []
  segment.truncate(0, 0)
  addMany(segment, 35)
  expect(begun).toHaveLength(2)
  expect(begun[1]?.[1]).toBeLessThan(end ?? 0)
})
