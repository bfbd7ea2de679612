// OffsetForLeaderEpoch: where a leader epoch ended, for those who must know what they have to drop.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '#src/protocol/messages/23-offset-for-leader-epoch.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { api } from '../api.ts'
import { refusalName } from '../refusal-name.ts'

type Question = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]

/** Answers each partition by itself. */
export const offsetForLeaderEpoch = api({
  request: OffsetForLeaderEpochRequest,
  response: OffsetForLeaderEpochResponse,
  handle({ broker, session }, { topics }) {
    const find = (topic: string, { partition, currentLeaderEpoch, leaderEpoch }: Question) => {
      try {
        const at = { topic, topicId: ZERO_UUID, partition }
        const found = broker.epochEnd(session, { ...at, currentLeaderEpoch, leaderEpoch })
        return { errorCode: NO_ERROR, partition, ...found }
      } catch (error) {
        return { errorCode: errorCode(refusalName(error)), partition }
      }
    }
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((question) => find(topic, question)),
      })),
    }
  },
  refuse: ({ code }, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode: errorCode(code), partition })),
    })),
  }),
})
