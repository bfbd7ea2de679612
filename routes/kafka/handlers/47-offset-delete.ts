// OffsetDelete: a group forgets where it was.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  OffsetDeleteRequest,
  OffsetDeleteResponse,
} from '#src/protocol/messages/47-offset-delete.ts'
import { api } from '../api.ts'

/** Answers each partition by itself, unless the group refuses all. */
export const offsetDelete = api({
  request: OffsetDeleteRequest,
  response: OffsetDeleteResponse,
  async handle({ broker, session }, { groupId, topics }) {
    const outcomes = await broker.groups.offsets.delete(session, {
      groupId,
      topics: topics.map(({ name, partitions }) => ({
        name,
        topicId: undefined,
        partitions: partitions.map(({ partitionIndex }) => ({ partition: partitionIndex })),
      })),
    })
    return {
      errorCode: NO_ERROR,
      throttleTimeMs: 0,
      topics: outcomes.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partition, error }) => ({
          partitionIndex: partition,
          errorCode: error === undefined ? NO_ERROR : errorCode(error),
        })),
      })),
    }
  },
  refuse: ({ code }) => ({ errorCode: errorCode(code), throttleTimeMs: 0, topics: [] }),
})
