// Metadata: which topics are told of and which are made, brokers, leaders, and what is wrong with them.
import { expect, test } from 'vitest'
import { metadata } from '../../../../routes/kafka/handlers/03-metadata.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import { MetadataRequest, MetadataResponse } from '../../../../src/protocol/messages/03-metadata.ts'
import { ask, create, NO_ID, topicToCreate } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const METADATA = { api: metadata, request: MetadataRequest, response: MetadataResponse }
const UNKNOWN_ID = 'EcBj2HU8TJaSLKRhi_xImw'
const NOT_ASKED = -2_147_483_648

type Named = { name?: string | null; topicId?: string }

async function askMetadata(
  broker: Broker,
  topics: readonly Named[] | null,
  { version = 12, ...rest }: { version?: number } & Partial<MetadataRequest> = {},
) {
  const asked = topics?.map(({ name = null, topicId = NO_ID }) => ({
    name,
    ...(version >= 10 && { topicId }),
  }))
  const request = { topics: asked ?? null, allowAutoTopicCreation: false, ...rest }
  const { allowAutoTopicCreation, ...old } = request
  const sent = version >= 4 ? { ...old, allowAutoTopicCreation } : old
  const answer = await ask(broker, METADATA, sent, version)
  const errors = answer.topics.map(({ name, errorCode }) => [name, nameOf(errorCode)])
  return { ...answer, errors }
}

test('Metadata tells who the broker is under the address of the listener, and who leads', async () => {
  const { broker } = await simulatedBroker({ config: { 'broker.rack': 'r1' } })
  const [made] = await create(broker, [topicToCreate('a', { numPartitions: 2 })])
  const answer = await askMetadata(broker, [{ name: 'a' }])
  expect(answer.brokers).toEqual([{ nodeId: 1, host: 'broker.test', port: 9092, rack: 'r1' }])
  expect(answer).toMatchObject({ clusterId: broker.clusterId, controllerId: 1 })
  const partition = { errorCode: 0, leaderId: 1, leaderEpoch: 0, offlineReplicas: [] }
  const replicas = { replicaNodes: [1], isrNodes: [1] }
  expect(answer.topics).toEqual([
    {
      errorCode: 0,
      name: 'a',
      topicId: made?.topicId,
      isInternal: false,
      partitions: [0, 1].map((index) => ({ ...partition, ...replicas, partitionIndex: index })),
      topicAuthorizedOperations: NOT_ASKED,
    },
  ])
  expect(answer.clusterAuthorizedOperations).toBe(NOT_ASKED)
})

test.each([
  { what: 'an empty list in version 0', version: 0, topics: [], found: ['a', 'b'] },
  { what: 'null in version 1', version: 1, topics: null, found: ['a', 'b'] },
  { what: 'null in version 12', version: 12, topics: null, found: ['a', 'b'] },
  { what: 'an empty list in version 1', version: 1, topics: [], found: [] },
  { what: 'an empty list in version 13', version: 13, topics: [], found: [] },
])('Metadata reads $what as $found', async ({ version, topics, found }) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['b', 'a'])
  const answer = await askMetadata(broker, topics, { version })
  expect(answer.topics.map(({ name }) => name)).toEqual(found)
})

test('Metadata tells of a topic that is missing, has no possible name, or is asked for twice', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const names = ['nope', 'a', 'a b', 'a', ''].map((name) => ({ name }))
  const { errors } = await askMetadata(broker, names)
  expect(errors).toEqual([
    ['nope', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a', 'NONE'],
    ['a b', 'INVALID_TOPIC_EXCEPTION'],
    ['', 'INVALID_TOPIC_EXCEPTION'],
  ])
})

test('Metadata looks at ids alone once there is one', async () => {
  const { broker } = await simulatedBroker()
  const [made] = await create(broker, ['a', 'b'])
  const asked = [{ topicId: made?.topicId ?? '' }, { topicId: UNKNOWN_ID }, { name: 'b' }]
  const { topics, errors } = await askMetadata(broker, asked)
  expect(errors).toEqual([
    ['a', 'NONE'],
    [null, 'UNKNOWN_TOPIC_ID'],
  ])
  expect(topics[1]?.topicId).toBe(UNKNOWN_ID)
})

test.each([
  { what: 'an id before version 12', version: 10, topic: { name: 'a', topicId: UNKNOWN_ID } },
  { what: 'neither name nor id', version: 12, topic: {} },
])('Metadata refuses $what', async ({ version, topic }) => {
  const { broker } = await simulatedBroker()
  const { errors, brokers } = await askMetadata(broker, [topic], { version })
  expect(errors).toEqual([[topic.name ?? '', 'INVALID_REQUEST']])
  expect(brokers).toEqual([])
})

