// Topics made, deleted and grown in bulk, a result for each.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Session } from '../access/session.ts'
import { TopicConfig } from '../config/topic-config.ts'
import type { NewTopic, TopicResult } from '../metadata/provider.ts'
import type {
  ChangeOptions,
  CreatedTopic,
  DeletedTopic,
  NamedResult,
  TopicAdmin,
  TopicChoice,
  TopicPlace,
  TopicState,
  TopicToCreate,
  TopicToDelete,
  TopicToGrow,
} from './admin.ts'
import type { AdminParts } from './admin-parts.ts'
import { Describing } from './describing.ts'
import { withinTime } from './time-limit.ts'

/** READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS: a bit each, by Kafka's codes. */
const ALL_TOPIC_OPERATIONS = 0b1101_1111_1000

/** Topics, for admins. */
export class AdminTopics implements TopicAdmin {
  readonly #parts: AdminParts
  readonly #describing: Describing

  constructor(parts: AdminParts) {
    this.#parts = parts
    this.#describing = new Describing(parts)
  }

  describe(session: Session, choice: TopicChoice): Promise<readonly TopicState[]> {
    return this.#describing.topics(session, choice)
  }

  describePage(
    _session: Session,
    page: {
      readonly names: readonly string[]
      readonly start: TopicPlace | null
      readonly limit: number
    },
  ): { readonly topics: readonly TopicState[]; readonly next: TopicPlace | null } {
    return this.#describing.page(page)
  }

  authorizedOperations(_session: Session, _topic: string): number {
    return ALL_TOPIC_OPERATIONS
  }

  create(
    _session: Session,
    topics: readonly TopicToCreate[],
    { timeoutMs, validateOnly = false }: ChangeOptions,
  ): Promise<readonly CreatedTopic[]> {
    return withinTime(this.#parts.clock, timeoutMs, async () => {
      const plans = planEach(topics, ({ name }) => name, newTopic)
      const good = plans.flatMap(({ plan }) => (plan instanceof KafkaError ? [] : [plan]))
      const created = await this.#parts.provider.submit({
        kind: 'createTopics',
        topics: good,
        validateOnly,
      })
      if (!validateOnly) await this.#parts.partitions.settled()
      const byName = new Map(created.map((result) => [result.name, result]))
      return plans.map(({ key: name, plan }) =>
        plan instanceof KafkaError
          ? refusedTopic(name, plan)
          : this.#createdTopic(plan, byName.get(name)),
      )
    })
  }

  delete(
    _session: Session,
    topics: readonly TopicToDelete[],
    { timeoutMs }: ChangeOptions,
  ): Promise<readonly DeletedTopic[]> {
    const { clock, configs, partitions, provider } = this.#parts
    return withinTime(clock, timeoutMs, async () => {
      if (!configs.broker.boolean('delete.topic.enable')) {
        throw new KafkaError('TOPIC_DELETION_DISABLED', 'delete.topic.enable is false')
      }
      const keyOf = ({ name, topicId }: TopicToDelete) => JSON.stringify([name, topicId])
      const plans = planEach(topics, keyOf, (topic) => ({ topic, target: deletion(topic) }))
      const good = plans.flatMap(({ plan }) => (plan instanceof KafkaError ? [] : [plan.target]))
      const deleted = await provider.submit({ kind: 'deleteTopics', topics: good })
      await partitions.settled()
      const results = deleted.values()
      return plans.map(({ plan, item: { name, topicId } }) => {
        if (plan instanceof KafkaError) return { name, topicId, error: plan }
        const result = results.next().value
        // An id that came with an unknown name would be news: names and ids of what was refused stay as they were asked.
        if (result?.error) return { name, topicId, error: result.error }
        return {
          name: result?.name ?? name,
          topicId: result?.topicId ?? topicId,
          error: undefined,
        }
      })
    })
  }

  grow(
    _session: Session,
    topics: readonly TopicToGrow[],
    { timeoutMs, validateOnly = false }: ChangeOptions,
  ): Promise<readonly NamedResult[]> {
    const { clock, partitions, provider } = this.#parts
    return withinTime(clock, timeoutMs, async () => {
      const plans = planEach(
        topics,
        ({ name }) => name,
        ({ name, count, assignments }) =>
          assignments === null ? { name, count } : { name, count, assignments },
      )
      const good = plans.flatMap(({ plan }) => (plan instanceof KafkaError ? [] : [plan]))
      const grown = await provider.submit({ kind: 'createPartitions', topics: good, validateOnly })
      if (!validateOnly) await partitions.settled()
      const byName = new Map(grown.map(({ name, error }) => [name, error]))
      return plans.map(({ key: name, plan }) => ({
        name,
        error: plan instanceof KafkaError ? plan : byName.get(name),
      }))
    })
  }

  #createdTopic(topic: NewTopic, result: TopicResult | undefined): CreatedTopic {
    if (result?.error) return refusedTopic(topic.name, result.error)
    const { topicId = ZERO_UUID, partitionCount = -1, replicationFactor = -1 } = result ?? {}
    const configs = new TopicConfig(topic.configs ?? new Map(), this.#parts.configs.broker)
    return {
      name: topic.name,
      error: undefined,
      topicId,
      partitionCount,
      replicationFactor,
      configs: configs.describe(),
    }
  }
}

/** One thing that was asked for, once, and what is to be done about it. */
interface Planned<T, P> {
  readonly key: string
  readonly item: T
  readonly plan: P | KafkaError
}

/** Plans each item by itself; what is asked for twice is refused, and comes once. */
function planEach<T, P>(
  items: readonly T[],
  keyOf: (item: T) => string,
  plan: (item: T) => P,
): Planned<T, P>[] {
  const planned = new Map<string, Planned<T, P>>()
  for (const item of items) {
    const key = keyOf(item)
    const isTwice = planned.has(key)
    planned.set(key, { key, item, plan: isTwice ? twice(key) : attempt(() => plan(item)) })
  }
  return [...planned.values()]
}

function twice(key: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', `Topic ${key} is in the request twice`)
}

function attempt<P>(plan: () => P): P | KafkaError {
  try {
    return plan()
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

function newTopic(topic: TopicToCreate): NewTopic {
  const { name, partitionCount, replicationFactor } = topic
  const configs = new Map<string, string>()
  for (const config of topic.configs) {
    if (config.value === null) {
      throw new KafkaError('INVALID_CONFIG', `Topic config ${config.name} has no value`)
    }
    configs.set(config.name, config.value)
  }
  const assignments = inOrder(topic.assignments)
  return { name, partitionCount, replicationFactor, assignments, configs }
}

/** The brokers of partitions 0, 1, 2 and so on, none left out. */
function inOrder(assignments: TopicToCreate['assignments']): readonly (readonly number[])[] {
  const sorted = assignments.toSorted((left, right) => left.partition - right.partition)
  const gap = sorted.findIndex(({ partition }, at) => partition !== at)
  if (gap === -1) return sorted.map(({ replicas }) => replicas)
  const detail = `Partition ${gap} is not assigned, or another one is assigned twice`
  throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', detail)
}

function deletion({ name, topicId }: TopicToDelete) {
  const hasId = topicId !== ZERO_UUID
  if ((name !== null) === hasId) {
    const detail = hasId ? 'A topic is given by name and by id' : 'Neither name nor id is given'
    throw new KafkaError('INVALID_REQUEST', detail)
  }
  return name === null ? { topicId } : { name }
}

function refusedTopic(name: string, error: KafkaError): CreatedTopic {
  const none = { topicId: ZERO_UUID, partitionCount: -1, replicationFactor: -1, configs: [] }
  return { name, error, ...none }
}
