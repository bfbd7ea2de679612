// Metadata: who the brokers are and who leads what. The first thing that a client asks, and again after every surprise.
import type { PartitionState, TopicChoice, TopicState } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { MetadataRequest, MetadataResponse } from '#src/protocol/messages/03-metadata.ts'
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { api, type RequestContext } from '../api.ts'
import { nodes } from '../nodes.ts'

/** Topics are asked for by id from here on; names may be null. */
const IDS_SINCE = 12

/** Creates the topics that are missing, where both sides want that; they are there when the answer leaves. */
export const metadata = api({
  request: MetadataRequest,
  response: MetadataResponse,
  async handle(context, request) {
    const { broker, session, version } = context
    const { topics, cluster } = broker.admin
    const states = await topics.describe(session, choiceOf(request, version))
    const operations = (name: string | null) =>
      request.includeTopicAuthorizedOperations && name !== null && version >= 8
        ? { topicAuthorizedOperations: topics.authorizedOperations(session, name) }
        : {}
    return {
      ...clusterOf(context),
      topics: states.map((topic) => ({ ...topicEntry(topic), ...operations(topic.name) })),
      ...(request.includeClusterAuthorizedOperations && {
        clusterAuthorizedOperations: cluster.authorizedOperations(session),
      }),
    }
  },
  refuse: ({ code }, { topics }) => ({
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({
      ...refused(code),
      name: name ?? '',
      topicId,
    })),
    errorCode: errorCode(code),
  }),
})

function choiceOf(
  { topics, allowAutoTopicCreation }: MetadataRequest,
  version: number,
): TopicChoice {
  if (topics === null || (version === 0 && topics.length === 0)) return 'all'
  const ids = topics.map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID)
  if (ids.length > 0 && version < IDS_SINCE) {
    throw new KafkaError('INVALID_REQUEST', `Version ${version} has no topic ids in requests`)
  }
  if (ids.length > 0) return { ids }
  const names = topics.map(({ name }) => {
    if (name !== null) return name
    throw new KafkaError('INVALID_REQUEST', 'A topic has neither name nor id')
  })
  return { names, mayCreate: allowAutoTopicCreation }
}

function clusterOf(context: RequestContext) {
  const { broker } = context
  return {
    brokers: nodes(context)
      .filter(({ isFenced }) => !isFenced)
      .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
  }
}

function topicEntry({ name, topicId, error, isInternal, partitions }: TopicState) {
  if (error) return { ...refused(error), name, topicId, isInternal }
  const entries = partitions.map(partitionEntry)
  return { errorCode: NO_ERROR, name, topicId, isInternal, partitions: entries }
}

function partitionEntry({
  partition,
  error,
  leader,
  leaderEpoch,
  replicas,
  isr,
  offlineReplicas,
}: PartitionState) {
  return {
    errorCode: error ? errorCode(error) : NO_ERROR,
    partitionIndex: partition,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas,
  }
}

function refused(code: KafkaErrorName) {
  return { errorCode: errorCode(code), partitions: [] }
}
