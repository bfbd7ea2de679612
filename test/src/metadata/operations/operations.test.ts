// What operations answer, topic by topic and resource by resource.
import { expect, test } from 'vitest'
import type { ConfigChange, NewTopic } from '../../../../src/metadata/provider.ts'
import { dataRecords, startProvider } from '../provider-fixture.ts'

const TOPIC = 2
const BROKER = 4
const set = (name: string, value: string | null): ConfigChange => ({
  name,
  operation: 'set',
  value,
})

async function withTopic(name = 'a.b') {
  const started = await startProvider()
  const { provider } = started
  const configs = new Map([['retention.ms', '1']])
  await provider.submit({ kind: 'createTopics', topics: [{ name, configs }] })
  const alter = async (
    resource: { type: 2 | 4 | 8 | 16 | 32; name: string },
    ...changes: ConfigChange[]
  ) => {
    const resources = [{ resource, changes }]
    const [result] = await provider.submit({ kind: 'incrementalAlterConfigs', resources })
    return result?.error?.code
  }
  return { ...started, alter }
}

const refused: { why: string; topic: NewTopic; code: string }[] = [
  { why: 'a bad name', topic: { name: 'a b' }, code: 'INVALID_TOPIC_EXCEPTION' },
  { why: 'a name in use', topic: { name: 'a.b' }, code: 'TOPIC_ALREADY_EXISTS' },
  { why: 'a name that collides', topic: { name: 'a_b' }, code: 'INVALID_TOPIC_EXCEPTION' },
  {
    why: 'the metadata log',
    topic: { name: '__cluster_metadata' },
    code: 'INVALID_REQUEST',
  },
  { why: 'no partitions', topic: { name: 'c', partitionCount: 0 }, code: 'INVALID_PARTITIONS' },
  { why: '-2 partitions', topic: { name: 'c', partitionCount: -2 }, code: 'INVALID_PARTITIONS' },
  {
    why: 'no replicas',
    topic: { name: 'c', replicationFactor: 0 },
    code: 'INVALID_REPLICATION_FACTOR',
  },
  {
    why: 'more replicas than brokers',
    topic: { name: 'c', replicationFactor: 2 },
    code: 'INVALID_REPLICATION_FACTOR',
  },
  {
    why: 'an assignment and a count',
    topic: { name: 'c', partitionCount: 1, assignments: [[1]] },
    code: 'INVALID_REQUEST',
  },
  {
    why: 'an assignment to nobody',
    topic: { name: 'c', assignments: [[]] },
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an assignment to a stranger',
    topic: { name: 'c', assignments: [[7]] },
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an assignment with a broker twice',
    topic: { name: 'c', assignments: [[1, 1]] },
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'a bad config',
    topic: { name: 'c', configs: new Map([['bad', '1']]) },
    code: 'INVALID_CONFIG',
  },
]

test.each(refused)('createTopics refuses $why and makes the rest', async ({ topic, code }) => {
  const { provider } = await withTopic()
  const topics = [topic, { name: 'good' }]
  const results = await provider.submit({ kind: 'createTopics', topics })
  expect(results.map(({ name, error }) => [name, error?.code])).toEqual([
    [topic.name, code],
    ['good', undefined],
  ])
  expect(provider.image.topicCount).toBe(2)
})

test('createTopics refuses a name that is in the request twice, or collides with another in it', async () => {
  const { provider } = await startProvider()
  const topics = ['x', 'x', 'y.z', 'y_z'].map((name) => ({ name }))
  const results = await provider.submit({ kind: 'createTopics', topics })
  expect(results.map(({ error }) => error?.code)).toEqual([
    'INVALID_REQUEST',
    'INVALID_REQUEST',
    undefined,
    'INVALID_TOPIC_EXCEPTION',
  ])
})

