// Producing batches: when the answer comes, and what it says when the disk or the time fails.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import {
  type AppendedBatch,
  BatchProducing,
  type BatchProducingParts,
} from '#src/broker/batch-producing.ts'
import { Partition } from '#src/partitions/partition.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import type { Compression } from '#storage/batch/record-batch.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import { UnflushedBytes } from '#storage/log/unflushed-bytes.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { settle, VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

async function producing(
  parts: Partial<BatchProducingParts> = {},
  disk = new SimulatedDisk(),
  unflushed = new UnflushedBytes(1 << 30),
) {
  const clock = new VirtualClock()
  const { log } = await openLog(disk, { clock, unflushed })
  const partition = new Partition(log, 0)
  const counted: unknown[] = []
  const lookup = {
    get: () => partition,
    leaderOf: () => undefined,
    whenReady: () => partition.log.room(),
  }
  const batches = new BatchProducing({
    lookup: lookup as never,
    clock,
    isAllSynced: () => true,
    lacksReplicas: () => undefined,
    count: (appended) => counted.push(appended),
    ...parts,
  })
  const send = (acks: number, timeoutMs = 1000, count = 1, hold?: () => () => void) =>
    batches.produce(ANONYMOUS, {
      ...(hold && { hold }),
      transactionalId: null,
      acks,
      timeoutMs,
      allowsZstd: true,
      batches: Array.from({ length: count }, () => ({
        topic: 'orders',
        topicId: ZERO_UUID,
        partition: 0,
        records: buildBatch([{ value: new Uint8Array(9), timestamp: 1_704_067_200_000 }]),
      })),
    })
  return { send, clock, disk, log, partition, counted, batches }
}

test('A batch with acks 1 is answered without a promise, one with acks=all when it is on disk', async () => {
  const { send, log, clock } = await producing()
  expect(send(1)).toMatchObject([{ baseOffset: 0 }])
  const all = send(-1)
  expect(all).toBeInstanceOf(Promise)
  expect(log.durableOffset).toBe(0)
  expect(await all).toMatchObject([{ baseOffset: 1 }])
  expect(log.durableOffset).toBe(2)
  expect(clock.pendingTimers).toBe(0)
})

test('A duplicate with acks=all is answered when its original is on disk', async () => {
  const { batches, log } = await producing()
  const send = (acks: number) =>
    batches.produce(ANONYMOUS, {
      transactionalId: null,
      acks,
      timeoutMs: 1000,
      allowsZstd: true,
      batches: [
        {
          topic: 'orders',
          topicId: ZERO_UUID,
          partition: 0,
          records: buildBatch([{ value: new Uint8Array(9), timestamp: 1_704_067_200_000 }], {
            producerId: 7,
            producerEpoch: 0,
            baseSequence: 0,
          }),
        },
      ],
    })
  expect(send(1)).toMatchObject([{ baseOffset: 0 }])
  const again = send(-1)
  expect(again).toBeInstanceOf(Promise)
  expect(log.durableOffset).toBe(0)
  expect(await again).toMatchObject([{ baseOffset: 0 }])
  expect(log).toMatchObject({ durableOffset: 1, logEndOffset: 1 })
})

test('acks=all does not wait where millrace.acks.all.fsync is off', async () => {
  const { send } = await producing({ isAllSynced: () => false })
  expect(send(-1)).toMatchObject([{ baseOffset: 0 }])
})

test('A batch that is not on disk in time is answered with REQUEST_TIMED_OUT, and stays', async () => {
  const { send, clock, log } = await producing()
  const answer = send(-1, 500, 2)
  clock.advance(506)
  const outcomes = await answer
  expect(outcomes.map((outcome) => 'error' in outcome && outcome.error.code)).toEqual([
    'REQUEST_TIMED_OUT',
    'REQUEST_TIMED_OUT',
  ])
  await log.flush()
  expect(log.highWatermark).toBe(2)
})

