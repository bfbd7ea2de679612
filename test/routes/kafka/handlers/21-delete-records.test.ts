// DeleteRecords: the log start moves, or stays where it is with a reason.
import { expect, test } from 'vitest'
import { deleteRecords } from '../../../../routes/kafka/handlers/21-delete-records.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from '../../../../src/protocol/messages/21-delete-records.ts'
import { batchOf, get, nameOf, send } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const DELETE = {
  api: deleteRecords,
  request: DeleteRecordsRequest,
  response: DeleteRecordsResponse,
}

test.each([
  { why: 'an offset', offset: 2, error: 'NONE', lowWatermark: 2 },
  { why: 'an offset inside a batch', offset: 1, error: 'NONE', lowWatermark: 1 },
  { why: 'the high watermark', offset: -1, error: 'NONE', lowWatermark: 3 },
  { why: 'what is deleted already', offset: 0, error: 'NONE', lowWatermark: 0 },
  { why: 'more than there is', offset: 4, error: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 },
  { why: 'a negative offset', offset: -2, error: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 },
  {
    why: 'the largest offset there can be',
    offset: 2n ** 63n - 1n,
    error: 'OFFSET_OUT_OF_RANGE',
    lowWatermark: -1,
  },
  {
    why: 'an unknown partition',
    offset: 0,
    partition: 9,
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
    lowWatermark: -1,
  },
  {
    why: 'a compacted topic',
    topic: 'compacted',
    offset: 0,
    error: 'POLICY_VIOLATION',
    lowWatermark: -1,
  },
  {
    why: 'a topic that is deleted from too',
    topic: 'both',
    offset: 0,
    error: 'NONE',
    lowWatermark: 0,
  },
  {
    why: 'an internal topic',
    topic: '__consumer_offsets',
    offset: 0,
    error: 'INVALID_TOPIC_EXCEPTION',
    lowWatermark: -1,
  },
])(
  'DeleteRecords up to $why is answered with $error',
  async ({ topic = 'orders', partition = 0, ...row }) => {
    const { broker } = await simulatedBroker()
    await broker.createTopic(ANONYMOUS, { name: 'orders' })
    await broker.createTopic(ANONYMOUS, { name: '__consumer_offsets' })
    await broker.createTopic(ANONYMOUS, {
      name: 'compacted',
      configs: { 'cleanup.policy': 'compact' },
    })
    await broker.createTopic(ANONYMOUS, {
      name: 'both',
      configs: { 'cleanup.policy': 'compact,delete' },
    })
    await send(broker, 'orders', batchOf(['a', 'b', 'c']))
    for (const version of [0, 2]) {
      const partitions = [{ partitionIndex: partition, offset: row.offset }]
      const request = { topics: [{ name: topic, partitions }], timeoutMs: 1000 }
      const answer = await exchange(broker, DELETE, request, { version })
      const found = answer?.topics[0]?.partitions[0]
      expect(nameOf(found?.errorCode ?? -1)).toBe(row.error)
      expect(found?.lowWatermark).toBe(row.lowWatermark)
    }
    if (topic !== 'orders' || row.error !== 'NONE') return
    const { partitions } = await get(broker, [{ topic: 'orders', offset: 3 }])
    expect(partitions[0]).toMatchObject({ logStartOffset: row.lowWatermark, highWatermark: 3 })
  },
)

test('DeleteRecords is on disk when it is answered, with one write for all partitions', async () => {
  const { broker, disk } = await simulatedBroker()
  const names = ['a', 'b', 'c']
  for (const name of names) {
    await broker.createTopic(ANONYMOUS, { name })
    await send(broker, name, batchOf(['x', 'y', 'z']))
  }
  const written = () => disk.faults.counts.get('rename') ?? 0
  const before = written()
  const request = {
    topics: names.map((name) => ({ name, partitions: [{ partitionIndex: 0, offset: 2 }] })),
    timeoutMs: 1000,
  }
  const answer = await exchange(broker, DELETE, request, { version: 2 })
  const starts = answer?.topics.flatMap(({ partitions }) => partitions[0]?.lowWatermark)
  expect(starts).toEqual([2, 2, 2])
  expect(written() - before).toBe(1 + names.length) // Their leader epochs, in the background.
  for (const left of [disk.afterKill(), disk.afterCrash(1), disk.afterCrash(2)]) {
    const next = await simulatedBroker({ disk: left })
    for (const topic of names) {
      const { partitions } = await get(next.broker, [{ topic, offset: 2 }])
      expect(partitions[0]).toMatchObject({ logStartOffset: 2, highWatermark: 3 })
    }
  }
})

test('DeleteRecords of which nobody knows what a crash would find is answered with KAFKA_STORAGE_ERROR', async () => {
  const { broker, disk } = await simulatedBroker()
  await broker.createTopic(ANONYMOUS, { name: 'orders' })
  await send(broker, 'orders', batchOf(['a', 'b', 'c']))
  disk.fail({ on: 'write', path: 'log-start-offset-checkpoint', code: 'ENOSPC' })
  const partitions = [{ partitionIndex: 0, offset: 2 }]
  const request = { topics: [{ name: 'orders', partitions }], timeoutMs: 1000 }
  const refused = await exchange(broker, DELETE, request, { version: 2 })
  expect(nameOf(refused?.topics[0]?.partitions[0]?.errorCode ?? -1)).toBe('KAFKA_STORAGE_ERROR')
  const again = await exchange(broker, DELETE, request, { version: 2 })
  expect(again?.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 2 })
})
