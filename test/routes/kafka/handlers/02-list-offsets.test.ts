// ListOffsets: times, the times that stand for a place, and who may see which.
import { expect, test } from 'vitest'
import { listOffsets } from '../../../../routes/kafka/handlers/02-list-offsets.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  ListOffsetsRequest,
  ListOffsetsResponse,
} from '../../../../src/protocol/messages/02-list-offsets.ts'
import { buildBatch } from '../../../../storage/batch/batch-builder.ts'
import type { Int64 } from '../../../../storage/bytes/int64.ts'
import { batchOf, nameOf, send } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const LIST = { api: listOffsets, request: ListOffsetsRequest, response: ListOffsetsResponse }

async function find(
  broker: Broker,
  timestamp: Int64,
  options: {
    version?: number
    replicaId?: number
    isolationLevel?: number
    leaderEpoch?: number
    topic?: string
  } = {},
) {
  const {
    version = 11,
    replicaId = -1,
    isolationLevel = 0,
    leaderEpoch = -1,
    topic = 'orders',
  } = options
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: leaderEpoch, timestamp }]
  const request = { replicaId, isolationLevel, topics: [{ name: topic, partitions }] }
  const answer = await exchange(broker, LIST, request, { version })
  const found = answer?.topics[0]?.partitions[0]
  if (!found) throw new Error('ListOffsets answers for each partition')
  const { offset, timestamp: at } = found
  return { error: nameOf(found.errorCode), offset, timestamp: at, leaderEpoch: found.leaderEpoch }
}

/** Records at offsets 0 to 4, with times that do not ascend; offset 0 was deleted. */
async function timed() {
  const simulated = await simulatedBroker()
  const { broker } = simulated
  await broker.createTopic(ANONYMOUS, { name: 'orders' })
  for (const times of [[100], [200, 400, 300], [250]]) {
    const records = times.map((timestamp) => ({ value: new Uint8Array(1), timestamp }))
    await send(broker, 'orders', buildBatch(records, { leaderEpoch: -1 }))
  }
  await broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 1 })
  return simulated
}

const NOTHING = { error: 'NONE', offset: -1, timestamp: -1, leaderEpoch: -1 }

test.each<{ why: string; timestamp: Int64; found: object }>([
  {
    why: 'latest',
    timestamp: -1,
    found: { error: 'NONE', offset: 5, timestamp: -1, leaderEpoch: 0 },
  },
  {
    why: 'earliest',
    timestamp: -2,
    found: { error: 'NONE', offset: 1, timestamp: -1, leaderEpoch: 0 },
  },
  {
    why: 'largest timestamp',
    timestamp: -3,
    found: { error: 'NONE', offset: 2, timestamp: 400, leaderEpoch: 0 },
  },
  {
    why: 'earliest local',
    timestamp: -4,
    found: { error: 'NONE', offset: 1, timestamp: -1, leaderEpoch: 0 },
  },
  { why: 'latest tiered', timestamp: -5, found: NOTHING },
  { why: 'earliest pending upload', timestamp: -6, found: NOTHING },
  {
    why: 'a time before all',
    timestamp: 0,
    found: { error: 'NONE', offset: 1, timestamp: 200, leaderEpoch: 0 },
  },
  {
    why: 'a time that one has',
    timestamp: 200,
    found: { error: 'NONE', offset: 1, timestamp: 200, leaderEpoch: 0 },
  },
  {
    why: 'a time between two',
    timestamp: 201,
    found: { error: 'NONE', offset: 2, timestamp: 400, leaderEpoch: 0 },
  },
  { why: 'a time behind all', timestamp: 401, found: NOTHING },
  { why: 'a time beyond 2^53', timestamp: 9_223_372_036_854_775_807n, found: NOTHING },
])('ListOffsets finds $why', async ({ timestamp, found }) => {
  const { broker } = await timed()
  expect(await find(broker, timestamp)).toEqual(found)
})

test.each<{ timestamp: Int64; since: number }>([
  { timestamp: -3, since: 7 },
  { timestamp: -4, since: 8 },
  { timestamp: -5, since: 9 },
  { timestamp: -6, since: 11 },
])('ListOffsets knows timestamp $timestamp from v$since on', async ({ timestamp, since }) => {
  const { broker } = await timed()
  expect((await find(broker, timestamp, { version: since })).error).toBe('NONE')
  expect((await find(broker, timestamp, { version: since - 1 })).error).toBe('UNSUPPORTED_VERSION')
})

test.each<Int64>([-7, -100, -9_223_372_036_854_775_808n])(
  'ListOffsets refuses timestamp %s',
  async (timestamp) => {
    const { broker } = await timed()
    expect((await find(broker, timestamp)).error).toBe('UNSUPPORTED_VERSION')
  },
)

test.each([1, 2, 3, 4, 6])('ListOffsets v%i has its own form', async (version) => {
  const { broker } = await timed()
  const found = await find(broker, -1, { version, isolationLevel: 0 })
  expect(found).toMatchObject({ error: 'NONE', offset: 5, leaderEpoch: version >= 4 ? 0 : -1 })
})

test('ListOffsets shows consumers what is committed, others the log end', async () => {
  const { broker } = await timed()
  const slow = send(broker, 'orders', batchOf(['not on disk']))
  const [consumer, committed, replica, byTime] = await Promise.all([
    find(broker, -1),
    find(broker, -1, { isolationLevel: 1 }),
    find(broker, -1, { replicaId: -2 }),
    find(broker, 1_704_067_200_000),
  ])
  expect([consumer.offset, committed.offset, replica.offset]).toEqual([5, 5, 6])
  expect(byTime).toEqual(NOTHING)
  await slow
  expect(await find(broker, 1_704_067_200_000)).toMatchObject({ offset: 5 })
})

test.each([
  {
    why: 'an unknown topic',
    options: { topic: 'nobody-knows' },
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
  },
  { why: 'a newer epoch', options: { leaderEpoch: 3 }, error: 'UNKNOWN_LEADER_EPOCH' },
  { why: 'the epoch', options: { leaderEpoch: 0 }, error: 'NONE' },
])('ListOffsets with $why is answered with $error', async ({ options, error }) => {
  const { broker } = await timed()
  expect((await find(broker, -1, options)).error).toBe(error)
})

test('ListOffsets refuses a partition that is asked for twice, and answers the others', async () => {
  const { broker } = await timed()
  const partition = { partitionIndex: 0, timestamp: -1 }
  await broker.createTopic(ANONYMOUS, { name: 'other' })
  const topics = [
    { name: 'orders', partitions: [partition, partition] },
    { name: 'other', partitions: [partition] },
  ]
  const answer = await exchange(
    broker,
    LIST,
    { replicaId: -1, isolationLevel: 0, topics },
    { version: 5 },
  )
  const errors = answer?.topics.map(({ partitions }) =>
    partitions.map(({ errorCode }) => nameOf(errorCode)),
  )
  expect(errors).toEqual([['INVALID_REQUEST'], ['NONE']])
})
