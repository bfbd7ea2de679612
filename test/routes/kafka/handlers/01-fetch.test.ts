// Fetch: limits, waits, sessions, epochs and isolation, as consumers meet them.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import { settle } from '../../../simulation/virtual-clock.ts'
import { batchOf, FETCH, type FetchOptions, get, offsetsIn, send, type Target } from './clients.ts'
import { exchange, type SimulatedBroker, simulatedBroker } from './exchange.ts'

async function withTopic(
  options: { configs?: Record<string, string>; partitionCount?: number } & NonNullable<
    Parameters<typeof simulatedBroker>[0]
  > = {},
): Promise<SimulatedBroker> {
  const { configs = {}, partitionCount = 1, ...rest } = options
  const simulated = await simulatedBroker(rest)
  await simulated.broker.createTopic(ANONYMOUS, { name: 'orders', partitionCount, configs })
  return simulated
}

/** What one partition gives. */
async function one(broker: Broker, target: Omit<Target, 'topic'>, options: FetchOptions = {}) {
  const { partitions } = await get(broker, [{ topic: 'orders', ...target }], options)
  return partitions[0]
}

const ORDERS = { topic: 'orders', offset: 0 }

test.each([4, 5, 7, 9, 11, 12])(
  'Fetch v%i gives batches from the one that holds the offset on',
  async (version) => {
    const { broker } = await withTopic()
    await send(broker, 'orders', batchOf(['a', 'b', 'c']))
    await send(broker, 'orders', batchOf(['d']))
    const found = await one(broker, { offset: 1 }, { version })
    expect(found).toMatchObject({ error: 'NONE', highWatermark: 4, lastStableOffset: 4 })
    expect(found?.logStartOffset).toBe(version >= 5 ? 0 : -1)
    expect(found?.abortedTransactions).toBeNull()
    expect(found?.preferredReadReplica).toBe(-1)
    expect(offsetsIn(found?.records)).toEqual([
      [0, 2],
      [3, 3],
    ])
  },
)

test.each([13, 18])('Fetch v%i finds topics by id', async (version) => {
  const { broker } = await withTopic()
  await send(broker, 'orders', batchOf(['a']))
  const { topicId } = broker.describeTopic(ANONYMOUS, 'orders')
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAg'
  const { partitions } = await get(
    broker,
    [
      { topicId, offset: 0 },
      { topicId: unknown, offset: 0 },
    ],
    { version },
  )
  expect(partitions.map(({ topicId: id, error }) => [id, error])).toEqual([
    [topicId, 'NONE'],
    [unknown, 'UNKNOWN_TOPIC_ID'],
  ])
  expect(offsetsIn(partitions[0]?.records)).toEqual([[0, 0]])
})

test.each([
  { why: 'the log end', offset: 2, error: 'NONE' },
  { why: 'beyond the log end', offset: 3, error: 'OFFSET_OUT_OF_RANGE' },
  { why: 'below the log start', offset: 0, error: 'OFFSET_OUT_OF_RANGE' },
])('Fetch at $why is answered with $error', async ({ offset, error }) => {
  const { broker } = await withTopic()
  await send(broker, 'orders', batchOf(['a']))
  await send(broker, 'orders', batchOf(['b']))
  await broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 1 })
  const found = await one(broker, { offset })
  expect(found).toMatchObject({ error, highWatermark: error === 'NONE' ? 2 : -1 })
  expect(found?.records).toHaveLength(0)
})

test('Fetch of an unknown topic or partition is refused for that partition alone', async () => {
  const { broker } = await withTopic()
  await send(broker, 'orders', batchOf(['a']))
  const { partitions } = await get(broker, [
    { topic: 'nobody-knows', offset: 0 },
    { topic: 'orders', partition: 7, offset: 0 },
    ORDERS,
  ])
  expect(partitions.map(({ error }) => error)).toEqual([
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NONE',
  ])
  expect(partitions[0]?.abortedTransactions).toEqual([])
})

