// CreateTopics: topics are made, each by itself; the answer leaves when they can be written.
import type { CreatedTopic } from '#src/broker/admin.ts'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '#src/protocol/messages/19-create-topics.ts'
import { api } from '../api.ts'
import { CONFIG_SOURCE } from '../config-codes.ts'
import { outcome } from '../outcome.ts'

/** Counts and configs of what was made come with the answer (v5). */
export const createTopics = api({
  request: CreateTopicsRequest,
  response: CreateTopicsResponse,
  async handle({ broker, session }, { topics, timeoutMs, validateOnly }) {
    const asked = topics.map(
      ({ name, numPartitions, replicationFactor, assignments, configs }) => ({
        name,
        partitionCount: numPartitions,
        replicationFactor,
        assignments: assignments.map(({ partitionIndex, brokerIds }) => ({
          partition: partitionIndex,
          replicas: brokerIds,
        })),
        configs,
      }),
    )
    const options = { timeoutMs, validateOnly }
    const created = await broker.admin.topics.create(session, asked, options)
    return { throttleTimeMs: 0, topics: created.map(entry) }
  },
  refuse: (error, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => ({ name, ...outcome(error), configs: [] })),
  }),
})

function entry(topic: CreatedTopic) {
  const { name, error, topicId, partitionCount, replicationFactor, configs } = topic
  return {
    name,
    topicId,
    ...outcome(error),
    numPartitions: partitionCount,
    replicationFactor,
    configs: configs.map(({ name: key, value, source, isReadOnly, isSensitive }) => ({
      name: key,
      value,
      readOnly: isReadOnly,
      configSource: CONFIG_SOURCE[source],
      isSensitive,
    })),
  }
}
