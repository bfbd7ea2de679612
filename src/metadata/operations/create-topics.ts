// Plans the creation of topics.
import { KafkaError } from '#storage/base/errors.ts'
import { randomUuid } from '#storage/base/uuid.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { CONFIG_RESOURCE, type ConfigResource } from '../image.ts'
import type { NewTopic, OperationOf, TopicResult } from '../provider.ts'
import { checkTopicName, collisionForm } from '../topic-name.ts'
import { elrSafetyRecords } from './alter-configs.ts'
import {
  attempt,
  checkAssignment,
  checkReplicationFactor,
  newPartition,
  type Part,
  type Plan,
  type PlanContext,
  recordsOf,
  repeated,
} from './plan.ts'

/** Kafka's limit for one request. */
const MAX_PARTITIONS_PER_REQUEST = 10_000
const METADATA_TOPIC = '__cluster_metadata'
const UNSET = -1

type Created = Omit<TopicResult, 'name' | 'error'>

/** A topic that may be created, and the replicas of its partitions. */
interface Placed {
  readonly topic: NewTopic
  readonly assignments: readonly (readonly number[])[]
  readonly validateOnly: boolean
}

/**
 * Records and results for new topics. Throws POLICY_VIOLATION when the request makes too many partitions at once; every
 * other refusal is its topic's own.
 */
export function planCreateTopics(
  context: PlanContext,
  { topics, validateOnly = false }: OperationOf<'createTopics'>,
): Plan<readonly TopicResult[]> {
  const twice = repeated(topics.map((topic) => topic.name))
  /** Collision form to name, of the request's own topics. */
  const taken = new Map<string, string>()
  const placed = topics.map((topic) =>
    attempt(() => {
      if (twice.has(topic.name)) {
        throw new KafkaError('INVALID_REQUEST', `Topic ${topic.name} is in the request twice`)
      }
      checkName(context, topic.name, taken)
      const assignments = placePartitions(context, topic)
      taken.set(collisionForm(topic.name), topic.name)
      return { records: [], value: { topic, assignments, validateOnly } }
    }),
  )
  checkTotal(placed)
  const parts = placed.map((part) =>
    part instanceof KafkaError ? part : attempt(() => createTopic(context, part.value)),
  )
  const result = topics.map(({ name }, at) => resultOf(name, parts[at]))
  return { records: recordsOf(parts), result }
}

function checkTotal(placed: readonly Part<Placed>[]): void {
  const counts = placed.map((part) =>
    part instanceof KafkaError ? 0 : part.value.assignments.length,
  )
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total <= MAX_PARTITIONS_PER_REQUEST) return
  const detail = `More than ${MAX_PARTITIONS_PER_REQUEST} partitions cannot be made in one request`
  throw new KafkaError('POLICY_VIOLATION', detail)
}

function resultOf(name: string, part: Part<Created> | undefined): TopicResult {
  const none = { topicId: undefined, partitionCount: UNSET, replicationFactor: UNSET }
  if (part === undefined || part instanceof KafkaError) return { name, error: part, ...none }
  return { name, error: undefined, ...part.value }
}

function checkName({ image }: PlanContext, name: string, taken: ReadonlyMap<string, string>): void {
  checkTopicName(name)
  if (name === METADATA_TOPIC) {
    throw new KafkaError('INVALID_REQUEST', `${name} is Kafka's own and cannot be created`)
  }
  if (image.topic(name) !== undefined) {
    throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists`)
  }
  const form = collisionForm(name)
  const other = image.state.collisionForms.get(form)
  if (other !== undefined || taken.has(form)) {
    const rival = other ?? taken.get(form)
    const detail = `Topic '${name}' collides with '${rival}': '.' and '_' are one in metric names`
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', detail)
  }
}

/** The replicas of each partition. */
function placePartitions(context: PlanContext, topic: NewTopic): readonly (readonly number[])[] {
  const { assignments = [], partitionCount = UNSET, replicationFactor = UNSET } = topic
  if (assignments.length > 0) {
    if (partitionCount !== UNSET || replicationFactor !== UNSET) {
      const detail = `Topic ${topic.name} has an assignment and a partition count or replication factor`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
    for (const replicas of assignments) {
      checkAssignment(context, replicas, assignments[0]?.length ?? 0)
    }
    return assignments
  }
  const defaults = context.defaults()
  const count = partitionCount === UNSET ? defaults.partitionCount : partitionCount
  if (!(Number.isInteger(count) && count > 0)) {
    throw new KafkaError('INVALID_PARTITIONS', `A topic cannot have ${count} partitions`)
  }
  const factor = replicationFactor === UNSET ? defaults.replicationFactor : replicationFactor
  if (!(Number.isInteger(factor) && factor > 0)) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Replication factor ${factor} is not positive`,
    )
  }
  checkReplicationFactor(context, factor)
  // Beyond the limit the request is refused; no need to lay out a count of billions.
  const length = Math.min(count, MAX_PARTITIONS_PER_REQUEST + 1)
  return Array.from({ length }, () => [context.nodeId])
}

function createTopic(
  context: PlanContext,
  {
    topic,
    assignments,
    validateOnly,
  }: { topic: NewTopic; assignments: readonly (readonly number[])[]; validateOnly: boolean },
): { records: readonly NewMetadataRecord[]; value: Created } {
  const { name, configs = new Map() } = topic
  const resource: ConfigResource = { type: CONFIG_RESOURCE.TOPIC, name }
  context.rules.validate(resource, configs)
  const topicId = randomUuid(context.random)
  const configRecords = [...configs].map(
    ([key, value]): NewMetadataRecord => ({
      type: 'ConfigRecord',
      version: 0,
      data: { resourceType: resource.type, resourceName: name, name: key, value },
    }),
  )
  return {
    records: [
      { type: 'TopicRecord', version: 0, data: { name, topicId } },
      ...configRecords,
      ...elrSafetyRecords(context.image, resource, [...configs.keys()]),
      ...assignments.map((replicas, partition) =>
        newPartition(context, { topicId, partition, replicas }),
      ),
    ],
    value: {
      topicId: validateOnly ? undefined : topicId,
      partitionCount: assignments.length,
      replicationFactor: assignments[0]?.length ?? 0,
    },
  }
}
