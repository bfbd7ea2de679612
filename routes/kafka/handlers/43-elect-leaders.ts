// ElectLeaders: an admin has the preferred replicas lead again, or any replica where nobody does (KIP-183, KIP-460).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '#src/protocol/messages/43-elect-leaders.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { groupByTopic } from '../group-by-topic.ts'
import { outcome } from '../outcome.ts'

const ELECTION_TYPES = ['preferred', 'unclean'] as const

/** Each partition by itself; those that need no election say so only where they were named. */
export const electLeaders = api({
  request: ElectLeadersRequest,
  response: ElectLeadersResponse,
  async handle({ broker, session, version }, request) {
    const electionType = ELECTION_TYPES[request.electionType]
    if (!electionType) {
      throw new KafkaError('INVALID_REQUEST', `No such type of election: ${request.electionType}`)
    }
    const { timeoutMs } = request
    const partitions = partitionsOf(request)
    const elected = await broker.admin.cluster.electLeaders(session, {
      electionType,
      partitions,
      timeoutMs,
    })
    return {
      throttleTimeMs: 0,
      ...(version >= 1 && { errorCode: NO_ERROR }),
      replicaElectionResults: groupByTopic(elected).map(({ topic, items }) => ({
        topic,
        partitionResult: items.map(({ partition, error }) => ({
          partitionId: partition,
          ...outcome(error),
        })),
      })),
    }
  },
  refuse: (error, request, { version }) => ({
    throttleTimeMs: 0,
    ...(version >= 1 && { errorCode: errorCode(error.code) }),
    replicaElectionResults: groupByTopic(partitionsOf(request) ?? []).map(({ topic, items }) => ({
      topic,
      partitionResult: items.map(({ partition }) => ({
        partitionId: partition,
        ...outcome(error),
      })),
    })),
  }),
})

function partitionsOf({ topicPartitions }: ElectLeadersRequest) {
  if (topicPartitions === null) return null
  return topicPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
