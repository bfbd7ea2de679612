// Produce: what is refused and how, where batches go, and that sequences hold whatever happens to the broker.
import { expect, test } from 'vitest'
import { ClosesConnection } from '../../../../routes/kafka/api.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { BatchOptions } from '../../../../storage/batch/batch-builder.ts'
import { SimulatedDisk } from '../../../simulation/simulated-disk.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { batchOf, get, nameOf, offsetsIn, PRODUCE, send, sequenced } from './clients.ts'
import { exchange, type SimulatedBroker, simulatedBroker } from './exchange.ts'

async function withTopic(
  configs: Record<string, string> = {},
  options: Parameters<typeof simulatedBroker>[0] = {},
): Promise<SimulatedBroker> {
  const simulated = await simulatedBroker(options)
  await simulated.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount: 2, configs })
  return simulated
}

test.each([3, 5, 8, 9, 12])(
  'Produce v%i appends a batch and answers with its offset',
  async (version) => {
    const { broker } = await withTopic()
    await send(broker, 'orders', batchOf(['a', 'b']), { version })
    const answer = await send(broker, 'orders', batchOf(['c']), { version })
    expect(answer).toMatchObject({ error: 'NONE', baseOffset: 2, logAppendTimeMs: -1 })
    expect(answer?.logStartOffset).toBe(version >= 5 ? 0 : -1)
    const [fetched] = (await get(broker, [{ topic: 'orders', offset: 0 }])).partitions
    expect(offsetsIn(fetched?.records)).toEqual([
      [0, 1],
      [2, 2],
    ])
  },
)

test('Produce v13 finds topics by id, and names neither an unknown one nor its error by name', async () => {
  const { broker } = await withTopic()
  const { topicId } = broker.describeTopic(ANONYMOUS, 'orders')
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAg'
  const partitionData = () => [{ index: 0, records: batchOf(['x']) }]
  const response = await exchange(
    broker,
    PRODUCE,
    {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        { topicId, partitionData: partitionData() },
        { topicId: unknown, partitionData: partitionData() },
      ],
    },
    { version: 13 },
  )
  const answers = response?.responses.map((topic) => [
    topic.topicId,
    nameOf(topic.partitionResponses[0]?.errorCode ?? -1),
  ])
  expect(answers).toEqual([
    [topicId, 'NONE'],
    [unknown, 'UNKNOWN_TOPIC_ID'],
  ])
})

const twice = (batch: Uint8Array) => Uint8Array.from([...batch, ...batch])
const patched = (batch: Uint8Array, at: number, ...bytes: number[]) => {
  batch.set(bytes, at)
  return batch
}

test.each<{ why: string; error: string; records: Uint8Array | null; version?: number }>([
  { why: 'no records', error: 'INVALID_RECORD', records: null },
  { why: 'empty records', error: 'INVALID_RECORD', records: new Uint8Array(0) },
  { why: 'a part of a batch', error: 'INVALID_RECORD', records: batchOf(['a']).subarray(0, 60) },
  { why: 'two batches', error: 'INVALID_RECORD', records: twice(batchOf(['a'])) },
  { why: 'magic 1', error: 'INVALID_RECORD', records: patched(batchOf(['a']), 16, 1) },
  { why: 'magic 3', error: 'CORRUPT_MESSAGE', records: patched(batchOf(['a']), 16, 3) },
  {
    why: 'an impossible length',
    error: 'CORRUPT_MESSAGE',
    records: patched(batchOf(['a']), 8, 0, 0, 0, 13),
  },
  { why: 'a flipped bit', error: 'CORRUPT_MESSAGE', records: patched(batchOf(['abcd']), 65, 0xff) },
  { why: 'a base offset', error: 'INVALID_RECORD', records: patched(batchOf(['a']), 7, 5) },
  {
    why: 'zstd before v7',
    error: 'UNSUPPORTED_COMPRESSION_TYPE',
    records: batchOf(['a'], { compression: 'zstd' }),
    version: 6,
  },
])(
  'Produce refuses $why with $error, and appends nothing',
  async ({ error, records, version = 9 }) => {
    const { broker } = await withTopic()
    expect(await send(broker, 'orders', records, { version })).toMatchObject({
      error,
      baseOffset: -1,
    })
    expect(broker.partitionOffsets(ANONYMOUS, 'orders', 0).highWatermark).toBe(0)
    expect(broker.counters).toMatchObject({ failedProduces: 1, producedRecords: 0 })
  },
)