test('createTopics takes counts from the defaults, from the request or from an assignment', async () => {
  const { provider } = await startProvider()
  const topics: NewTopic[] = [
    { name: 'default', partitionCount: -1, replicationFactor: -1 },
    { name: 'given', partitionCount: 3 },
    { name: 'assigned', assignments: [[1], [1], [1], [1]] },
  ]
  const results = await provider.submit({ kind: 'createTopics', topics })
  expect(results.map((result) => result.partitionCount)).toEqual([2, 3, 4])
  expect(results.map((result) => result.replicationFactor)).toEqual([1, 1, 1])
  expect(results.map((result) => provider.image.topic(result.name)?.id)).toEqual(
    results.map((result) => result.topicId),
  )
  expect(new Set(results.map((result) => result.topicId)).size).toBe(3)
})

test('createTopics writes one batch: topics, configs, partitions', async () => {
  const { provider, store } = await startProvider()
  const end = store.records.length
  const configs = new Map([['min.insync.replicas', '1']])
  const topics = [
    { name: 'a', configs, partitionCount: 2 },
    { name: 'b', partitionCount: 1 },
  ]
  await provider.submit({ kind: 'createTopics', topics })
  expect(store.batches.at(-1)?.count).toBe(store.records.length - end)
  expect(dataRecords(store.records, end).map((record) => record.type)).toEqual([
    'TopicRecord',
    'ConfigRecord',
    'ClearElrRecord',
    'PartitionRecord',
    'PartitionRecord',
    'TopicRecord',
    'PartitionRecord',
  ])
})

test('createTopics refuses more than 10,000 partitions as a whole', async () => {
  const { provider } = await startProvider()
  const topics = [
    { name: 'a', partitionCount: 9_999 },
    { name: 'b', partitionCount: 2 ** 31 - 1 },
  ]
  await expect(provider.submit({ kind: 'createTopics', topics })).rejects.toMatchObject({
    code: 'POLICY_VIOLATION',
  })
  expect(provider.image.topicCount).toBe(0)
})

test.each(['createTopics', 'createPartitions', 'incrementalAlterConfigs', 'alterConfigs'] as const)(
  '%s with validateOnly answers alike and writes nothing',
  async (kind) => {
    const { provider, store } = await withTopic()
    const end = store.records.length
    const resource = { type: TOPIC, name: 'a.b' } as const
    const request = {
      createTopics: { topics: [{ name: 'new' }, { name: 'a.b' }] },
      createPartitions: {
        topics: [
          { name: 'a.b', count: 9 },
          { name: 'none', count: 1 },
        ],
      },
      incrementalAlterConfigs: { resources: [{ resource, changes: [set('x', '1')] }] },
      alterConfigs: { resources: [{ resource, configs: new Map([['bad', '1']]) }] },
    }[kind]
    const operation = { kind, validateOnly: true, ...request } as Parameters<
      typeof provider.submit
    >[0]
    const results = (await provider.submit(operation)) as readonly { error: Error | undefined }[]
    expect(results.map(({ error }) => error === undefined)).toEqual(
      {
        createTopics: [true, false],
        createPartitions: [true, false],
        incrementalAlterConfigs: [true],
        alterConfigs: [false],
      }[kind],
    )
    expect(store.records).toHaveLength(end)
  },
)

test('deleteTopics finds topics by name and by id', async () => {
  const { provider } = await startProvider()
  const topics = ['a', 'b', 'c', 'd'].map((name) => ({ name }))
  const created = await provider.submit({ kind: 'createTopics', topics })
  const idOf = (at: number) => created[at]?.topicId ?? ''
  const results = await provider.submit({
    kind: 'deleteTopics',
    topics: [
      { name: 'a' },
      { topicId: idOf(1) },
      { name: 'none' },
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' },
      { name: 'c' },
      { topicId: idOf(2) },
    ],
  })
  expect(results.map(({ name, error }) => [name, error?.code])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [undefined, 'UNKNOWN_TOPIC_ID'],
    ['c', 'INVALID_REQUEST'],
    ['c', 'INVALID_REQUEST'],
  ])
  expect([...provider.image.topics()].map((topic) => topic.name).sort()).toEqual(['c', 'd'])
})

