// Admin requests, in an order in which each finds what the earlier ones made: good ones, odd ones and wrong ones.
import * as metadata from '../../src/protocol/messages/03-metadata.ts'
import * as createTopics from '../../src/protocol/messages/19-create-topics.ts'
import * as deleteTopics from '../../src/protocol/messages/20-delete-topics.ts'
import * as describeConfigs from '../../src/protocol/messages/32-describe-configs.ts'
import * as alterConfigs from '../../src/protocol/messages/33-alter-configs.ts'
import * as alterReplicaLogDirs from '../../src/protocol/messages/34-alter-replica-log-dirs.ts'
import * as describeLogDirs from '../../src/protocol/messages/35-describe-log-dirs.ts'
import * as createPartitions from '../../src/protocol/messages/37-create-partitions.ts'
import * as electLeaders from '../../src/protocol/messages/43-elect-leaders.ts'
import * as incremental from '../../src/protocol/messages/44-incremental-alter-configs.ts'
import * as reassign from '../../src/protocol/messages/45-alter-partition-reassignments.ts'
import * as reassignments from '../../src/protocol/messages/46-list-partition-reassignments.ts'
import * as describeQuorum from '../../src/protocol/messages/55-describe-quorum.ts'
import * as updateFeatures from '../../src/protocol/messages/57-update-features.ts'
import * as describeCluster from '../../src/protocol/messages/60-describe-cluster.ts'
import * as listConfigResources from '../../src/protocol/messages/74-list-config-resources.ts'
import * as describeTopicPartitions from '../../src/protocol/messages/75-describe-topic-partitions.ts'
import { ZERO_UUID } from '../../storage/base/uuid.ts'
import type { Exchange, RawClient } from './raw-client.ts'

/** One request, ready to be asked. */
export interface Question {
  readonly name: string
  ask(client: RawClient): Promise<unknown>
}

function question<QI, R>(
  name: string,
  messages: Exchange<QI, R>,
  version: number,
  body: QI,
): Question {
  return { name: `${name} v${version}`, ask: (client) => client.ask(messages, body, version) }
}

const UNKNOWN_ID = 'EcBj2HU8TJaSLKRhi_xImw'

const METADATA = { request: metadata.MetadataRequest, response: metadata.MetadataResponse }
const CREATE = {
  request: createTopics.CreateTopicsRequest,
  response: createTopics.CreateTopicsResponse,
}
const DELETE = {
  request: deleteTopics.DeleteTopicsRequest,
  response: deleteTopics.DeleteTopicsResponse,
}
const DESCRIBE_CONFIGS = {
  request: describeConfigs.DescribeConfigsRequest,
  response: describeConfigs.DescribeConfigsResponse,
}
const ALTER = {
  request: alterConfigs.AlterConfigsRequest,
  response: alterConfigs.AlterConfigsResponse,
}
const PLACE = {
  request: alterReplicaLogDirs.AlterReplicaLogDirsRequest,
  response: alterReplicaLogDirs.AlterReplicaLogDirsResponse,
}
const LOG_DIRS = {
  request: describeLogDirs.DescribeLogDirsRequest,
  response: describeLogDirs.DescribeLogDirsResponse,
}
const GROW = {
  request: createPartitions.CreatePartitionsRequest,
  response: createPartitions.CreatePartitionsResponse,
}
const ELECT = {
  request: electLeaders.ElectLeadersRequest,
  response: electLeaders.ElectLeadersResponse,
}
const CHANGE = {
  request: incremental.IncrementalAlterConfigsRequest,
  response: incremental.IncrementalAlterConfigsResponse,
}
const REASSIGN = {
  request: reassign.AlterPartitionReassignmentsRequest,
  response: reassign.AlterPartitionReassignmentsResponse,
}
const REASSIGNMENTS = {
  request: reassignments.ListPartitionReassignmentsRequest,
  response: reassignments.ListPartitionReassignmentsResponse,
}
const QUORUM = {
  request: describeQuorum.DescribeQuorumRequest,
  response: describeQuorum.DescribeQuorumResponse,
}
const FEATURES = {
  request: updateFeatures.UpdateFeaturesRequest,
  response: updateFeatures.UpdateFeaturesResponse,
}
const CLUSTER = {
  request: describeCluster.DescribeClusterRequest,
  response: describeCluster.DescribeClusterResponse,
}
const RESOURCES = {
  request: listConfigResources.ListConfigResourcesRequest,
  response: listConfigResources.ListConfigResourcesResponse,
}
const PAGE = {
  request: describeTopicPartitions.DescribeTopicPartitionsRequest,
  response: describeTopicPartitions.DescribeTopicPartitionsResponse,
}

