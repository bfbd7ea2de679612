// CreatePartitions: topics grow.
import {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '#src/protocol/messages/37-create-partitions.ts'
import { api } from '../api.ts'
import { outcome } from '../outcome.ts'

/** Each topic by itself; the answer leaves when the new partitions can be written. */
export const createPartitions = api({
  request: CreatePartitionsRequest,
  response: CreatePartitionsResponse,
  async handle({ broker, session }, { topics, timeoutMs, validateOnly }) {
    const asked = topics.map(({ name, count, assignments }) => ({
      name,
      count,
      assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null,
    }))
    const grown = await broker.admin.topics.grow(session, asked, { timeoutMs, validateOnly })
    const results = grown.map(({ name, error }) => ({ name, ...outcome(error) }))
    return { throttleTimeMs: 0, results }
  },
  refuse: (error, { topics }) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, ...outcome(error) })),
  }),
})
