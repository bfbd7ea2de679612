// Topics as clients see them: who leads, who is in sync, and what is wrong.
import { KafkaError } from '#storage/base/errors.ts'
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { Session } from '../access/session.ts'
import {
  type MetadataImage,
  NO_LEADER,
  type PartitionImage,
  type TopicImage,
} from '../metadata/image.ts'
import { checkTopicName } from '../metadata/topic-name.ts'
import type { PartitionState, TopicChoice, TopicPlace, TopicState } from './admin.ts'
import type { AdminParts } from './admin-parts.ts'
import { isInternalTopic } from './internal-topic-names.ts'

/** Describes topics for Metadata and DescribeTopicPartitions. */
export class Describing {
  readonly #parts: AdminParts

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  async topics(session: Session, choice: TopicChoice): Promise<readonly TopicState[]> {
    if (choice === 'all') return this.#names().map((name) => this.#byName(name))
    if ('ids' in choice) return [...new Set(choice.ids)].map((id) => this.#byId(id))
    const names = [...new Set(choice.names)]
    if (!choice.mayCreate) return names.map((name) => this.#byName(name))
    const { image } = this.#parts.provider
    return await Promise.all(
      names.map((name) => (image.topic(name) ? this.#byName(name) : this.#create(session, name))),
    )
  }

  page({
    names,
    start,
    limit,
  }: {
    readonly names: readonly string[]
    readonly start: TopicPlace | null
    readonly limit: number
  }): { readonly topics: readonly TopicState[]; readonly next: TopicPlace | null } {
    checkStart(names, start)
    const isNamed = names.length > 0
    const wanted = (isNamed ? [...new Set(names)].sort(inJavaOrder) : this.#names()).filter(
      (name) => start === null || name >= start.topic,
    )
    const topics: TopicState[] = []
    let left = Math.max(1, Math.min(limit, this.#pageLimit))
    for (const name of wanted) {
      if (left === 0) return { topics, next: { topic: name, partition: 0 } }
      const topic = this.#byName(name)
      const from = start?.topic === name ? start.partition : 0
      const partitions = topic.partitions.slice(from, from + left)
      topics.push({ ...topic, partitions })
      if (from + partitions.length < topic.partitions.length && partitions.length > 0) {
        return { topics, next: { topic: name, partition: from + partitions.length } }
      }
      left -= partitions.length
    }
    return { topics, next: null }
  }

  get #pageLimit(): number {
    return this.#parts.configs.broker.number('max.request.partition.size.limit')
  }

  get #image(): MetadataImage {
    return this.#parts.provider.image
  }

  #names(): string[] {
    return Array.from(this.#image.topics(), ({ name }) => name).sort(inJavaOrder)
  }

  #byName(name: string): TopicState {
    const topic = this.#image.topic(name)
    if (topic) return this.#describe(topic)
    return missing(name, refusalOf(() => checkTopicName(name)) ?? 'UNKNOWN_TOPIC_OR_PARTITION')
  }

  #byId(id: Uuid): TopicState {
    const topic = this.#image.topicById(id)
    if (topic) return this.#describe(topic)
    return { ...missing(null, 'UNKNOWN_TOPIC_ID'), topicId: id }
  }

  async #create(session: Session, name: string): Promise<TopicState> {
    try {
      await this.#parts.broker.ensureTopic(session, name)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.code === 'INVALID_TOPIC_EXCEPTION') return missing(name, error.code)
      // Whatever else speaks against it may pass: clients ask again for what is not there.
    }
    return this.#byName(name)
  }

  #describe({ name, id, partitions }: TopicImage): TopicState {
    return {
      name,
      topicId: id,
      error: undefined,
      isInternal: isInternalTopic(name),
      partitions: partitions.map((partition) => this.#partition(name, partition)),
    }
  }

  #partition(topic: string, image: PartitionImage): PartitionState {
    const { partition, leaderEpoch, replicas, isr, elr, lastKnownElr } = image
    const offlineReplicas = replicas.filter((broker) => !this.#isServing(broker, topic, partition))
    const isLed = image.leader !== NO_LEADER && !offlineReplicas.includes(image.leader)
    return {
      partition,
      error: isLed ? undefined : 'LEADER_NOT_AVAILABLE',
      leader: isLed ? image.leader : NO_LEADER,
      leaderEpoch,
      replicas,
      isr,
      eligibleLeaderReplicas: elr,
      lastKnownElr,
      offlineReplicas,
    }
  }

  /** Whether the broker is up, and here also the log. */
  #isServing(broker: number, topic: string, partition: number): boolean {
    if (this.#image.brokers.get(broker)?.fenced !== false) return false
    if (broker !== this.#parts.broker.nodeId) return true
    try {
      return this.#parts.partitions.find({ topic, partition })?.log.fault === undefined
    } catch (error) {
      if (error instanceof KafkaError) return false
      throw error
    }
  }
}

function missing(name: string | null, error: TopicState['error']): TopicState {
  const isInternal = name !== null && isInternalTopic(name)
  return { name, topicId: ZERO_UUID, error, isInternal, partitions: [] }
}

function checkStart(names: readonly string[], start: TopicPlace | null): void {
  if (start === null) return
  if (names.length > 0 && !names.includes(start.topic)) {
    throw new KafkaError('INVALID_REQUEST', `Topic ${start.topic} of the cursor is not asked for`)
  }
  if (start.partition < 0) {
    throw new KafkaError('INVALID_REQUEST', `No partition can be ${start.partition}`)
  }
}

/** By UTF-16 units, as both languages compare strings. */
function inJavaOrder(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

function refusalOf(check: () => void): KafkaError['code'] | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}