test('a topic made again has another id and none of the old configs', async () => {
  const { provider } = await withTopic()
  const first = provider.image.topic('a.b')?.id
  await provider.submit({ kind: 'deleteTopics', topics: [{ name: 'a.b' }] })
  await provider.submit({ kind: 'createTopics', topics: [{ name: 'a_b' }] })
  expect(provider.image.topic('a_b')?.id).not.toBe(first)
  expect(provider.image.configs({ type: TOPIC, name: 'a.b' }).size).toBe(0)
})

test.each([
  { why: 'a stranger', request: { name: 'none', count: 5 }, code: 'UNKNOWN_TOPIC_OR_PARTITION' },
  { why: 'the same count', request: { name: 'a.b', count: 2 }, code: 'INVALID_PARTITIONS' },
  { why: 'fewer', request: { name: 'a.b', count: 1 }, code: 'INVALID_PARTITIONS' },
  { why: 'far too many', request: { name: 'a.b', count: 20_000 }, code: 'POLICY_VIOLATION' },
  {
    why: 'too few assignments',
    request: { name: 'a.b', count: 4, assignments: [[1]] },
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
  {
    why: 'an assignment to a stranger',
    request: { name: 'a.b', count: 3, assignments: [[2]] },
    code: 'INVALID_REPLICA_ASSIGNMENT',
  },
])('createPartitions refuses $why', async ({ request, code }) => {
  const { provider } = await withTopic()
  const [result] = await provider.submit({ kind: 'createPartitions', topics: [request] })
  expect(result?.error?.code).toBe(code)
  expect(provider.image.topic('a.b')?.partitions).toHaveLength(2)
})

test('createPartitions adds partitions behind the others', async () => {
  const { provider } = await withTopic()
  const before = provider.image.topic('a.b')?.partitions
  await provider.submit({ kind: 'createPartitions', topics: [{ name: 'a.b', count: 5 }] })
  const after = provider.image.topic('a.b')?.partitions
  expect(after?.map((partition) => partition.partition)).toEqual([0, 1, 2, 3, 4])
  expect(after?.slice(0, 2)).toEqual(before)
  expect(after?.[4]).toMatchObject({ leader: 1, leaderEpoch: 0, partitionEpoch: 0, isr: [1] })
})

test('incrementalAlterConfigs changes what it names and leaves the rest', async () => {
  const { provider, alter } = await withTopic()
  const topic = { type: TOPIC, name: 'a.b' } as const
  expect(await alter(topic, set('x', '1'), set('y', '2'))).toBeUndefined()
  expect(await alter(topic, { name: 'x', operation: 'delete', value: null })).toBeUndefined()
  expect(Object.fromEntries(provider.image.configs(topic))).toEqual({ 'retention.ms': '1', y: '2' })
})

test('incrementalAlterConfigs appends to lists and subtracts from them, from the default on', async () => {
  const { provider, alter } = await withTopic()
  const topic = { type: TOPIC, name: 'a.b' } as const
  const value = () => provider.image.configs(topic).get('cleanup.policy')
  const policy = (operation: 'append' | 'subtract', value: string): ConfigChange => ({
    name: 'cleanup.policy',
    operation,
    value,
  })
  await alter(topic, policy('append', 'compact,delete'))
  expect(value()).toBe('delete,compact')
  await alter(topic, policy('subtract', 'delete'))
  expect(value()).toBe('compact')
  expect(await alter(topic, { name: 'retention.ms', operation: 'append', value: '5' })).toBe(
    'INVALID_CONFIG',
  )
})

test('a config that stays as it is is not written, except a broker’s', async () => {
  const { store, alter } = await withTopic()
  const end = store.records.length
  await alter({ type: TOPIC, name: 'a.b' }, set('retention.ms', '1'))
  expect(store.records).toHaveLength(end)
  await alter({ type: BROKER, name: '' }, set('log.retention.ms', '1'))
  await alter({ type: BROKER, name: '' }, set('log.retention.ms', '1'))
  expect(store.records).toHaveLength(end + 2)
})

test.each([
  { why: 'a topic that is none', type: 2, name: 'none', code: 'UNKNOWN_TOPIC_OR_PARTITION' },
  { why: 'a broker that is none', type: 4, name: '7', code: 'BROKER_ID_NOT_REGISTERED' },
  { why: 'a broker without a number', type: 4, name: 'x', code: 'INVALID_REQUEST' },
  { why: 'the default of groups', type: 32, name: '', code: 'INVALID_REQUEST' },
  { why: 'loggers', type: 8, name: '1', code: 'INVALID_REQUEST' },
] as const)('incrementalAlterConfigs refuses $why', async ({ type, name, code }) => {
  const { alter } = await withTopic()
  expect(await alter({ type, name }, set('x', '1'))).toBe(code)
})

test.each([
  { why: 'null', changes: [set('x', null)], code: 'INVALID_REQUEST' },
  { why: 'a config twice', changes: [set('x', '1'), set('x', '2')], code: 'INVALID_REQUEST' },
  { why: 'what the rules refuse', changes: [set('bad', '1')], code: 'INVALID_CONFIG' },
  { why: 'a value too long', changes: [set('x', 'ä'.repeat(20_000))], code: 'INVALID_CONFIG' },
])('incrementalAlterConfigs refuses $why', async ({ changes, code }) => {
  const { alter, provider } = await withTopic()
  expect(await alter({ type: TOPIC, name: 'a.b' }, ...changes)).toBe(code)
  expect(provider.image.configs({ type: TOPIC, name: 'a.b' }).size).toBe(1)
})

test('min.insync.replicas clears eligible leaders, and brokers cannot differ in it or lose it', async () => {
  const { store, alter } = await withTopic()
  const end = store.records.length
  await alter({ type: TOPIC, name: 'a.b' }, set('min.insync.replicas', '2'))
  await alter({ type: BROKER, name: '' }, set('min.insync.replicas', '2'))
  expect(dataRecords(store.records, end).map(({ type, data }) => [type, data])).toMatchObject([
    ['ConfigRecord', {}],
    ['ClearElrRecord', { topicName: 'a.b' }],
    ['ConfigRecord', {}],
    ['ClearElrRecord', { topicName: '' }],
  ])
  const remove: ConfigChange = { name: 'min.insync.replicas', operation: 'delete', value: null }
  expect(await alter({ type: BROKER, name: '' }, remove)).toBe('INVALID_CONFIG')
  expect(await alter({ type: BROKER, name: '1' }, set('min.insync.replicas', '2'))).toBe(
    'INVALID_CONFIG',
  )
})

test('alterConfigs replaces the whole set, but keeps the brokers’ min.insync.replicas', async () => {
  const { provider } = await withTopic()
  const topic = { type: TOPIC, name: 'a.b' } as const
  const broker = { type: BROKER, name: '' } as const
  const resources = [
    { resource: topic, configs: new Map([['x', '1']]) },
    { resource: broker, configs: new Map([['y', '2']]) },
  ]
  const results = await provider.submit({ kind: 'alterConfigs', resources })
  expect(results.map(({ error }) => error)).toEqual([undefined, undefined])
  expect(Object.fromEntries(provider.image.configs(topic))).toEqual({ x: '1' })
  expect(Object.fromEntries(provider.image.configs(broker))).toEqual({
    'min.insync.replicas': '1',
    y: '2',
  })
})

test('a resource that is in the request twice is refused', async () => {
  const { provider } = await withTopic()
  const resource = { type: TOPIC, name: 'a.b' } as const
  const resources = [
    { resource, changes: [set('x', '1')] },
    { resource, changes: [set('y', '1')] },
  ]
  const results = await provider.submit({ kind: 'incrementalAlterConfigs', resources })
  expect(results.map(({ error }) => error?.code)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
})
