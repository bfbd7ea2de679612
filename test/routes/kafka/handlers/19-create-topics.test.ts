// CreateTopics: what is made, what is refused, each topic by itself.
import { expect, test } from 'vitest'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import { create, NO_ID, topicToCreate } from './admin-client.ts'
import { simulatedBroker } from './exchange.ts'

const assigned = (...partitions: [number, number[]][]) => ({
  numPartitions: -1,
  assignments: partitions.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
})

test('CreateTopics makes a topic and tells what it is', async () => {
  const { broker } = await simulatedBroker()
  const configs = [{ name: 'retention.ms', value: '7' }]
  const [topic] = await create(broker, [topicToCreate('a', { numPartitions: 3, configs })])
  expect(topic).toMatchObject({ name: 'a', error: 'NONE', errorMessage: null, numPartitions: 3 })
  expect(topic?.replicationFactor).toBe(1)
  expect(topic?.topicId).toBe(broker.describeTopic(ANONYMOUS, 'a').topicId)
  expect(topic?.configs?.map(({ name }) => name)).toEqual(
    topic?.configs?.map(({ name }) => name).toSorted(),
  )
  expect(topic?.configs?.find(({ name }) => name === 'retention.ms')).toEqual({
    name: 'retention.ms',
    value: '7',
    readOnly: false,
    configSource: 1,
    isSensitive: false,
  })
  expect(broker.partitionOffsets(ANONYMOUS, 'a', 2).highWatermark).toBe(0)
})

test.each([
  { why: 'a name in use', topic: topicToCreate('here'), error: 'TOPIC_ALREADY_EXISTS' },
  { why: 'a bad name', topic: topicToCreate('a b'), error: 'INVALID_TOPIC_EXCEPTION' },
  { why: 'no name', topic: topicToCreate(''), error: 'INVALID_TOPIC_EXCEPTION' },
  { why: 'the metadata log', topic: topicToCreate('__cluster_metadata'), error: 'INVALID_REQUEST' },
  {
    why: 'no partitions',
    topic: topicToCreate('t', { numPartitions: 0 }),
    error: 'INVALID_PARTITIONS',
  },
  {
    why: 'two replicas on one broker',
    topic: topicToCreate('t', { replicationFactor: 2 }),
    error: 'INVALID_REPLICATION_FACTOR',
  },
  {
    why: 'no value',
    topic: topicToCreate('t', { configs: [{ name: 'retention.ms', value: null }] }),
    error: 'INVALID_CONFIG',
  },
  {
    why: 'an unknown config',
    topic: topicToCreate('t', { configs: [{ name: 'foo', value: '1' }] }),
    error: 'INVALID_CONFIG',
  },
  {
    why: 'an assignment and a count',
    topic: topicToCreate('t', { ...assigned([0, [1]]), numPartitions: 1 }),
    error: 'INVALID_REQUEST',
  },
  {
    why: 'an assignment with a gap',
    topic: topicToCreate('t', assigned([1, [1]])),
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'a partition assigned twice',
    topic: topicToCreate('t', assigned([0, [1]], [0, [1]])),
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an unknown broker',
    topic: topicToCreate('t', assigned([0, [7]])),
    error: 'INVALID_REPLICA_ASSIGNMENT',
  },
])('CreateTopics refuses $why, and makes the others', async ({ topic, error }) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['here'])
  const results = await create(broker, [topic, 'other'])
  expect(results.map((one) => one.error)).toEqual([error, 'NONE'])
  expect(results[0]).toMatchObject({ topicId: NO_ID, numPartitions: -1, configs: [] })
  expect(results[0]?.errorMessage).toMatch(/\w/)
  expect(broker.listTopics(ANONYMOUS).map(({ name }) => name)).toEqual(['here', 'other'])
})

test('CreateTopics takes assignments in any order, and the last of two values of a config', async () => {
  const { broker } = await simulatedBroker()
  const configs = ['1', '2'].map((value) => ({ name: 'retention.ms', value }))
  const assignments = assigned([1, [1]], [0, [1]])
  const [topic] = await create(broker, [topicToCreate('a', { ...assignments, configs })])
  expect(topic).toMatchObject({ error: 'NONE', numPartitions: 2 })
  expect(topic?.configs?.find(({ name }) => name === 'retention.ms')?.value).toBe('2')
})

test('CreateTopics answers a name that comes twice once, and makes nothing of it', async () => {
  const { broker } = await simulatedBroker()
  const results = await create(broker, ['a', 'b', 'a', 'a'])
  expect(results.map(({ name, error }) => [name, error])).toEqual([
    ['a', 'INVALID_REQUEST'],
    ['b', 'NONE'],
  ])
  expect(broker.listTopics(ANONYMOUS).map(({ name }) => name)).toEqual(['b'])
})

test('CreateTopics only tries what is to be validated', async () => {
  const { broker } = await simulatedBroker()
  const [good, bad] = await create(broker, ['a', 'a b'], { validateOnly: true })
  expect(good).toMatchObject({ error: 'NONE', numPartitions: 1 })
  expect(bad?.error).toBe('INVALID_TOPIC_EXCEPTION')
  expect(broker.listTopics(ANONYMOUS)).toEqual([])
})

test.each([0, -1])('CreateTopics begins nothing when it has %i ms', async (timeoutMs) => {
  const { broker } = await simulatedBroker()
  const results = await create(broker, ['a', 'b'], { timeoutMs })
  expect(results.map(({ error }) => error)).toEqual(['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT'])
  expect(broker.listTopics(ANONYMOUS)).toEqual([])
})

test('CreateTopics refuses a request for too many partitions as a whole', async () => {
  const { broker } = await simulatedBroker()
  const results = await create(broker, ['a', topicToCreate('b', { numPartitions: 10_000 })])
  expect(results.map(({ error }) => error)).toEqual(['POLICY_VIOLATION', 'POLICY_VIOLATION'])
  expect(broker.listTopics(ANONYMOUS)).toEqual([])
})

test.each([2, 3, 4, 5, 6, 7])('CreateTopics is served in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  const [topic] = await create(broker, ['a'], { version })
  expect(topic?.error).toBe('NONE')
  expect(topic?.configs?.length).toBe(version >= 5 ? 33 : 0)
  expect(topic?.topicId === NO_ID).toBe(version < 7)
})

test('CreateTopics refuses an endless name instead of failing to say so', async () => {
  const { broker } = await simulatedBroker()
  const [topic] = await create(broker, [topicToCreate('n'.repeat(32_750))])
  expect(topic?.error).toBe('INVALID_TOPIC_EXCEPTION')
  expect(topic?.errorMessage?.length).toBeLessThanOrEqual(500)
})
