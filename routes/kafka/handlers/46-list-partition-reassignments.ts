// ListPartitionReassignments: partitions on their way to other brokers (KIP-455).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '#src/protocol/messages/46-list-partition-reassignments.ts'
import { api } from '../api.ts'
import { groupByTopic } from '../group-by-topic.ts'
import { messageOf } from '../outcome.ts'

/** Only what a cluster left unfinished: here nothing takes time. */
export const listPartitionReassignments = api({
  request: ListPartitionReassignmentsRequest,
  response: ListPartitionReassignmentsResponse,
  handle({ broker, session }, { topics }) {
    const wanted =
      topics?.flatMap(({ name: topic, partitionIndexes }) =>
        partitionIndexes.map((partition) => ({ topic, partition })),
      ) ?? null
    const found = broker.admin.cluster.reassignments(session, wanted)
    return {
      throttleTimeMs: 0,
      errorCode: NO_ERROR,
      errorMessage: null,
      topics: groupByTopic(found).map(({ topic, items }) => ({
        name: topic,
        partitions: items.map(({ partition, replicas, addingReplicas, removingReplicas }) => ({
          partitionIndex: partition,
          replicas,
          addingReplicas,
          removingReplicas,
        })),
      })),
    }
  },
  refuse: (error) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    topics: [],
  }),
})
