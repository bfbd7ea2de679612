// DescribeTopicPartitions: topics, a page at a time (KIP-966).
import type { PartitionState, TopicState } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '#src/protocol/messages/75-describe-topic-partitions.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { api } from '../api.ts'

/** Topics by name; the cursor is where the next page begins. */
export const describeTopicPartitions = api({
  request: DescribeTopicPartitionsRequest,
  response: DescribeTopicPartitionsResponse,
  handle({ broker, session }, { topics, responsePartitionLimit, cursor }) {
    const { topics: admin } = broker.admin
    const page = admin.describePage(session, {
      names: topics.map(({ name }) => name),
      start: cursor && { topic: cursor.topicName, partition: cursor.partitionIndex },
      limit: responsePartitionLimit,
    })
    const operations = (topic: string | null) => admin.authorizedOperations(session, topic ?? '')
    return {
      throttleTimeMs: 0,
      topics: page.topics.map((topic) => ({
        ...topicEntry(topic),
        topicAuthorizedOperations: operations(topic.name),
      })),
      nextCursor: page.next && {
        topicName: page.next.topic,
        partitionIndex: page.next.partition,
      },
    }
  },
  refuse: ({ code }, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => ({
      errorCode: errorCode(code),
      name,
      topicId: ZERO_UUID,
      partitions: [],
    })),
  }),
})

function topicEntry({ name, topicId, error, isInternal, partitions }: TopicState) {
  return {
    errorCode: error ? errorCode(error) : NO_ERROR,
    name,
    topicId,
    isInternal,
    partitions: partitions.map(partitionEntry),
  }
}

function partitionEntry({
  partition,
  leader,
  leaderEpoch,
  replicas,
  isr,
  eligibleLeaderReplicas,
  lastKnownElr,
  offlineReplicas,
}: PartitionState) {
  return {
    errorCode: NO_ERROR,
    partitionIndex: partition,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    eligibleLeaderReplicas,
    lastKnownElr,
    offlineReplicas,
  }
}
