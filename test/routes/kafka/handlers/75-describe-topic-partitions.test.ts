// DescribeTopicPartitions: pages that follow each other without gap or repetition.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeTopicPartitions } from '../../../../routes/kafka/handlers/75-describe-topic-partitions.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../../../src/protocol/messages/75-describe-topic-partitions.ts'
import { ask, create, topicToCreate } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const DESCRIBE = {
  api: describeTopicPartitions,
  request: DescribeTopicPartitionsRequest,
  response: DescribeTopicPartitionsResponse,
}

type Cursor = { topicName: string; partitionIndex: number } | null

async function page(
  broker: Broker,
  names: readonly string[],
  limit: number,
  cursor: Cursor = null,
) {
  const topics = names.map((name) => ({ name }))
  const request = { topics, responsePartitionLimit: limit, cursor }
  const answer = await ask(broker, DESCRIBE, request)
  const found = answer.topics.map(({ name, errorCode, partitions }) => [
    name,
    nameOf(errorCode),
    partitions.map(({ partitionIndex }) => partitionIndex),
  ])
  return { ...answer, found }
}

async function brokerWithTopics(config: Record<string, string> = {}) {
  const { broker } = await simulatedBroker({ config })
  const sizes = { b: 3, a: 2, c: 1 }
  await create(
    broker,
    Object.entries(sizes).map(([name, numPartitions]) => topicToCreate(name, { numPartitions })),
  )
  return broker
}

test('DescribeTopicPartitions tells everything about a partition', async () => {
  const broker = await brokerWithTopics()
  const { topics, nextCursor } = await page(broker, ['c'], 10)
  expect(nextCursor).toBeNull()
  expect(topics[0]).toMatchObject({ errorCode: 0, isInternal: false })
  expect(topics[0]?.topicAuthorizedOperations).toBe(3576)
  expect(topics[0]?.partitions).toEqual([
    {
      errorCode: 0,
      partitionIndex: 0,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    },
  ])
})

test.each([
  {
    what: 'all topics by name',
    names: [],
    limit: 9,
    found: ['a 0,1', 'b 0,1,2', 'c 0'],
    next: null,
  },
  {
    what: 'a page that ends in a topic',
    names: [],
    limit: 3,
    found: ['a 0,1', 'b 0'],
    next: 'b 1',
  },
  { what: 'a page that ends with a topic', names: [], limit: 2, found: ['a 0,1'], next: 'b 0' },
  {
    what: 'from a cursor on',
    names: [],
    limit: 3,
    cursor: 'b 2',
    found: ['b 2', 'c 0'],
    next: null,
  },
  {
    what: 'a cursor between topics',
    names: [],
    limit: 9,
    cursor: 'bb 5',
    found: ['c 0'],
    next: null,
  },
  { what: 'a limit of nothing as one', names: [], limit: 0, found: ['a 0'], next: 'a 1' },
  {
    what: 'names in order, once each',
    names: ['c', 'a', 'c'],
    limit: 9,
    found: ['a 0,1', 'c 0'],
    next: null,
  },
  {
    what: 'a cursor behind the topic',
    names: ['a', 'c'],
    limit: 9,
    cursor: 'a 7',
    found: ['a ', 'c 0'],
    next: null,
  },
])('DescribeTopicPartitions gives $what', async ({ names, limit, cursor, found, next }) => {
  const broker = await brokerWithTopics()
  const [topicName = '', partition] = cursor?.split(' ') ?? []
  const start = cursor ? { topicName, partitionIndex: Number(partition) } : null
  const answer = await page(broker, names, limit, start)
  expect(answer.found.map(([name, , partitions]) => `${name} ${partitions}`)).toEqual(found)
  const { nextCursor } = answer
  expect(nextCursor && `${nextCursor.topicName} ${nextCursor.partitionIndex}`).toBe(next)
})

test('DescribeTopicPartitions gives everything once, whatever the pages', async () => {
  const broker = await brokerWithTopics({ 'max.request.partition.size.limit': '4' })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), async (limit) => {
      const seen: string[] = []
      let cursor: Cursor = null
      do {
        const answer = await page(broker, [], limit, cursor)
        const before = seen.length
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`)
        }
        expect(seen.length - before).toBeLessThanOrEqual(Math.min(limit, 4))
        cursor = answer.nextCursor
      } while (cursor)
      expect(seen).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-2', 'c-0'])
    }),
  )
})

test('DescribeTopicPartitions tells of topics that are missing, and has them cost nothing', async () => {
  const broker = await brokerWithTopics()
  const { found } = await page(broker, ['nope', 'x y', 'a'], 2)
  expect(found).toEqual([['a', 'NONE', [0, 1]]])
  const rest = await page(broker, ['nope', 'x y'], 2)
  expect(rest.found).toEqual([
    ['nope', 'UNKNOWN_TOPIC_OR_PARTITION', []],
    ['x y', 'INVALID_TOPIC_EXCEPTION', []],
  ])
})

test.each([
  { what: 'is not among the topics', cursor: { topicName: 'b', partitionIndex: 0 } },
  { what: 'is negative', cursor: { topicName: 'a', partitionIndex: -1 } },
])('DescribeTopicPartitions refuses a cursor that $what', async ({ cursor }) => {
  const broker = await brokerWithTopics()
  const { found } = await page(broker, ['a', 'c'], 9, cursor)
  expect(found).toEqual([
    ['a', 'INVALID_REQUEST', []],
    ['c', 'INVALID_REQUEST', []],
  ])
})
