// Clients of both protocols as they are in the wild: honest, slow, now and then without an answer.
import { KafkaError } from '../../../../storage/base/errors.ts'
import type { ConsumerShard } from './consumer-shard.ts'

/** What a client reads from, as `topic id/partition`. */
export type Partitions = Set<string>

/** What a client is subscribed to. */
export interface Subscription {
  readonly topics: readonly string[]
  /** Only for clients of the consumer protocol; `''` for none. */
  readonly regex: string
}

const FENCED = ['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND']

/** A client of the consumer protocol. It reads from `owned`, and lets go before it takes. */
export class ConsumerClient {
  readonly memberId: string
  readonly instanceId: string | null
  subscription: Subscription
  owned: Partitions = new Set()
  epoch = 0
  #target: Partitions = new Set()
  /** What was said last; undefined when all has to be said again. */
  #said: string | undefined

  constructor(memberId: string, instanceId: string | null, subscription: Subscription) {
    this.memberId = memberId
    this.instanceId = instanceId
    this.subscription = subscription
  }

  /** Sends a heartbeat. `isLost`: the answer does not come. */
  beat(shard: ConsumerShard, isLost: boolean): void {
    const owned = [...this.owned].sort().join(' ')
    const isFull = this.#said === undefined || this.epoch === 0
    const { topics, regex } = this.subscription
    const isNews = isFull || this.#said !== `${owned}|${topics}|${regex}`
    try {
      const { memberEpoch, assignment } = shard.heartbeat({
        memberId: this.memberId,
        instanceId: this.instanceId,
        memberEpoch: this.epoch,
        rebalanceTimeoutMs: isFull ? 30_000 : -1,
        subscribedTopicNames: isNews ? topics : null,
        subscribedTopicRegex: isNews ? regex : null,
        topicPartitions: isNews ? byTopic(this.owned) : null,
      })
      if (isLost) {
        // What it was told before may be out of date by now: it asks for all again.
        this.#target = new Set(this.owned)
        this.#said = undefined
        return
      }
      this.#said = `${owned}|${topics}|${regex}`
      this.epoch = memberEpoch
      if (assignment) this.#target = fromTopics(assignment.topicPartitions)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#said = undefined
      if (FENCED.includes(error.code)) this.#abandon()
      // A static member waits until the one before it is gone.
      else if (error.code !== 'UNRELEASED_INSTANCE_ID') throw error
    }
  }

  /** Does what it was told: first it lets go, then it takes. */
  obey(): void {
    const kept = this.owned.intersection(this.#target)
    this.owned = kept.size < this.owned.size ? kept : new Set(this.#target)
  }

  /** Leaves; a static one for a while. */
  leave(shard: ConsumerShard, isForAWhile: boolean): void {
    try {
      shard.heartbeat({
        memberId: this.memberId,
        instanceId: this.instanceId,
        memberEpoch: isForAWhile && this.instanceId !== null ? -2 : -1,
      })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
    this.#abandon()
  }

  #abandon(): void {
    this.owned = new Set()
    this.#target = new Set()
    this.epoch = 0
    this.#said = undefined
  }
}

/** A client of the classic protocol that rebalances cooperatively. */
export class ClassicClient {
  subscription: Subscription
  memberId = ''
  owned: Partitions = new Set()
  #generation = -1
  #hasToJoin = true

  constructor(subscription: Subscription) {
    this.subscription = subscription
  }

  /** Joins and syncs if it has to, else sends a heartbeat. */
  beat(shard: ConsumerShard, isLost: boolean): void {
    try {
      if (this.#hasToJoin) this.#join(shard, isLost)
      else if (shard.beatClassic(this.memberId, this.#generation) !== '') this.#hasToJoin = true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#abandon()
    }
  }

  /** What it is given it has at once. */
  obey(): void {}

  leave(shard: ConsumerShard): void {
    const members = [{ memberId: this.memberId, groupInstanceId: null, reason: null }]
    shard.run(() => shard.shard.leave({ groupId: 'g', memberId: '', members }))
    this.#abandon()
  }

  #join(shard: ConsumerShard, isLost: boolean): void {
    const ownedPartitions = [...this.owned].map((one) => one.split('/'))
    const owned = ownedPartitions
      .map(([id = '', partition]) => `${shard.image.topicById(id)?.name}:${partition}`)
      .join(' ')
    const joined = shard.joinClassic({
      memberId: this.memberId,
      topics: this.subscription.topics,
      owned,
      version: 3,
      rebalanceTimeoutMs: 30_000,
      sessionTimeoutMs: 30_000,
    })
    this.memberId = joined.memberId
    if (isLost) return
    this.#generation = joined.generationId
    const answer = shard.syncClassic(this.memberId, this.#generation)
    if (answer === 'REBALANCE_IN_PROGRESS') return
    if (answer === 'UNKNOWN_MEMBER_ID' || answer === 'ILLEGAL_GENERATION') {
      this.#abandon()
      return
    }
    const given = fromTopics(shard.parse(answer))
    // Who had to let go of something joins again to say so.
    this.#hasToJoin = !this.owned.isSubsetOf(given)
    this.owned = given
  }

  #abandon(): void {
    this.memberId = ''
    this.owned = new Set()
    this.#hasToJoin = true
  }
}

function byTopic(partitions: Partitions): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const one of partitions) {
    const [id = '', partition] = one.split('/')
    topics.set(id, [...(topics.get(id) ?? []), Number(partition)])
  }
  return Array.from(topics, ([topicId, ones]) => ({ topicId, partitions: ones }))
}

function fromTopics(
  topics: readonly { topicId: string; partitions: readonly number[] }[],
): Partitions {
  return new Set(topics.flatMap((one) => one.partitions.map((n) => `${one.topicId}/${n}`)))
}
