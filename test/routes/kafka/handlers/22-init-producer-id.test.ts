// InitProducerId and what it is for: idempotent producers from end to end, and what a crash leaves of them.
import { expect, test } from 'vitest'
import { initProducerId } from '../../../../routes/kafka/handlers/22-init-producer-id.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../../../src/protocol/messages/22-init-producer-id.ts'
import type { Int64 } from '../../../../storage/bytes/int64.ts'
import { batchOf, get, nameOf, offsetsIn, send, sequenced } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const INIT = {
  api: initProducerId,
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,
}
const DAY_MS = 86_400_000

async function newId(
  broker: Broker,
  request: { transactionalId?: string; producerId?: Int64; producerEpoch?: number } = {},
  version = 4,
) {
  const { transactionalId = null, ...known } = request
  const answer = await exchange(
    broker,
    INIT,
    { transactionalId, transactionTimeoutMs: 60_000, ...known },
    { version },
  )
  if (!answer) throw new Error('InitProducerId always answers')
  return { ...answer, error: nameOf(answer.errorCode) }
}

async function withTopic(options: Parameters<typeof simulatedBroker>[0] = {}) {
  const simulated = await simulatedBroker(options)
  await simulated.broker.createTopic(ANONYMOUS, { name: 'orders' })
  return simulated
}

test.each([0, 1, 2, 5])(
  'InitProducerId v%i gives every producer another id, with epoch 0',
  async (version) => {
    const { broker } = await simulatedBroker()
    const answers = await Promise.all([1, 2, 3].map(() => newId(broker, {}, version)))
    expect(answers.map(({ error, producerEpoch }) => [error, producerEpoch])).toEqual([
      ['NONE', 0],
      ['NONE', 0],
      ['NONE', 0],
    ])
    expect(new Set(answers.map(({ producerId }) => producerId)).size).toBe(3)
  },
)

test('InitProducerId gives no id twice, over block ends, restarts and power losses', async () => {
  const seen = new Set<Int64>()
  let { broker, disk, running } = await simulatedBroker()
  for (let n = 0; n < 1002; n++) seen.add((await newId(broker)).producerId)
  expect(seen.size).toBe(1002)
  for (let seed = 1; seed <= 3; seed++) {
    const crashed = disk.afterCrash(seed)
    ;({ broker, disk, running } = await simulatedBroker({ disk: crashed }))
    const { producerId } = await newId(broker)
    expect(seen.has(producerId), `seed ${seed}`).toBe(false)
    seen.add(producerId)
  }
  await running.stop()
})

test.each([
  { why: 'an id without an epoch', request: { producerId: 5 }, error: 'INVALID_REQUEST' },
  { why: 'an epoch without an id', request: { producerEpoch: 5 }, error: 'INVALID_REQUEST' },
  { why: 'an empty transactional id', request: { transactionalId: '' }, error: 'INVALID_REQUEST' },
  { why: 'a transactional id', request: { transactionalId: 't' }, error: 'UNSUPPORTED_VERSION' },
])('InitProducerId refuses $why', async ({ request, error }) => {
  const { broker } = await simulatedBroker()
  expect(await newId(broker, request)).toMatchObject({ error, producerId: -1, producerEpoch: -1 })
})

test('InitProducerId gives a new id to an idempotent producer that shows its old one', async () => {
  const { broker } = await simulatedBroker()
  const first = await newId(broker)
  const { producerId, producerEpoch } = first
  const next = await newId(broker, { producerId, producerEpoch })
  expect(next).toMatchObject({ error: 'NONE', producerEpoch: 0 })
  expect(next.producerId).not.toBe(producerId)
})

test('A duplicate of any of the last five batches is answered with its first offset, an older one refused', async () => {
  const { broker } = await withTopic()
  for (let n = 0; n < 6; n++)
    await send(broker, 'orders', sequenced(9, { sequence: n * 2, count: 2 }))
  for (let n = 1; n < 6; n++) {
    const again = await send(broker, 'orders', sequenced(9, { sequence: n * 2, count: 2 }))
    expect(again).toMatchObject({ error: 'NONE', baseOffset: n * 2 })
  }
  const old = await send(broker, 'orders', sequenced(9, { sequence: 0, count: 2 }))
  expect(old).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  expect(broker.partitionOffsets(ANONYMOUS, 'orders', 0).highWatermark).toBe(12)
})