test('Fetch gives the first batch whole, cuts the next at the limit, and gives later partitions what is left', async () => {
  const { broker } = await withTopic({ partitionCount: 3 })
  const batch = batchOf(['0123456789'])
  for (const partition of [0, 0, 1, 2]) await send(broker, 'orders', batch.slice(), { partition })
  const targets = [0, 1, 2].map((partition) => ({ topic: 'orders', partition, offset: 0 }))
  const sizes = async (maxBytes: number, partitionBytes = 1_000_000) => {
    const limited = targets.map((target) => ({ ...target, maxBytes: partitionBytes }))
    const { partitions } = await get(broker, limited, { maxBytes })
    return partitions.map(({ records }) => records?.length)
  }
  const whole = batch.length
  expect(await sizes(1)).toEqual([whole, 0, 0])
  expect(await sizes(0)).toEqual([whole, 0, 0])
  expect(await sizes(whole + 10)).toEqual([whole + 10, 0, 0])
  expect(await sizes(3 * whole)).toEqual([2 * whole, whole, 0])
  expect(await sizes(1_000_000, whole + 1)).toEqual([whole + 1, whole, whole])
  expect(await sizes(1_000_000, 1)).toEqual([whole, 0, 0])
})

test('Fetch is bounded by fetch.max.bytes', async () => {
  const { broker } = await withTopic({ config: { 'fetch.max.bytes': '1024' } })
  for (let n = 0; n < 4; n++) await send(broker, 'orders', batchOf(['x'.repeat(500)]))
  expect((await one(broker, { offset: 0 }))?.records).toHaveLength(1024)
})

/** A fetch that may still be waiting. */
function begun(broker: Broker, targets: readonly Target[], options: FetchOptions) {
  const state = { isDone: false, answer: get(broker, targets, options) }
  void state.answer.then(() => {
    state.isDone = true
  })
  return state
}

test('Fetch waits for min_bytes, counts them over partitions, and looks at what changes alone', async () => {
  const { broker } = await withTopic({ partitionCount: 3 })
  const size = batchOf(['x']).length
  const targets = [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 0 }))
  const fetch = begun(broker, targets, { maxWaitMs: 10_000, minBytes: 3 * size })
  await settle()
  for (const partition of [2, 0, 1, 2]) await send(broker, 'orders', batchOf(['x']), { partition })
  await settle()
  expect(fetch.isDone).toBe(false)
  await send(broker, 'orders', batchOf(['x']), { partition: 1 })
  const { partitions } = await fetch.answer
  expect(partitions.map(({ records }) => offsetsIn(records).length)).toEqual([1, 2])
})

test('Fetch answers after max_wait with what there is, and not much later', async () => {
  const { broker, clock } = await withTopic()
  await send(broker, 'orders', batchOf(['x']))
  const fetch = begun(broker, [ORDERS], { maxWaitMs: 500, minBytes: 100_000 })
  await clock.run(499)
  expect(fetch.isDone).toBe(false)
  await clock.run(6)
  expect(fetch.isDone).toBe(true)
  expect(offsetsIn((await fetch.answer).partitions[0]?.records)).toEqual([[0, 0]])
})

test.each<{ why: string; error: string; cause: (simulated: SimulatedBroker) => unknown }>([
  {
    why: 'the topic is deleted',
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
    cause: ({ broker }) => broker.deleteTopic(ANONYMOUS, 'orders'),
  },
  {
    why: 'the log start passes its offset',
    error: 'OFFSET_OUT_OF_RANGE',
    cause: async ({ broker }) => {
      await send(broker, 'orders', batchOf(['x']))
      broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: -1 })
    },
  },
])('A waiting fetch is answered when $why', async ({ error, cause }) => {
  const simulated = await withTopic()
  const fetch = begun(simulated.broker, [ORDERS], { maxWaitMs: 100_000, minBytes: 10_000 })
  await settle()
  await cause(simulated)
  await settle()
  expect(fetch.isDone).toBe(true)
  expect((await fetch.answer).partitions[0]).toMatchObject({ error })
})

