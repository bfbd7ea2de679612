// Plans the growth of topics.
import { KafkaError } from '#storage/base/errors.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import type { TopicImage } from '../image.ts'
import type { GrownTopic, MorePartitions, OperationOf } from '../provider.ts'
import {
  attempt,
  checkAssignment,
  checkReplicationFactor,
  errorOf,
  newPartition,
  type Plan,
  type PlanContext,
  recordsOf,
  repeated,
} from './plan.ts'

/** Kafka's limit for one request. */
const MAX_PARTITIONS_PER_REQUEST = 10_000

/** Records and results for topics that grow; every refusal is its topic's own. */
export function planCreatePartitions(
  context: PlanContext,
  { topics }: OperationOf<'createPartitions'>,
): Plan<readonly GrownTopic[]> {
  const twice = repeated(topics.map((topic) => topic.name))
  const parts = topics.map((request) =>
    attempt(() => {
      if (twice.has(request.name)) {
        throw new KafkaError('INVALID_REQUEST', `Topic ${request.name} is in the request twice`)
      }
      return { records: grow(context, request), value: undefined }
    }),
  )
  const result = topics.map(({ name }, at) => {
    const part = parts[at]
    return { name, error: part === undefined ? undefined : errorOf(part) }
  })
  return { records: recordsOf(parts), result }
}

function grow(context: PlanContext, request: MorePartitions): NewMetadataRecord[] {
  const topic = context.image.topic(request.name)
  if (topic === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${request.name}' does not exist`)
  }
  const first = topic.partitions.length
  return newReplicas(context, topic, request).map((replicas, at) =>
    newPartition(context, { topicId: topic.id, partition: first + at, replicas }),
  )
}

/** The replicas of each partition to add. */
function newReplicas(
  context: PlanContext,
  topic: TopicImage,
  { name, count, assignments }: MorePartitions,
): readonly (readonly number[])[] {
  const present = topic.partitions.length
  if (!(Number.isInteger(count) && count > present)) {
    const detail = `Topic '${name}' has ${present} partitions, and ${count} would not be an increase`
    throw new KafkaError('INVALID_PARTITIONS', detail)
  }
  const added = count - present
  if (added > MAX_PARTITIONS_PER_REQUEST) {
    const detail = `${added} partitions are more than ${MAX_PARTITIONS_PER_REQUEST} in one request`
    throw new KafkaError('POLICY_VIOLATION', detail)
  }
  const factor = topic.partitions[0]?.replicas.length ?? 1
  if (assignments === undefined) {
    checkReplicationFactor(context, factor)
    return Array.from({ length: added }, () => [context.nodeId])
  }
  if (assignments.length !== added) {
    const detail = `${added} partitions are to be added, but ${assignments.length} are assigned`
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', detail)
  }
  for (const replicas of assignments) checkAssignment(context, replicas, factor)
  return assignments
}