test('Produce takes zstd from v7 on, and leaves the bytes behind a whole batch out', async () => {
  const { broker } = await withTopic()
  const zstd = batchOf(['a'], { compression: 'zstd' })
  expect(await send(broker, 'orders', zstd, { version: 7 })).toMatchObject({ error: 'NONE' })
  const ragged = Uint8Array.from([...batchOf(['b']), 1, 2, 3])
  expect(await send(broker, 'orders', ragged)).toMatchObject({ error: 'NONE', baseOffset: 1 })
})

test.each([
  { topic: 'orders', partition: 2 },
  { topic: 'nobody-knows', partition: 0 },
])(
  'Produce to $topic-$partition is refused, and creates no topic',
  async ({ topic, partition }) => {
    const { broker } = await withTopic()
    const answer = await send(broker, topic, batchOf(['a']), { partition })
    expect(answer).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION', baseOffset: -1 })
    expect(broker.listTopics(ANONYMOUS).map(({ name }) => name)).toEqual(['orders'])
  },
)

test.each([2, -2, 100])('Produce refuses acks %i', async (acks) => {
  const { broker } = await withTopic()
  const answer = await send(broker, 'orders', batchOf(['a']), { acks })
  expect(answer).toMatchObject({ error: 'INVALID_REQUIRED_ACKS' })
})

test('Produce names the records at fault from v8 on', async () => {
  const { broker } = await withTopic({ 'cleanup.policy': 'compact' })
  const answer = await send(broker, 'orders', batchOf(['a', 'b']), { version: 8 })
  expect(answer).toMatchObject({ error: 'INVALID_RECORD' })
  expect(answer?.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1])
  expect(answer?.errorMessage).toMatch(/2 of 2 records/)
  const older = await send(broker, 'orders', batchOf(['a', 'b']), { version: 7 })
  expect(older).toMatchObject({ error: 'INVALID_RECORD', recordErrors: [] })
})

test('Produce tells the append time of a LogAppendTime topic, for a duplicate too', async () => {
  const { broker, clock } = await withTopic({ 'message.timestamp.type': 'LogAppendTime' })
  const before = clock.now()
  const first = await send(broker, 'orders', sequenced(5, { sequence: 0 }))
  clock.advance(1000)
  const again = await send(broker, 'orders', sequenced(5, { sequence: 0 }))
  expect(first).toMatchObject({ error: 'NONE', logAppendTimeMs: before })
  expect(again).toMatchObject({ error: 'NONE', logAppendTimeMs: before, baseOffset: 0 })
})

test('Produce refuses one partition and takes another of the same request', async () => {
  const { broker } = await withTopic()
  const response = await exchange(
    broker,
    PRODUCE,
    {
      acks: 1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'orders',
          partitionData: [
            { index: 0, records: patched(batchOf(['abcd']), 65, 0xff) },
            { index: 1, records: batchOf(['good']) },
          ],
        },
      ],
    },
    { version: 9 },
  )
  const codes = response?.responses[0]?.partitionResponses.map(({ errorCode }) => nameOf(errorCode))
  expect(codes).toEqual(['CORRUPT_MESSAGE', 'NONE'])
})

test('Produce with acks 0 has no answer, and closes the connection when it is refused', async () => {
  const { broker } = await withTopic()
  expect(await send(broker, 'orders', batchOf(['a']), { acks: 0 })).toBeUndefined()
  expect(broker.partitionOffsets(ANONYMOUS, 'orders', 0).highWatermark).toBe(1)
  await expect(send(broker, 'unknown', batchOf(['a']), { acks: 0 })).rejects.toThrow(
    ClosesConnection,
  )
  const transactional = batchOf(['a'], {
    isTransactional: true,
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
  })
  await expect(send(broker, 'orders', transactional, { acks: 0 })).rejects.toThrow(ClosesConnection)
})