const topic = (name: string, rest: object = {}) => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...rest,
})
const assigned = (...partitions: [number, number[]][]) => ({
  assignments: partitions.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
})
const config = (name: string, value: string | null) => ({ name, value })
const named = (name: string | null, topicId = ZERO_UUID) => ({ name, topicId })
const change = (
  resourceType: number,
  resourceName: string,
  ...changes: [string, number, string | null][]
) => ({
  resourceType,
  resourceName,
  configs: changes.map(([name, configOperation, value]) => ({ name, configOperation, value })),
})
const feature = (name: string, maxVersionLevel: number, upgradeType = 1) => ({
  feature: name,
  maxVersionLevel,
  upgradeType,
})
const timeoutMs = 10_000

/** All questions. Topics that Kafka makes on its own are not among them: it answers before they are there. */
export const adminQuestions: readonly Question[] = [
  question('CreateTopics', CREATE, 7, { topics: [topic('late')], timeoutMs: 0 }),
  question('CreateTopics', CREATE, 7, {
    topics: [
      topic('a', { numPartitions: 3, configs: [config('retention.bytes', '7')] }),
      topic('twice'),
      topic('twice'),
      topic('__cluster_metadata'),
      topic('c d'),
      topic(''),
      topic('null', { configs: [config('retention.ms', null)] }),
      topic('unknown', { configs: [config('foo', 'x')] }),
      topic('bad', { configs: [config('retention.ms', 'x')] }),
      topic('last', { configs: [config('flush.messages', '1'), config('flush.messages', '2')] }),
      topic('none', { numPartitions: 0 }),
      topic('two', { replicationFactor: 2 }),
      topic('zero', { replicationFactor: 0 }),
      topic('gap', assigned([1, [1]])),
      topic('any.order', assigned([1, [1]], [0, [1]])),
      topic('stranger', assigned([0, [7]])),
      topic('both', { numPartitions: 1, ...assigned([0, [1]]) }),
      topic('again', assigned([0, [1, 1]])),
      topic('same', assigned([0, [1]], [0, [1]])),
      topic('nobody', assigned([0, []])),
    ],
    timeoutMs,
  }),
  ...[2, 4, 5].map((version) =>
    question('CreateTopics', CREATE, version, {
      topics: [topic('a'), topic(`v${version}`)],
      timeoutMs,
    }),
  ),
  question('CreateTopics', CREATE, 7, { topics: [topic('any_order')], timeoutMs }),
  question('CreateTopics', CREATE, 7, {
    topics: [topic('many', { numPartitions: 10_001 })],
    timeoutMs,
  }),
  question('CreatePartitions', GROW, 3, {
    topics: [
      { name: 'a', count: 4, assignments: [] },
      { name: 'any.order', count: 1, assignments: null },
      { name: 'nope', count: 3, assignments: null },
      { name: 'last', count: 3, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] },
    ],
    timeoutMs,
    validateOnly: false,
  }),
  ...[0, 1, 7, 9, 12, 13].map((version) =>
    question('Metadata', METADATA, version, { topics: version === 0 ? [] : null }),
  ),
  question('Metadata', METADATA, 12, {
    topics: [named('nope'), named('a'), named('a b'), named('a')],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: true,
  }),
  question('Metadata', METADATA, 12, { topics: [named(null, UNKNOWN_ID), named('a')] }),
  question('Metadata', METADATA, 10, { topics: [named('a', UNKNOWN_ID)] }),
  question('Metadata', METADATA, 10, { topics: [], includeClusterAuthorizedOperations: true }),
  question('DescribeTopicPartitions', PAGE, 0, {
    topics: [],
    responsePartitionLimit: 4,
    cursor: { topicName: 'a', partitionIndex: 1 },
  }),
  question('DescribeTopicPartitions', PAGE, 0, {
    topics: [{ name: 'last' }, { name: 'nope' }, { name: 'x y' }, { name: 'a' }],
    responsePartitionLimit: 100,
  }),
  question('DescribeTopicPartitions', PAGE, 0, {
    topics: [{ name: 'a' }],
    cursor: { topicName: 'b', partitionIndex: 0 },
  }),
  question('DescribeConfigs', DESCRIBE_CONFIGS, 4, {
    resources: [
      ['a', 2],
      ['nope', 2],
      ['x y', 2],
      ['', 2],
      ['2', 4],
      ['x', 4],
      ['', 4],
      ['', 16],
      ['', 32],
    ].map(([resourceName, resourceType]) => ({
      resourceName: String(resourceName),
      resourceType: Number(resourceType),
      configurationKeys: ['retention.bytes', 'cleanup.policy', 'flush.messages', 'foo'],
    })),
    includeSynonyms: true,
  }),
  question('DescribeConfigs', DESCRIBE_CONFIGS, 4, {
    resources: [{ resourceType: 3, resourceName: 'x', configurationKeys: null }],
  }),
  question('IncrementalAlterConfigs', CHANGE, 1, {
    resources: [
      change(2, 'a', ['cleanup.policy', 2, 'compact'], ['retention.bytes', 1, null]),
      change(2, 'last', ['flush.messages', 2, '5']),
      change(2, 'any.order', ['retention.ms', 0, null]),
      change(2, 'v2', ['retention.ms', 0, '1'], ['retention.ms', 0, '2']),
      change(2, 'v4', ['foo', 0, '1']),
      change(2, 'v5', ['retention.ms', 0, 'x']),
      change(2, 'nope', ['retention.ms', 0, '1']),
      change(2, '', ['retention.ms', 0, '1']),
      change(4, '2', ['log.retention.ms', 0, '1']),
      change(4, 'x', ['log.retention.ms', 0, '1']),
      change(4, '1', ['log.dirs', 0, '/x']),
      change(4, '', ['log.retention.bytes', 0, '70000']),
      change(7, 'x', ['y', 0, '1']),
    ],
    validateOnly: false,
  }),
  question('AlterConfigs', ALTER, 2, {
    resources: [
      { resourceType: 2, resourceName: 'last', configs: [config('retention.bytes', '9')] },
      { resourceType: 2, resourceName: 'v2', configs: [config('retention.ms', null)] },
      { resourceType: 2, resourceName: 'nope', configs: [] },
      { resourceType: 8, resourceName: '1', configs: [config('root', 'INFO')] },
      { resourceType: 4, resourceName: '2', configs: [] },
    ],
    validateOnly: false,
  }),
  question('DescribeConfigs', DESCRIBE_CONFIGS, 3, {
    resources: ['a', 'last', 'v4'].map((resourceName) => ({
      resourceType: 2,
      resourceName,
      configurationKeys: ['retention.bytes', 'cleanup.policy', 'flush.messages'],
    })),
    includeSynonyms: true,
  }),
  question('ListConfigResources', RESOURCES, 1, { resourceTypes: [2, 4] }),
  question('ListConfigResources', RESOURCES, 1, { resourceTypes: [3] }),
  question('ListConfigResources', RESOURCES, 0, {}),
  ...[1, 3, 5].map((version) =>
    question('DescribeLogDirs', LOG_DIRS, version, {
      topics: [
        { topic: 'a', partitions: [0, 9] },
        { topic: 'nope', partitions: [0] },
      ],
    }),
  ),
  question('AlterReplicaLogDirs', PLACE, 2, {
    dirs: [{ path: '/nowhere', topics: [{ name: 'a', partitions: [0] }] }],
  }),
  ...[0, 1].map((electionType) =>
    question('ElectLeaders', ELECT, 2, {
      electionType,
      topicPartitions: [
        { topic: 'a', partitions: [0, 9] },
        { topic: 'nope', partitions: [0] },
      ],
    }),
  ),
  question('ElectLeaders', ELECT, 2, {
    electionType: 2,
    topicPartitions: [{ topic: 'a', partitions: [0] }],
  }),
  question('AlterPartitionReassignments', REASSIGN, 1, {
    topics: [
      {
        name: 'a',
        partitions: [[1], null, [], [1, 1], [2]].map((replicas, partitionIndex) => ({
          partitionIndex: Math.min(partitionIndex, 2),
          replicas,
        })),
      },
      { name: 'nope', partitions: [{ partitionIndex: 0, replicas: null }] },
    ],
  }),
  question('ListPartitionReassignments', REASSIGNMENTS, 0, { topics: null }),
  ...[0, 1, 2].map((version) =>
    question('DescribeQuorum', QUORUM, version, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    }),
  ),
  question('DescribeQuorum', QUORUM, 2, {
    topics: [{ topicName: 'a', partitions: [{ partitionIndex: 0 }] }],
  }),
  ...[
    feature('metadata.version', 30),
    feature('metadata.version', 31),
    feature('metadata.version', 29, 2),
    feature('metadata.version', 29, 3),
    feature('foo', 1),
    feature('group.version', 0),
    feature('group.version', 0, 2),
    feature('group.version', 2),
    feature('group.version', -1),
    feature('group.version', 0, 0),
    feature('kraft.version', 0, 2),
  ].map((update) =>
    question(`UpdateFeatures ${JSON.stringify(update)}`, FEATURES, 2, {
      featureUpdates: [update],
      validateOnly: true,
    }),
  ),
  ...[1, 2, 3].map((endpointType) =>
    question('DescribeCluster', CLUSTER, 1, {
      includeClusterAuthorizedOperations: true,
      endpointType,
    }),
  ),
  question('DeleteTopics', DELETE, 6, {
    topics: [
      named('nope'),
      named(''),
      named(null),
      named(null, UNKNOWN_ID),
      named('a', UNKNOWN_ID),
      named('last'),
      named('last'),
      named('any.order'),
    ],
    timeoutMs,
  }),
  ...[1, 4].map((version) =>
    question('DeleteTopics', DELETE, version, { topicNames: [`v${version}`, 'v2'], timeoutMs }),
  ),
  question('DeleteTopics', DELETE, 6, { topics: [named('a')], timeoutMs: 0 }),
]