test('A failed sync is answered with KAFKA_STORAGE_ERROR, for every batch that waited', async () => {
  const disk = new SimulatedDisk()
  const { send, clock } = await producing({}, disk)
  const first = (await send(-1)) as readonly AppendedBatch[]
  expect(first).toMatchObject([{ baseOffset: 0 }])
  disk.fail({ on: 'sync', code: 'EIO' })
  const outcomes = await send(-1, 1000, 3)
  expect(outcomes.map((outcome) => 'error' in outcome && outcome.error.code)).toEqual([
    'KAFKA_STORAGE_ERROR',
    'KAFKA_STORAGE_ERROR',
    'KAFKA_STORAGE_ERROR',
  ])
  expect(clock.pendingTimers).toBe(0)
})

test('acks=all is refused before anything is written where too few replicas are in sync', async () => {
  const { send, log } = await producing({ lacksReplicas: () => '1 of 2' })
  const [outcome] = await send(-1)
  expect(outcome).toMatchObject({ error: { code: 'NOT_ENOUGH_REPLICAS' }, logStartOffset: 0 })
  expect(log.logEndOffset).toBe(0)
  expect(await send(1)).toMatchObject([{ baseOffset: 0 }])
})

test('What was appended is counted, what was refused too', async () => {
  const { send, counted, partition } = await producing()
  await send(-1)
  partition.close()
  await send(-1)
  expect(counted).toEqual([{ records: 1, bytes: expect.any(Number) as number }, undefined])
})

test('A bug is thrown, not answered', async () => {
  const bug = new TypeError('a bug')
  const lookup = {
    whenReady: () => undefined,
    get() {
      throw bug
    },
  }
  const { send } = await producing({ lookup: lookup as never })
  expect(() => send(1)).toThrow(bug)
  expect(bug).not.toBeInstanceOf(KafkaError)
})

test('Batches wait to be appended while too much waits for the disk, one behind the other, and hold up what follows', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  // A batch has 77 bytes.
  const unflushed = new UnflushedBytes(100)
  const { send, log } = await producing({}, disk, unflushed)
  isSlow = true
  for (let n = 0; n < 3; n++) expect(send(1)).toMatchObject([{ baseOffset: n }])
  expect(log.unflushedBytes).toBeGreaterThan(200)

  const seen: string[] = []
  const answers = Array.from({ length: 8 }, (_, n) =>
    send(1, 1000, 1, () => {
      seen.push(`held ${n}`)
      return () => seen.push(`went on ${n} at ${log.logEndOffset}`)
    }),
  )
  await settle()
  expect(log.logEndOffset).toBe(3)
  expect(seen).toHaveLength(8)
  let most = 0
  for (let round = 0; round < 20; round++) {
    for (const work of works.splice(0)) work()
    await settle()
    most = Math.max(most, log.unflushedBytes)
  }
  const offsets = (await Promise.all(answers)).map(
    ([one]) => one && 'baseOffset' in one && one.baseOffset,
  )
  expect(offsets).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
  expect(seen.slice(8)).toEqual(offsets.map((offset, n) => `went on ${n} at ${Number(offset) + 1}`))
  expect(most).toBeLessThan(4 * 100)
})

test('Batches that wait for room are refused when the disk fails meanwhile', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  const { send, log } = await producing({}, disk, new UnflushedBytes(100))
  isSlow = true
  for (let n = 0; n < 3; n++) await send(1)
  const answer = send(-1)
  disk.fail({ on: 'sync', code: 'EIO' })
  for (const work of works.splice(0)) work()
  expect(await answer).toMatchObject([{ error: { code: 'KAFKA_STORAGE_ERROR' } }])
  expect(log.logEndOffset).toBe(3)
})

/** A batch of two records of which all codecs make little, or a twentieth; without one they are short. */
function largeBatch(compression: Compression, { isNoise = true } = {}): Uint8Array {
  const value = new Uint8Array(compression === 'none' ? 50_000 : 1_500_000)
  if (isNoise) value.set(new SeededRandom(1).bytes(50_000))
  const records = [value, value.slice(1)].map((bytes) => {
    return { value: bytes, timestamp: 1_704_067_200_000 }
  })
  return buildBatch(records, { compression })
}

function requestOf(records: readonly Uint8Array[], hold?: () => () => void) {
  const at = { topic: 'orders', topicId: ZERO_UUID, partition: 0 }
  const batches = records.map((bytes) => ({ ...at, records: bytes }))
  const call = { transactionalId: null, acks: 1, timeoutMs: 1000, allowsZstd: true, batches }
  return { ...call, ...(hold && { hold }) }
}