test('A waiting fetch ends when its client goes, and when the broker stops', async () => {
  const { broker, running } = await withTopic()
  const client = new AbortController()
  const left = begun(broker, [ORDERS], { maxWaitMs: 100_000, signal: client.signal })
  const right = begun(broker, [ORDERS], { maxWaitMs: 100_000 })
  await settle()
  client.abort()
  await settle()
  expect([left.isDone, right.isDone]).toEqual([true, false])
  await running.stop()
  expect((await right.answer).partitions).toHaveLength(1)
})

test('Fetch shows acks=all batches only when they are on disk, and what lies behind them with them', async () => {
  const { broker } = await withTopic()
  const slow = send(broker, 'orders', batchOf(['on disk first']))
  const quick = send(broker, 'orders', batchOf(['behind']), { acks: 1 })
  const now = await one(broker, { offset: 0 })
  await Promise.all([slow, quick])
  const then = await one(broker, { offset: 0 })
  expect([now?.highWatermark, then?.highWatermark]).toEqual([0, 2])
  expect(now?.records).toHaveLength(0)
})

test.each([
  { known: -1, error: 'NONE' },
  { known: 0, error: 'FENCED_LEADER_EPOCH' },
  { known: 1, error: 'NONE' },
  { known: 2, error: 'UNKNOWN_LEADER_EPOCH' },
])(
  'Fetch by a client that knows epoch $known of 1 is answered with $error',
  async ({ known, error }) => {
    const first = await withTopic()
    await send(first.broker, 'orders', batchOf(['a']), { acks: 1 })
    // An unclean stop raises the epoch.
    const { broker } = await simulatedBroker({ disk: first.disk.afterKill() })
    const { partitions, nodeEndpoints } = await get(
      broker,
      [
        {
          topicId: broker.describeTopic(ANONYMOUS, 'orders').topicId,
          offset: 0,
          leaderEpoch: known,
        },
      ],
      { version: 16 },
    )
    expect(partitions[0]).toMatchObject({ error })
    const isFenced = error === 'FENCED_LEADER_EPOCH'
    expect(partitions[0]?.currentLeader).toEqual(
      isFenced ? { leaderId: broker.nodeId, leaderEpoch: 1 } : { leaderId: -1, leaderEpoch: -1 },
    )
    const endpoint = { nodeId: broker.nodeId, host: 'broker.test', port: 9092, rack: null }
    expect(nodeEndpoints).toEqual(isFenced ? [endpoint] : [])
  },
)

