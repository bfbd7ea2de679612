// Plans the deletion of topics.
import { KafkaError } from '#storage/base/errors.ts'
import type { DeletedTopic, OperationOf } from '../provider.ts'
import { attempt, errorOf, type Plan, type PlanContext, recordsOf, repeated } from './plan.ts'

/** Records and results for topics that go; every refusal is its topic's own. */
export function planDeleteTopics(
  { image }: PlanContext,
  { topics }: OperationOf<'deleteTopics'>,
): Plan<readonly DeletedTopic[]> {
  const found = topics.map((topic) => {
    const byId = 'topicId' in topic
    const known = byId ? image.topicById(topic.topicId) : image.topic(topic.name)
    const name = known?.name ?? (byId ? undefined : topic.name)
    return { byId, name, topicId: known?.id ?? (byId ? topic.topicId : undefined), known }
  })
  const twice = repeated(found.map(({ name, topicId }) => name ?? topicId ?? ''))
  const parts = found.map(({ byId, name, topicId, known }) =>
    attempt(() => {
      if (twice.has(name ?? topicId ?? '')) {
        throw new KafkaError('INVALID_REQUEST', `Topic ${name ?? topicId} is in the request twice`)
      }
      if (known === undefined) throw unknown(byId, name ?? topicId)
      const data = { topicId: known.id }
      return { records: [{ type: 'RemoveTopicRecord', version: 0, data }], value: undefined }
    }),
  )
  const result = found.map(({ name, topicId }, at) => {
    const part = parts[at]
    return { name, topicId, error: part === undefined ? undefined : errorOf(part) }
  })
  return { records: recordsOf(parts), result }
}

function unknown(byId: boolean, what: string | undefined): KafkaError {
  if (byId) return new KafkaError('UNKNOWN_TOPIC_ID', `No topic has the id ${what}`)
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${what}' does not exist`)
}
