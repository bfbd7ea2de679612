// AlterPartitionReassignments: partitions are given to other brokers (KIP-455).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '#src/protocol/messages/45-alter-partition-reassignments.ts'
import { api } from '../api.ts'
import { groupByTopic } from '../group-by-topic.ts'
import { messageOf, outcome } from '../outcome.ts'

/** Each partition by itself. */
export const alterPartitionReassignments = api({
  request: AlterPartitionReassignmentsRequest,
  response: AlterPartitionReassignmentsResponse,
  async handle({ broker, session }, request) {
    const { timeoutMs, allowReplicationFactorChange, topics } = request
    const partitions = topics.flatMap(({ name: topic, partitions: asked }) =>
      asked.map(({ partitionIndex, replicas }) => ({ topic, partition: partitionIndex, replicas })),
    )
    const mayChangeReplicationFactor = allowReplicationFactorChange
    const results = await broker.admin.cluster.reassign(session, {
      partitions,
      mayChangeReplicationFactor,
      timeoutMs,
    })
    return {
      throttleTimeMs: 0,
      allowReplicationFactorChange,
      errorCode: NO_ERROR,
      errorMessage: null,
      responses: groupByTopic(results).map(({ topic, items }) => ({
        name: topic,
        partitions: items.map(({ partition, error }) => ({
          partitionIndex: partition,
          ...outcome(error),
        })),
      })),
    }
  },
  refuse: (error) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    responses: [],
  }),
})
