// CreatePartitions: topics grow, each by itself, or say why not.
import { expect, test } from 'vitest'
import { createPartitions } from '../../../../routes/kafka/handlers/37-create-partitions.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../../../src/protocol/messages/37-create-partitions.ts'
import { ask, create, topicToCreate } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const GROW = {
  api: createPartitions,
  request: CreatePartitionsRequest,
  response: CreatePartitionsResponse,
}

async function grow(
  broker: Broker,
  topics: readonly { name: string; count: number; brokers?: number[][] }[],
  { version, validateOnly = false }: { version?: number; validateOnly?: boolean } = {},
) {
  const asked = topics.map(({ name, count, brokers }) => ({
    name,
    count,
    assignments: brokers?.map((brokerIds) => ({ brokerIds })) ?? null,
  }))
  const request = { topics: asked, timeoutMs: 1000, validateOnly }
  const { results } = await ask(broker, GROW, request, version)
  return results.map(({ name, errorCode }) => [name, nameOf(errorCode)])
}

const countOf = (broker: Broker) => broker.describeTopic(ANONYMOUS, 'a').partitions.length

test.each([0, 1, 2, 3])('CreatePartitions adds partitions in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  expect(await grow(broker, [{ name: 'a', count: 3 }], { version })).toEqual([['a', 'NONE']])
  expect(countOf(broker)).toBe(3)
  expect(broker.partitionOffsets(ANONYMOUS, 'a', 2).highWatermark).toBe(0)
})

test.each([
  {
    why: 'an unknown topic',
    topic: { name: 'nope', count: 3 },
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
  },
  { why: 'the same count', topic: { name: 'a', count: 2 }, error: 'INVALID_PARTITIONS' },
  { why: 'fewer', topic: { name: 'a', count: 1 }, error: 'INVALID_PARTITIONS' },
  {
    why: 'an empty assignment',
    topic: { name: 'a', count: 3, brokers: [] },
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an assignment for more than is added',
    topic: { name: 'a', count: 3, brokers: [[1], [1]] },
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an unknown broker',
    topic: { name: 'a', count: 3, brokers: [[9]] },
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
])('CreatePartitions refuses $why', async ({ topic, error }) => {
  const { broker } = await simulatedBroker()
  await create(broker, [topicToCreate('a', { numPartitions: 2 })])
  expect(await grow(broker, [topic])).toEqual([[topic.name, error]])
  expect(countOf(broker)).toBe(2)
})

test('CreatePartitions takes an assignment, and only tries what is to be validated', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const topic = { name: 'a', count: 2, brokers: [[1]] }
  expect(await grow(broker, [topic], { validateOnly: true })).toEqual([['a', 'NONE']])
  expect(countOf(broker)).toBe(1)
  expect(await grow(broker, [topic])).toEqual([['a', 'NONE']])
  expect(countOf(broker)).toBe(2)
})

test('CreatePartitions answers a name that comes twice once, and leaves it', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a', 'b'])
  const topics = [
    { name: 'a', count: 2 },
    { name: 'b', count: 2 },
    { name: 'a', count: 3 },
  ]
  expect(await grow(broker, topics)).toEqual([
    ['a', 'INVALID_REQUEST'],
    ['b', 'NONE'],
  ])
  expect(countOf(broker)).toBe(1)
})
