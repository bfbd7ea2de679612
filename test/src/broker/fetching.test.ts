// Fetching: bytes are lent, given back once, and bounded over all answers together.
import { expect, test } from 'vitest'
import { type FetchCall, Fetching } from '#src/broker/fetching.ts'
import { Partition } from '#src/partitions/partition.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimulatedDisk } from '../../simulation/simulated-disk.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { openLog } from '../../storage/log/log-fixture.ts'

const CALL: FetchCall = {
  sessionId: 0,
  sessionEpoch: -1,
  usesTopicIds: false,
  targets: [
    {
      topic: 'orders',
      topicId: ZERO_UUID,
      partition: 0,
      offset: 0,
      maxBytes: 1_000_000_000,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    },
  ],
  forgotten: [],
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1_000_000_000,
  isolation: 'read_uncommitted',
  replicaId: -1,
}

async function fetchingFrom(
  disk = new SimulatedDisk(),
  segmentBytes = 1 << 30,
  mostLentBytes = 512 * 1_048_576,
) {
  const { log } = await openLog(disk, { config: { segmentBytes } })
  const partition = new Partition(log, 0)
  const clock = new VirtualClock()
  const fetching = new Fetching({
    lookup: { get: () => partition, leaderOf: () => undefined } as never,
    clock,
    mostLentBytes,
    random: new SeededRandom(1),
    sessionSlots: 1,
    maxBytes: () => 1_000_000_000,
  })
  const append = (size: number) =>
    partition.append(buildBatch([{ value: new Uint8Array(size), timestamp: 1_704_067_200_000 }]), {
      needsDisk: false,
    })
  return { fetching, append, disk, partition, log, clock }
}

test('A fetch lends its bytes until it is released, which counts once', async () => {
  const { fetching, append } = await fetchingFrom()
  append(1000)
  const fetched = await fetching.fetch(CALL)
  const [{ records } = { records: new Uint8Array(0) }] = fetched.partitions
  expect([...readBatches(records)]).toHaveLength(1)
  expect(fetching.stats.lentBytes).toBe(records.length)
  fetched.release()
  fetched.release()
  expect(fetching.stats.lentBytes).toBe(0)
})

test('Answers stay small while many bytes are lent, and are large again afterwards', async () => {
  const { fetching, append } = await fetchingFrom()
  for (let n = 0; n < 40; n++) append(1_000_000)
  const held: { release(): void }[] = []
  let last = 0
  for (let n = 0; n < 12; n++) {
    const fetched = await fetching.fetch(CALL)
    held.push(fetched)
    last = fetched.partitions[0]?.records.length ?? 0
  }
  // A first batch is given whole whatever the limit.
  expect(last).toBeLessThan(1_100_000)
  expect(fetching.stats.lentBytes).toBeLessThan(300 * 1_048_576)
  for (const one of held) one.release()
  const { partitions } = await fetching.fetch(CALL)
  expect(partitions[0]?.records.length).toBeGreaterThan(39_000_000)
})

test('Clients that do not read what they fetched hold a bounded number of bytes, first batches included', async () => {
  const { fetching, append, clock } = await fetchingFrom(new SimulatedDisk(), 1 << 30, 3_000_000)
  append(1_000_000)
  const held: { release(): void }[] = []
  for (let n = 0; n < 50; n++) held.push(await fetching.fetch(CALL))
  expect(fetching.stats.lentBytes).toBeLessThan(4_100_000)

  const { partitions } = await fetching.fetch(CALL)
  expect(partitions).toMatchObject([{ error: undefined, highWatermark: 1 }])
  expect(partitions[0]?.records).toHaveLength(0)

  const waiting = fetching.fetch({ ...CALL, maxWaitMs: 1000 })
  for (const one of held) one.release()
  const [woken] = (await waiting).partitions
  expect(woken?.records.length).toBeGreaterThan(1_000_000)

  for (let n = 0; n < 5; n++) await fetching.fetch(CALL)
  const patient = fetching.fetch({ ...CALL, maxWaitMs: 1000 })
  clock.advance(1000)
  expect((await patient).partitions[0]?.records).toHaveLength(0)
})

test('A sealed segment that has left memory is brought back off the loop before it is lent', async () => {
  const { fetching, append, disk, log, partition } = await fetchingFrom(new SimulatedDisk(), 2000)
  append(1500)
  append(1500)
  await log.flush()
  const first = await fetching.fetch(CALL)
  first.release()
  disk.evict('/data/orders-0/00000000000000000000.log')
  let warmed = 0
  const read = partition.read.bind(partition)
  partition.read = (offset, request) => {
    const slice = read(offset, request)
    const warm = slice.warm.bind(slice)
    slice.warm = () => {
      warmed++
      return warm()
    }
    return slice
  }
  const again = await fetching.fetch(CALL)
  expect(warmed).toBe(1)
  expect(again.partitions[0]).toMatchObject({ error: undefined })
  expect([...readBatches(again.partitions[0]?.records ?? new Uint8Array(0))]).toHaveLength(1)
  again.release()
})

test('A disk that can not be read is an error of the partition, with nothing lent', async () => {
  const { fetching, append, disk } = await fetchingFrom()
  append(1000)
  disk.breakRange('/data/orders-0/00000000000000000000.log', 0, 2000)
  const { partitions } = await fetching.fetch(CALL)
  expect(partitions).toMatchObject([{ error: 'KAFKA_STORAGE_ERROR', highWatermark: -1 }])
  expect(fetching.stats.lentBytes).toBe(0)
})

test('A partition that goes while its bytes are brought into memory is an error, with nothing lent', async () => {
  const { fetching, append, disk, log, partition } = await fetchingFrom(new SimulatedDisk(), 2000)
  append(1500)
  append(1500)
  await log.flush()
  const first = await fetching.fetch(CALL)
  first.release()
  disk.evict('/data/orders-0/00000000000000000000.log')
  const answer = fetching.fetch(CALL)
  partition.close()
  const { partitions } = await answer
  expect(partitions).toMatchObject([{ error: 'UNKNOWN_TOPIC_OR_PARTITION', highWatermark: -1 }])
  expect(partitions[0]?.records).toHaveLength(0)
  expect(fetching.stats.lentBytes).toBe(0)
})

test('What was lent for some partitions comes back when another one meets a bug', async () => {
  const { fetching, append, partition } = await fetchingFrom()
  append(1000)
  let held = 0
  let reads = 0
  const read = partition.read.bind(partition)
  partition.read = (offset, request) => {
    const slice = read(offset, request)
    const lease = slice.lease.bind(slice)
    const isSecond = ++reads % 2 === 0
    slice.lease = () => {
      if (isSecond) throw new RangeError('Array buffer allocation failed')
      held++
      const { bytes, release } = lease()
      const giveBack = () => {
        held--
        release()
      }
      return { bytes, release: giveBack }
    }
    return slice
  }
  const [target] = CALL.targets
  const twice = { ...CALL, targets: [target, target].flatMap((one) => one ?? []) }
  await expect(fetching.fetch(twice)).rejects.toThrow(RangeError)
  expect([reads, held]).toEqual([2, 0])
})