test('Fetch tells a client whose log went another way where it parts', async () => {
  const first = await withTopic()
  await send(first.broker, 'orders', batchOf(['a']), { acks: 1 })
  const { broker } = await simulatedBroker({ disk: first.disk.afterKill() })
  await send(broker, 'orders', batchOf(['b']))
  await send(broker, 'orders', batchOf(['c']))
  const fetch = (offset: number, lastFetchedEpoch: number) =>
    one(broker, { offset, lastFetchedEpoch })
  expect(await fetch(3, 0)).toMatchObject({
    error: 'NONE',
    divergingEpoch: { epoch: 0, endOffset: 1 },
  })
  expect((await fetch(3, 0))?.records).toHaveLength(0)
  expect(await fetch(1, 0)).toMatchObject({ divergingEpoch: { epoch: -1, endOffset: -1 } })
  expect(await fetch(3, 1)).toMatchObject({ error: 'NONE', divergingEpoch: { epoch: -1 } })
  expect(await fetch(3, 9)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
})

test('Fetch by a replica is refused: this broker has none', async () => {
  const { broker } = await withTopic()
  expect(await one(broker, { offset: 0 }, { replicaId: 2 })).toMatchObject({
    error: 'NOT_LEADER_OR_FOLLOWER',
  })
})

test('Fetch with read_committed has a list of aborted transactions, empty without transactions', async () => {
  const { broker } = await withTopic()
  await send(broker, 'orders', batchOf(['a']))
  const found = await one(broker, { offset: 0 }, { isolationLevel: 1 })
  expect(found?.abortedTransactions).toEqual([])
  expect(offsetsIn(found?.records)).toEqual([[0, 0]])
  expect((await one(broker, { offset: 1 }, { isolationLevel: 1 }))?.abortedTransactions).toEqual([])
})

test('Fetch goes on over the ends of segments without waiting for more', async () => {
  const { broker } = await withTopic({ configs: { 'internal.segment.bytes': '200' } })
  for (let n = 0; n < 6; n++) await send(broker, 'orders', batchOf(['x'.repeat(50)]))
  const found: [number, number][] = []
  for (let offset = 0; offset < 6; ) {
    const fetch = begun(broker, [{ ...ORDERS, offset }], { maxWaitMs: 100_000, minBytes: 1000 })
    await settle()
    if (!fetch.isDone) break
    found.push(...offsetsIn((await fetch.answer).partitions[0]?.records))
    offset = (found.at(-1)?.[1] ?? 6) + 1
  }
  // A batch a segment. The active one holds less than min_bytes, so that the last of these fetches waits.
  expect(found.map(([base]) => base)).toEqual([0, 1, 2, 3, 4])
})

test('A fetch session tells once what stays the same, and again what changes', async () => {
  const { broker } = await withTopic({ partitionCount: 2 })
  await send(broker, 'orders', batchOf(['a']))
  const targets = [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 0 }))
  const full = await get(broker, targets, { sessionEpoch: 0 })
  const { sessionId } = full
  expect(sessionId).toBeGreaterThan(0)
  expect(full.partitions).toHaveLength(2)
  const at = (sessionEpoch: number, changed: Target[] = [], more: FetchOptions = {}) =>
    get(broker, changed, { sessionId, sessionEpoch, ...more })
  const indexes = (answer: { partitions: { partitionIndex: number }[] }) =>
    answer.partitions.map(({ partitionIndex }) => partitionIndex)

  expect(indexes(await at(1, [{ ...ORDERS, offset: 1 }]))).toEqual([])
  await send(broker, 'orders', batchOf(['b']), { partition: 1 })
  const news = await at(2)
  expect(news).toMatchObject({ error: 'NONE', sessionId })
  expect(indexes(news)).toEqual([1])
  expect(offsetsIn(news.partitions[0]?.records)).toEqual([[0, 0]])
  await broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 1 })
  expect(indexes(await at(3, [{ ...ORDERS, partition: 1, offset: 1 }]))).toEqual([0])
  expect(indexes(await at(4, [], { forgotten: [{ topic: 'orders', partitions: [1] }] }))).toEqual(
    [],
  )
  await send(broker, 'orders', batchOf(['c']), { partition: 1 })
  await send(broker, 'orders', batchOf(['d']))
  expect(indexes(await at(5))).toEqual([0])
})

test('A fetch session gives every partition its turn', async () => {
  const { broker } = await withTopic({ partitionCount: 3 })
  for (const partition of [0, 1, 2]) {
    for (let n = 0; n < 3; n++) await send(broker, 'orders', batchOf(['x']), { partition })
  }
  const offsets = [0, 0, 0]
  const turns: number[] = []
  const targets = offsets.map((offset, partition) => ({ topic: 'orders', partition, offset }))
  const { sessionId } = await get(broker, targets, { sessionEpoch: 0, maxBytes: 1 })
  offsets[0] = 1
  let changed = [{ topic: 'orders', partition: 0, offset: 1 }]
  for (let sessionEpoch = 1; sessionEpoch <= 6; sessionEpoch++) {
    const { partitions } = await get(broker, changed, { sessionId, sessionEpoch, maxBytes: 1 })
    const [given] = partitions.filter(({ records }) => (records?.length ?? 0) > 0)
    if (!given) break
    const { partitionIndex: partition } = given
    turns.push(partition)
    const offset = (offsets[partition] ?? 0) + 1
    offsets[partition] = offset
    changed = [{ topic: 'orders', partition, offset }]
  }
  expect(turns).toEqual([1, 2, 0, 1, 2, 0])
})