test.each([
  { what: 'is allowed', isEnabled: true, version: 9, isAllowed: true, isMade: true },
  { what: 'is older than the flag', isEnabled: true, version: 3, isAllowed: true, isMade: true },
  { what: 'is not wanted', isEnabled: true, version: 9, isAllowed: false, isMade: false },
  { what: 'is disabled', isEnabled: false, version: 9, isAllowed: true, isMade: false },
])(
  'Metadata that $what makes a topic: $isMade',
  async ({ isEnabled, version, isAllowed, isMade }) => {
    const config = { 'auto.create.topics.enable': String(isEnabled), 'num.partitions': '3' }
    const { broker } = await simulatedBroker({ config })
    const options = { version, allowAutoTopicCreation: isAllowed }
    const { topics, errors } = await askMetadata(
      broker,
      [{ name: 'new' }, { name: 'a b' }],
      options,
    )
    expect(errors).toEqual([
      ['new', isMade ? 'NONE' : 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['a b', 'INVALID_TOPIC_EXCEPTION'],
    ])
    expect(topics[0]?.partitions.length).toBe(isMade ? 3 : 0)
    expect(broker.listTopics(ANONYMOUS).length).toBe(isMade ? 1 : 0)
  },
)

test('Metadata makes no topic that could not be there', async () => {
  const { broker } = await simulatedBroker()
  const asked = [{ name: '__cluster_metadata' }]
  const { errors } = await askMetadata(broker, asked, { allowAutoTopicCreation: true })
  expect(errors).toEqual([['__cluster_metadata', 'UNKNOWN_TOPIC_OR_PARTITION']])
  const replicated = await simulatedBroker({ config: { 'default.replication.factor': '3' } })
  const refused = await askMetadata(replicated.broker, [{ name: 'a' }], {
    allowAutoTopicCreation: true,
  })
  expect(refused.errors).toEqual([['a', 'UNKNOWN_TOPIC_OR_PARTITION']])
})

test.each([
  {
    name: '__consumer_offsets',
    configs: {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': '104857600',
    },
  },
  {
    name: '__transaction_state',
    configs: {
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
      'min.insync.replicas': '1',
      'segment.bytes': '104857600',
      'unclean.leader.election.enable': 'false',
    },
  },
  {
    name: '__share_group_state',
    configs: {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': '1',
      'retention.ms': '-1',
      'segment.bytes': '104857600',
    },
  },
])('Metadata makes $name with settings of its own', async ({ name, configs }) => {
  const keys = ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic']
  const config = Object.fromEntries(keys.map((key) => [`${key}.num.partitions`, '5']))
  const { broker } = await simulatedBroker({ config })
  const { topics } = await askMetadata(broker, [{ name }], { allowAutoTopicCreation: true })
  expect(topics[0]).toMatchObject({ errorCode: 0, isInternal: true })
  expect(topics[0]?.partitions.length).toBe(5)
  const set = broker
    .describeConfigs(ANONYMOUS, { type: 'topic', name })
    .filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
  expect(Object.fromEntries(set.map((one) => [one.name, one.value]))).toEqual(configs)
})

test('Metadata tells what may be done when asked, as a bit field', async () => {
  const { broker } = await simulatedBroker()
  await create(broker, ['a'])
  const { topics, clusterAuthorizedOperations } = await askMetadata(broker, [{ name: 'a' }], {
    version: 10,
    includeTopicAuthorizedOperations: true,
    includeClusterAuthorizedOperations: true,
  })
  expect(topics[0]?.topicAuthorizedOperations).toBe(3576)
  expect(clusterAuthorizedOperations).toBe(8096)
})

test('Metadata says of a partition whose log directory failed that nobody leads it', async () => {
  const { broker, disk } = await simulatedBroker()
  await create(broker, ['a'])
  disk.fail({ on: 'sync', path: '/a-0/', code: 'EIO' })
  const value = new Uint8Array(1)
  const record = { key: null, value, headers: [], partition: 0 }
  await broker.produceRecords(ANONYMOUS, 'a', [record], -1)
  const { topics } = await askMetadata(broker, [{ name: 'a' }])
  const [partition] = topics[0]?.partitions ?? []
  expect(nameOf(partition?.errorCode ?? 0)).toBe('LEADER_NOT_AVAILABLE')
  expect(partition).toMatchObject({ leaderId: -1, replicaNodes: [1], offlineReplicas: [1] })
})

test.each(Array.from({ length: 14 }, (_, version) => version))(
  'Metadata is served in version %i',
  async (version) => {
    const { broker } = await simulatedBroker()
    await create(broker, ['a'])
    const { topics, errors } = await askMetadata(broker, [{ name: 'a' }], { version })
    expect(errors).toEqual([['a', 'NONE']])
    expect(topics[0]?.partitions[0]?.leaderId).toBe(1)
  },
)
