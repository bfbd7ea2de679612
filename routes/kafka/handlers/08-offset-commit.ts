// OffsetCommit: a group remembers how far it has read.

import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '#src/protocol/messages/08-offset-commit.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { api } from '../api.ts'

/** From here on topics are named by their ids. */
const TOPIC_IDS_SINCE = 10

/** Answers each partition by itself when the offsets are as safe as a record with acks=all. */
export const offsetCommit = api({
  request: OffsetCommitRequest,
  response: OffsetCommitResponse,
  async handle({ broker, session, version }, request) {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
    const outcomes = await broker.groups.offsets.commit(session, {
      groupId,
      client: { memberId, groupInstanceId, generationIdOrMemberEpoch, version },
      retentionTimeMs: request.retentionTimeMs,
      topics: request.topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId: version < TOPIC_IDS_SINCE ? undefined : topicId,
        partitions: partitions.map((partition) => ({
          partition: partition.partitionIndex,
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata: partition.committedMetadata,
        })),
      })),
    })
    const topics = outcomes.map(({ name, topicId, partitions }) => ({
      name,
      ...(topicId !== undefined && { topicId }),
      partitions: partitions.map(({ partition, error }) => answered(partition, error)),
    }))
    return { throttleTimeMs: 0, topics }
  },
  refuse: ({ code }, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => answered(partitionIndex, code)),
    })),
  }),
})

function answered(partitionIndex: number, error: KafkaErrorName | undefined) {
  return { partitionIndex, errorCode: error === undefined ? NO_ERROR : errorCode(error) }
}
