// DescribeCluster, DescribeQuorum and ListConfigResources: the cluster as tools see it.
import { expect, test } from 'vitest'
import { describeQuorum } from '../../../../routes/kafka/handlers/55-describe-quorum.ts'
import { describeCluster } from '../../../../routes/kafka/handlers/60-describe-cluster.ts'
import { listConfigResources } from '../../../../routes/kafka/handlers/74-list-config-resources.ts'
import {
  DescribeQuorumRequest,
  DescribeQuorumResponse,
} from '../../../../src/protocol/messages/55-describe-quorum.ts'
import {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '../../../../src/protocol/messages/60-describe-cluster.ts'
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../../../src/protocol/messages/74-list-config-resources.ts'
import { ask, create, NO_ID } from './admin-client.ts'
import { nameOf } from './clients.ts'
import { simulatedBroker } from './exchange.ts'

const CLUSTER = {
  api: describeCluster,
  request: DescribeClusterRequest,
  response: DescribeClusterResponse,
}
const QUORUM = {
  api: describeQuorum,
  request: DescribeQuorumRequest,
  response: DescribeQuorumResponse,
}
const RESOURCES = {
  api: listConfigResources,
  request: ListConfigResourcesRequest,
  response: ListConfigResourcesResponse,
}

test.each([0, 1, 2])('DescribeCluster tells of the brokers in version %i', async (version) => {
  const { broker } = await simulatedBroker()
  const request = { includeClusterAuthorizedOperations: true }
  const answer = await ask(broker, CLUSTER, request, version)
  expect(answer).toMatchObject({
    errorCode: 0,
    errorMessage: null,
    endpointType: 1,
    clusterId: broker.clusterId,
    controllerId: 1,
    clusterAuthorizedOperations: 8096,
  })
  const address = { host: 'broker.test', port: 9092, rack: null }
  expect(answer.brokers).toEqual([{ brokerId: 1, ...address, isFenced: false }])
})

test.each([
  { endpointType: 2, error: 'MISMATCHED_ENDPOINT_TYPE' },
  { endpointType: 3, error: 'UNSUPPORTED_ENDPOINT_TYPE' },
])('DescribeCluster refuses endpoints of type $endpointType', async ({ endpointType, error }) => {
  const { broker } = await simulatedBroker()
  const request = { includeClusterAuthorizedOperations: false, endpointType }
  const answer = await ask(broker, CLUSTER, request, 1)
  expect(nameOf(answer.errorCode)).toBe(error)
  expect(answer).toMatchObject({ clusterId: '', controllerId: -1, brokers: [] })
})

const metadataLog = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]

test.each([0, 1, 2])('DescribeQuorum tells of the one voter in version %i', async (version) => {
  const { broker, clock } = await simulatedBroker()
  const before = (await ask(broker, QUORUM, { topics: metadataLog }, version)).topics
  await create(broker, ['a'])
  const { topics, nodes } = await ask(broker, QUORUM, { topics: metadataLog }, version)
  const [state] = topics[0]?.partitions ?? []
  expect(state).toMatchObject({ errorCode: 0, leaderId: 1, leaderEpoch: 1, observers: [] })
  expect(state?.highWatermark).toBeGreaterThan(before[0]?.partitions[0]?.highWatermark ?? Infinity)
  const time = version >= 1 ? clock.now() : -1
  expect(state?.currentVoters).toEqual([
    {
      replicaId: 1,
      replicaDirectoryId: version >= 2 ? expect.not.stringMatching(NO_ID) : NO_ID,
      logEndOffset: state?.highWatermark,
      lastFetchTimestamp: time,
      lastCaughtUpTimestamp: time,
    },
  ])
  const listeners = [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }]
  expect(nodes).toEqual(version >= 2 ? [{ nodeId: 1, listeners }] : [])
})

test.each([
  { topicName: 'a', partitionIndex: 0 },
  { topicName: '__cluster_metadata', partitionIndex: 1 },
])(
  'DescribeQuorum knows no quorum of $topicName-$partitionIndex',
  async ({ topicName, partitionIndex }) => {
    const { broker } = await simulatedBroker()
    const asked = [{ topicName, partitions: [{ partitionIndex }] }]
    const { topics, nodes } = await ask(broker, QUORUM, { topics: asked })
    const code = topics[0]?.partitions[0]?.errorCode ?? 0
    expect(nameOf(code)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(nodes).toEqual([])
  },
)

test.each([
  { types: [], found: ['2 a', '2 b', '4 1'] },
  { types: [2], found: ['2 a', '2 b'] },
  { types: [4], found: ['4 1'] },
  { types: [8, 16, 32], found: [] },
])('ListConfigResources finds $found among types $types', async ({ types, found }) => {
  const { broker } = await simulatedBroker()
  await create(broker, ['b', 'a'])
  const answer = await ask(broker, RESOURCES, { resourceTypes: types })
  expect(
    answer.configResources.map(
      ({ resourceType, resourceName }) => `${resourceType} ${resourceName}`,
    ),
  ).toEqual(found)
})

test('ListConfigResources refuses an unknown type, and knows in version 0 only client metrics', async () => {
  const { broker } = await simulatedBroker()
  const refused = await ask(broker, RESOURCES, { resourceTypes: [2, 3] })
  expect(nameOf(refused.errorCode)).toBe('UNSUPPORTED_VERSION')
  expect((await ask(broker, RESOURCES, {}, 0)).configResources).toEqual([])
})