test('Produce refuses transactional batches while there are no transactions', async () => {
  const { broker } = await withTopic()
  const options: BatchOptions = {
    isTransactional: true,
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
  }
  const without = await send(broker, 'orders', batchOf(['a'], options))
  expect(without).toMatchObject({ error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' })
  const named = await send(broker, 'orders', batchOf(['a'], options), { transactionalId: 't' })
  expect(named).toMatchObject({ error: 'INVALID_PRODUCER_ID_MAPPING' })
  const plain = await send(broker, 'orders', batchOf(['a']), { transactionalId: 't' })
  expect(plain).toMatchObject({ error: 'NONE' })
})

test('Produce leaves internal topics to Kafka tools', async () => {
  const { broker } = await simulatedBroker()
  await broker.createTopic(ANONYMOUS, { name: '__consumer_offsets' })
  const answer = await send(broker, '__consumer_offsets', batchOf(['a']))
  expect(answer).toMatchObject({ error: 'INVALID_TOPIC_EXCEPTION' })
  const clientId = '__admin_client'
  const tool = await send(broker, '__consumer_offsets', batchOf(['a']), { clientId })
  expect(tool).toMatchObject({ error: 'NONE' })
})

test('Produce appends before it answers, so that requests of a connection keep their order', async () => {
  const { broker } = await withTopic()
  const answers = ['first', 'second', 'third'].map((value) =>
    broker.produceBatches(ANONYMOUS, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      allowsZstd: true,
      batches: [
        {
          topic: 'orders',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partition: 0,
          records: batchOf([value]),
        },
      ],
    }),
  )
  const settled = await Promise.all(answers)
  expect(settled.flat()).toMatchObject([{ baseOffset: 0 }, { baseOffset: 1 }, { baseOffset: 2 }])
})

test.each([
  { why: 'a gap in the sequence', batch: () => sequenced(1, { sequence: 9 }), logStartOffset: 1 },
  { why: 'a base offset', batch: () => patched(batchOf(['a']), 7, 5), logStartOffset: 1 },
  { why: 'damage', batch: () => patched(batchOf(['abcd']), 65, 0xff), logStartOffset: -1 },
  { why: 'its form', batch: () => new Uint8Array(3), logStartOffset: -1 },
])('Produce tells the log start when it refuses a batch for $why: $logStartOffset', async (row) => {
  const { broker } = await withTopic()
  await send(broker, 'orders', sequenced(1, { sequence: 0 }))
  await broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 1 })
  const answer = await send(broker, 'orders', row.batch())
  expect(answer?.error).not.toBe('NONE')
  expect(answer?.logStartOffset).toBe(row.logStartOffset)
})

test('Batches for a topic whose log is being made are appended in order when it is there', async () => {
  const works: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({ schedule: (work) => (isSlow ? works.push(work) : work()) })
  const { broker } = await simulatedBroker({ disk })
  isSlow = true
  const created = broker.createTopic(ANONYMOUS, { name: 'orders' })
  while (broker.listTopics(ANONYMOUS).length === 0) {
    works.shift()?.()
    await settle()
  }
  let isThere = false
  void created.then(() => {
    isThere = true
  })
  const first = send(broker, 'orders', sequenced(7, { sequence: 0 }), { acks: 1 })
  const second = send(broker, 'orders', sequenced(7, { sequence: 1 }), { acks: 1 })
  await settle()
  expect(isThere).toBe(false)
  isSlow = false
  for (const work of works.splice(0)) work()
  expect(await first).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(await second).toMatchObject({ error: 'NONE', baseOffset: 1 })
  await created
})

test('Produce to many partitions of a topic with an endless name is refused in few words', async () => {
  const { broker } = await simulatedBroker()
  const partitionData = Array.from({ length: 100 }, (_, index) => ({ index, records: null }))
  const topicData = [{ name: 'n'.repeat(32_700), partitionData }]
  const request = { acks: 1, timeoutMs: 1000, topicData }
  const response = await exchange(broker, PRODUCE, request, { version: 8 })
  const answers = response?.responses[0]?.partitionResponses ?? []
  expect(answers).toHaveLength(100)
  for (const { errorCode, errorMessage } of answers) {
    expect(nameOf(errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(errorMessage?.length).toBeLessThanOrEqual(500)
  }
})
