// DeleteTopics: topics go, by name or by id.
import type { TopicToDelete } from '#src/broker/admin.ts'
import {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '#src/protocol/messages/20-delete-topics.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { api } from '../api.ts'
import { outcome } from '../outcome.ts'

/** Topics may be named by id from here on. */
const IDS_SINCE = 6
/** Clients know TOPIC_DELETION_DISABLED from here on (KIP-322). */
const DISABLED_SINCE = 3

/** The answer leaves when the topics are gone from metadata; their files follow. */
export const deleteTopics = api({
  request: DeleteTopicsRequest,
  response: DeleteTopicsResponse,
  async handle({ broker, session, version }, request) {
    const asked = topicsOf(request, version)
    const { timeoutMs } = request
    const deleted = await broker.admin.topics.delete(session, asked, { timeoutMs })
    const responses = deleted.map(({ name, topicId, error }) => ({
      name,
      topicId,
      ...outcome(error),
    }))
    return { throttleTimeMs: 0, responses }
  },
  refuse(error, request, { version }) {
    const isUnknown = error.code === 'TOPIC_DELETION_DISABLED' && version < DISABLED_SINCE
    const shown = isUnknown ? new KafkaError('INVALID_REQUEST', error.message) : error
    const responses = topicsOf(request, version).map((topic) => ({ ...topic, ...outcome(shown) }))
    return { throttleTimeMs: 0, responses }
  },
})

function topicsOf(
  { topics, topicNames }: DeleteTopicsRequest,
  version: number,
): readonly TopicToDelete[] {
  if (version >= IDS_SINCE) return topics
  return topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
}