test('Large compressed batches are unpacked off the loop, and appended in their order', async () => {
  const { batches, log, counted } = await producing()
  const records = [
    largeBatch('gzip'),
    largeBatch('none'),
    largeBatch('zstd', { isNoise: false }),
    largeBatch('snappy'),
    largeBatch('lz4'),
    largeBatch('gzip', { isNoise: false }),
  ]
  let held = 0
  const hold = () => {
    held++
    return () => {
      // What comes next may be begun only when all of it is in the log.
      expect(log.logEndOffset).toBe(12)
      held--
    }
  }
  const answer = batches.produce(ANONYMOUS, requestOf(records, hold))
  expect(answer).toBeInstanceOf(Promise)
  expect(held).toBe(1)
  const outcomes = await answer
  expect(held).toBe(0)
  expect(outcomes).toMatchObject([0, 2, 4, 6, 8, 10].map((baseOffset) => ({ baseOffset })))
  expect(counted).toHaveLength(6)
})

test.each([
  {
    why: 'fails its checksum',
    damage: (bytes: Uint8Array) => bytes.fill(1, 90, 99),
    code: 'CORRUPT_MESSAGE',
  },
  {
    why: 'is no stream',
    damage(bytes: Uint8Array) {
      bytes.fill(1, 61, 90)
      new DataView(bytes.buffer).setUint32(17, crc32c(bytes, 21))
    },
    code: 'INVALID_RECORD',
  },
  {
    why: 'counts its records wrong',
    damage(bytes: Uint8Array) {
      const view = new DataView(bytes.buffer)
      view.setInt32(57, 3)
      view.setInt32(23, 2)
      view.setUint32(17, crc32c(bytes, 21))
    },
    code: 'INVALID_RECORD',
  },
])('A large compressed batch that $why is refused alone', async ({ damage, code }) => {
  const { batches, log } = await producing()
  const bad = largeBatch('lz4')
  damage(bad)
  const outcomes = await batches.produce(ANONYMOUS, requestOf([bad, largeBatch('lz4')]))
  expect(outcomes).toMatchObject([{ error: { code } }, { baseOffset: 0 }])
  expect(log.logEndOffset).toBe(2)
})

test('A large batch that unpacks to more than is allowed is refused', async () => {
  const { batches, log } = await producing()
  log.updateConfig({ ...log.config, maxDecompressedBytes: 2_000_000 })
  const bomb = largeBatch('zstd', { isNoise: false })
  const outcomes = await batches.produce(ANONYMOUS, requestOf([bomb]))
  expect(outcomes).toMatchObject([{ error: { code: 'INVALID_RECORD' } }])
})

test.each([
  { what: 'a trailer of gzip that says 0 bytes', behind: new Uint8Array(4) },
  { what: 'more than a batch may have', behind: new Uint8Array(1_100_000).fill(0x7f) },
])('A large batch is unpacked off the loop, whatever is behind it: $what', async ({ behind }) => {
  const { batches, log } = await producing()
  for (const codec of ['zstd', 'lz4', 'gzip'] as const) {
    const batch = largeBatch(codec, { isNoise: codec === 'lz4' })
    const padded = new Uint8Array(batch.length + behind.length)
    padded.set(batch)
    padded.set(behind, batch.length)
    const before = log.logEndOffset
    const answer = batches.produce(ANONYMOUS, requestOf([padded]))
    // A thread's answer is no microtask.
    for (let turn = 0; turn < 200; turn++) await Promise.resolve()
    expect(log.logEndOffset).toBe(before)
    expect(await answer).toMatchObject([{ baseOffset: before }])
  }
})

test('A large batch waits for its disk with the others', async () => {
  const { batches, log } = await producing()
  const call = { ...requestOf([largeBatch('lz4'), largeBatch('gzip')]), acks: -1 }
  expect(await batches.produce(ANONYMOUS, call)).toMatchObject([
    { baseOffset: 0 },
    { baseOffset: 2 },
  ])
  expect(log.durableOffset).toBe(4)
})