test('A fetch session is refused under another epoch, another id, and when topics change from names to ids', async () => {
  const { broker } = await withTopic()
  const { sessionId } = await get(broker, [ORDERS], { sessionEpoch: 0 })
  const refused = async (options: FetchOptions) => (await get(broker, [], options)).error
  expect(await refused({ sessionId: sessionId + 1, sessionEpoch: 1 })).toBe(
    'FETCH_SESSION_ID_NOT_FOUND',
  )
  expect(await refused({ sessionId, sessionEpoch: 2 })).toBe('INVALID_FETCH_SESSION_EPOCH')
  expect(await refused({ sessionId, sessionEpoch: 1, version: 13 })).toBe(
    'FETCH_SESSION_TOPIC_ID_ERROR',
  )
  expect(await refused({ sessionId, sessionEpoch: 1 })).toBe('NONE')
  const closing = await get(broker, [ORDERS], { sessionId, sessionEpoch: -1 })
  expect(closing).toMatchObject({ error: 'NONE', sessionId: 0 })
  expect(await refused({ sessionId, sessionEpoch: 2 })).toBe('FETCH_SESSION_ID_NOT_FOUND')
})

test('Without a slot for its session a client is served without one', async () => {
  const { broker } = await withTopic({
    config: { 'max.incremental.fetch.session.cache.slots': '1' },
  })
  expect((await get(broker, [ORDERS], { sessionEpoch: 0 })).sessionId).toBeGreaterThan(0)
  expect((await get(broker, [ORDERS], { sessionEpoch: 0 })).sessionId).toBe(0)
})

test('An error in a session is told each time, and the partition again when it has gone', async () => {
  const { broker } = await withTopic()
  const { sessionId } = await get(broker, [ORDERS, { topic: 'later', offset: 0 }], {
    sessionEpoch: 0,
  })
  const failing = await get(broker, [], { sessionId, sessionEpoch: 1 })
  expect(failing.partitions).toMatchObject([
    { topic: 'later', error: 'UNKNOWN_TOPIC_OR_PARTITION' },
  ])
  await broker.createTopic(ANONYMOUS, { name: 'later' })
  const mended = await get(broker, [], { sessionId, sessionEpoch: 2 })
  expect(mended.partitions).toMatchObject([{ topic: 'later', error: 'NONE' }])
})

test('Fetch with an empty request is answered at once', async () => {
  const { broker } = await withTopic()
  const answer = await exchange(
    broker,
    FETCH,
    { maxWaitMs: 100_000, minBytes: 1, topics: [], forgottenTopicsData: [], rackId: '' },
    { version: 12 },
  )
  expect(answer?.responses).toEqual([])
})

test.each([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n])(
  'Fetch at offset %s is out of range, in a session and without one',
  async (offset) => {
    const { broker } = await withTopic()
    await send(broker, 'orders', batchOf(['a']))
    const target = { ...ORDERS, offset }
    const found = await get(broker, [target], { sessionEpoch: 0, maxWaitMs: 500 })
    expect(found.partitions).toMatchObject([{ error: 'OFFSET_OUT_OF_RANGE', highWatermark: -1 }])
    const { sessionId } = found
    const again = await get(broker, [], { sessionId, sessionEpoch: 1, maxWaitMs: 500 })
    expect(again.partitions).toMatchObject([{ error: 'OFFSET_OUT_OF_RANGE' }])
  },
)