test.each([
  { why: 'a gap', batch: { sequence: 5 }, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
  { why: 'an overlap', batch: { sequence: 1, count: 2 }, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
  { why: 'an older epoch', batch: { epoch: 2, sequence: 2 }, error: 'INVALID_PRODUCER_EPOCH' },
  {
    why: 'a newer epoch that does not begin at 0',
    batch: { epoch: 4, sequence: 2 },
    error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
  { why: 'a newer epoch', batch: { epoch: 4, sequence: 0 }, error: 'NONE' },
  { why: 'the next sequence', batch: { epoch: 3, sequence: 2 }, error: 'NONE' },
])('After sequences 0 and 1 of epoch 3, $why is answered with $error', async ({ batch, error }) => {
  const { broker } = await withTopic()
  await send(broker, 'orders', sequenced(9, { epoch: 3, sequence: 0, count: 2 }))
  expect(await send(broker, 'orders', sequenced(9, { epoch: 3, ...batch }))).toMatchObject({
    error,
  })
})

test('Sequences begin again at 0 behind 2147483647, within a batch too', async () => {
  const { broker } = await withTopic()
  const first = await send(broker, 'orders', sequenced(9, { sequence: 2_147_483_646 }))
  expect(first).toMatchObject({ error: 'NONE' })
  const over = sequenced(9, { sequence: 2_147_483_647, count: 2 })
  expect(await send(broker, 'orders', over.slice())).toMatchObject({ error: 'NONE', baseOffset: 1 })
  expect(await send(broker, 'orders', over.slice())).toMatchObject({ error: 'NONE', baseOffset: 1 })
  const next = await send(broker, 'orders', sequenced(9, { sequence: 1 }))
  expect(next).toMatchObject({ error: 'NONE', baseOffset: 3 })
})

test('A producer id beyond 2^53 is told apart from its neighbours', async () => {
  const { broker } = await withTopic()
  const [left, right] = [9_007_199_254_740_993n, 9_007_199_254_740_994n]
  await send(broker, 'orders', sequenced(left, { sequence: 0 }))
  expect(await send(broker, 'orders', sequenced(right, { sequence: 0 }))).toMatchObject({
    baseOffset: 1,
  })
  expect(await send(broker, 'orders', sequenced(left, { sequence: 0 }))).toMatchObject({
    baseOffset: 0,
  })
})

test.each([
  { fault: 'a stop and a start', isClean: true },
  { fault: 'kill -9', isClean: false },
])('After $fault a retry is a duplicate, and a gap still a gap', async ({ isClean }) => {
  const { broker, disk, running } = await withTopic()
  for (let n = 0; n < 3; n++) await send(broker, 'orders', sequenced(9, { sequence: n }))
  await send(broker, 'orders', sequenced(8, { epoch: 4, sequence: 0 }))
  if (isClean) await running.stop()
  const next = await simulatedBroker({ disk: disk.afterKill() })
  const again = await send(next.broker, 'orders', sequenced(9, { sequence: 2 }))
  expect(again).toMatchObject({ error: 'NONE', baseOffset: 2 })
  const gap = await send(next.broker, 'orders', sequenced(9, { sequence: 4 }))
  expect(gap).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  const fenced = await send(next.broker, 'orders', sequenced(8, { epoch: 3, sequence: 1 }))
  expect(fenced).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await send(next.broker, 'orders', sequenced(9, { sequence: 3 }))).toMatchObject({
    baseOffset: 4,
  })
})

test('A retry that is acknowledged after kill -9 is still there after the power fails', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { broker, disk } = await withTopic()
    // acks 1: appended, not on disk.
    await send(broker, 'orders', sequenced(9, { sequence: 0, count: 3 }), { acks: 1 })
    const killed = await simulatedBroker({ disk: disk.afterKill(seed) })
    const again = await send(killed.broker, 'orders', sequenced(9, { sequence: 0, count: 3 }))
    expect(again, `seed ${seed}`).toMatchObject({ error: 'NONE', baseOffset: 0 })
    const { broker: last } = await simulatedBroker({ disk: killed.disk.afterCrash(seed) })
    const { partitions } = await get(last, [{ topic: 'orders', offset: 0 }])
    expect(offsetsIn(partitions[0]?.records), `seed ${seed}`).toEqual([[0, 2]])
  }
})

test('A duplicate with acks=all waits for the disk like its original', async () => {
  const { broker, disk } = await withTopic()
  await send(broker, 'orders', sequenced(9, { sequence: 0 }), { acks: 1 })
  await send(broker, 'orders', sequenced(9, { sequence: 0 }), { acks: -1 })
  for (let seed = 1; seed <= 10; seed++) {
    const { broker: found } = await simulatedBroker({ disk: disk.afterCrash(seed) })
    expect(found.partitionOffsets(ANONYMOUS, 'orders', 0).highWatermark, `seed ${seed}`).toBe(1)
  }
})

test('A producer that was idle for a day is forgotten, and may go on with any sequence', async () => {
  const { broker, clock } = await withTopic()
  const now = clock.now()
  await send(broker, 'orders', sequenced(9, { sequence: 0 }))
  await clock.run(DAY_MS + 660_000)
  expect(clock.now()).toBeGreaterThan(now + DAY_MS)
  expect(await send(broker, 'orders', sequenced(9, { sequence: 77 }))).toMatchObject({
    error: 'NONE',
  })
})

test('Batches without a producer id are never duplicates', async () => {
  const { broker } = await withTopic()
  const batch = batchOf(['same'])
  expect(await send(broker, 'orders', batch.slice())).toMatchObject({ baseOffset: 0 })
  expect(await send(broker, 'orders', batch.slice())).toMatchObject({ baseOffset: 1 })
})
