// A shard of groups over a log in memory and a virtual clock, with topics that tests make, and who speaks to it.
import { BrokerConfig } from '../../../../src/config/broker-config.ts'
import type { Plan, ShardHost } from '../../../../src/coordinators/shard.ts'
import { ConsumerGroup } from '../../../../src/groups/consumer/consumer-group.ts'
import type { Group } from '../../../../src/groups/group.ts'
import { type GroupRecord, groupRecordCodec } from '../../../../src/groups/group-record.ts'
import { GroupShard } from '../../../../src/groups/group-shard.ts'
import { deltaOf } from '../../../../src/metadata/delta.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../../../../src/metadata/image.ts'
import { ImageBuilder } from '../../../../src/metadata/image-builder.ts'
import { Deadlines } from '../../../../src/partitions/deadlines.ts'
import { EffectiveConfigs } from '../../../../src/partitions/effective-configs.ts'
import { errorCode } from '../../../../src/protocol/error-codes.ts'
import type { JoinGroupRequest } from '../../../../src/protocol/messages/11-join-group.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import {
  parseAssignment,
  serializeSubscription,
} from '../../../../src/protocol/records/consumer-protocol.ts'
import type { MetadataRecord } from '../../../../src/protocol/records/metadata-record.ts'
import { KafkaError } from '../../../../storage/base/errors.ts'
import { type Uuid, uuidFromBytes } from '../../../../storage/base/uuid.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'
import { VirtualClock } from '../../../simulation/virtual-clock.ts'

/** The id of the n-th topic that was made. */
export const topicId = (n: number): Uuid => uuidFromBytes(new Uint8Array(16).fill(n + 1))

/** A record as the log has it. */
export type LogEntry = ReturnType<typeof groupRecordCodec.encode>

/** How a shard begins. */
export interface ShardOptions {
  readonly clock?: VirtualClock
  readonly image?: MetadataImage
  readonly log?: readonly LogEntry[]
  readonly config?: Readonly<Record<string, string>>
  readonly random?: SeededRandom
  /** How many topics were made before. */
  readonly topicsMade?: number
}

/** Assignments as tests write them: `a:0,1 b:2`, topics by name. */
export type Text = string

/** Plans, appends, applies, commits and answers, as a coordinator does; all at once. */
export class ConsumerShard {
  readonly clock: VirtualClock
  readonly log: LogEntry[]
  readonly shard: GroupShard
  readonly configs: EffectiveConfigs
  image: MetadataImage
  /** The records of the last write that had any. */
  lastRecords: readonly GroupRecord[] = []
  readonly #random: SeededRandom
  /** Why nothing can be written, if so. */
  appendError: KafkaError | undefined
  /** Whether nothing can be written that the shard begins by itself. */
  isFullForOwn = false
  /** How many plans there were. */
  planCount = 0
  #topicsMade: number

  constructor({
    clock = new VirtualClock(),
    image = EMPTY_IMAGE,
    log = [],
    config = {},
    random = new SeededRandom(1),
    topicsMade = 0,
  }: ShardOptions = {}) {
    this.#random = random
    this.#topicsMade = topicsMade
    this.clock = clock
    this.image = image
    this.log = [...log]
    this.configs = new EffectiveConfigs(1, BrokerConfig.load({ flags: config }))
    const host: ShardHost<GroupRecord> = {
      partition: 0,
      clock,
      deadlines: new Deadlines(clock),
      write: (plan) => (this.isFullForOwn ? this.#refuse(plan) : this.write(plan)),
    }
    const offsetCounters = { committed: 0, expired: 0, deleted: 0 }
    const parts = { random, configs: this.configs, image: () => this.image, offsetCounters }
    this.shard = new GroupShard(host, parts)
    for (const entry of log) {
      const record = groupRecordCodec.decode(entry.key, entry.value)
      if (record) this.#replay(record)
    }
    if (image === EMPTY_IMAGE) {
      this.change({ type: 'FeatureLevelRecord', version: 0, data: GROUP_VERSION })
    } else {
      this.configs.apply(deltaOf(EMPTY_IMAGE, image, { topics: [], configs: [] }))
    }
    this.shard.loaded()
  }

  /** Plans and applies; throws what the plan throws. Not for answers that are parked. */
  run<Answer>(plan: () => Plan<GroupRecord, Answer>): Answer {
    this.planCount++
    const { records, answer, settled } = plan()
    if (records.length > 0 && this.appendError) {
      settled?.(this.appendError)
      throw this.appendError
    }
    if (records.length > 0) this.lastRecords = records
    for (const record of records) {
      const entry = groupRecordCodec.encode(record)
      this.log.push(entry)
      // What a log gives back is what is applied.
      this.#replay(groupRecordCodec.decode(entry.key, entry.value) as GroupRecord)
    }
    settled?.(undefined)
    return answer as Answer
  }

  /** Plans, and refuses what comes of it. */
  async #refuse<Answer>(plan: () => Plan<GroupRecord, Answer>): Promise<Answer> {
    this.appendError = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'No space')
    try {
      return await this.write(plan)
    } finally {
      this.appendError = undefined
    }
  }

  async write<Answer>(plan: () => Plan<GroupRecord, Answer>): Promise<Answer> {
    return await this.run(plan)
  }

  /** Changes the metadata, and tells the shard. */
  change(...records: MetadataRecord[]): void {
    const previous = this.image
    const builder = new ImageBuilder(previous)
    for (const record of records) builder.apply(record)
    this.image = builder.build({ offset: previous.offset + 1, epoch: 1 })
    const delta = deltaOf(previous, this.image, builder.changed)
    this.configs.apply(delta)
    this.shard.metadataChanged(delta, [])
  }

  /** Makes a topic, or gives it more partitions. */
  topic(name: string, partitions: number): void {
    const known = this.image.topic(name)
    const id = known?.id ?? topicId(this.#topicsMade++)
    const from = known?.partitions.length ?? 0
    this.change(
      ...(known ? [] : [topicRecord(name, id)]),
      ...Array.from({ length: partitions - from }, (_, n) => partitionRecord(id, from + n)),
    )
  }

  /** Removes a topic. */
  removeTopic(name: string): void {
    const id = this.image.topic(name)?.id ?? ''
    this.change({ type: 'RemoveTopicRecord', version: 0, data: { topicId: id } })
  }

  /** Sets configs of a group. */
  configure(groupId: string, configs: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(configs)) {
      const data = { resourceType: 32, resourceName: groupId, name, value }
      this.change({ type: 'ConfigRecord', version: 0, data })
    }
  }

  /** The group `g`, which is there and of the consumer kind. */
  get group(): ConsumerGroup {
    const group = this.shard.group('g')
    if (!(group instanceof ConsumerGroup)) throw new Error('Group g is no consumer group')
    return group
  }

  /** Any group `g`. */
  get anyGroup(): Group | undefined {
    return this.shard.group('g')
  }

  /** A heartbeat of v1; `owned` as text. */
  heartbeat({
    owned,
    version = 1,
    clientId = 'client',
    ...said
  }: Partial<ConsumerGroupHeartbeatRequest> & {
    owned?: Text
    version?: number
    clientId?: string
  }) {
    const request: ConsumerGroupHeartbeatRequest = {
      groupId: 'g',
      memberId: 'm',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: owned === undefined ? null : this.parse(owned),
      ...said,
    }
    const client = { clientId, clientHost: '/127.0.0.1' }
    return this.run(() => this.shard.consumer.heartbeat(client, request, version))
  }

  /** A first heartbeat. */
  join(
    memberId: string,
    topics: readonly string[],
    said: Partial<ConsumerGroupHeartbeatRequest> = {},
  ) {
    return this.heartbeat({
      memberId,
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: topics,
      owned: '',
      ...said,
    })
  }

  /** What a heartbeat answers, in a line: epoch, and the assignment where there is one; or the error. */
  say(heartbeat: Parameters<ConsumerShard['heartbeat']>[0]): string {
    return this.refusal(() => {
      const { memberEpoch, assignment } = this.heartbeat(heartbeat)
      const given = assignment && this.text(assignment.topicPartitions)
      return given === null || given === undefined ? `${memberEpoch}` : `${memberEpoch} [${given}]`
    })
  }

  /** A JoinGroup of a consumer of the classic protocol that must be answered at once. */
  joinClassic({
    topics = ['a'],
    owned = '',
    version = 9,
    clientId = 'classic',
    protocolNames = ['range'],
    ...said
  }: Partial<JoinGroupRequest> & {
    topics?: readonly string[]
    owned?: Text
    version?: number
    clientId?: string
    protocolNames?: readonly string[]
  }) {
    const request = this.joinRequest({ topics, owned, protocolNames, ...said })
    const client = { clientId, clientHost: '/127.0.0.1' }
    return this.run(() => this.shard.join({ client, request, version }))
  }

  /** A JoinGroup. */
  joinRequest({
    topics,
    owned = '',
    protocolNames = ['range'],
    ...said
  }: Partial<JoinGroupRequest> & {
    topics: readonly string[]
    owned?: Text
    protocolNames?: readonly string[]
  }): JoinGroupRequest {
    const ownedPartitions = this.parse(owned).map(({ topicId: id, partitions }) => ({
      topic: this.image.topicById(id)?.name ?? '',
      partitions,
    }))
    const metadata = serializeSubscription({ topics: [...topics], ownedPartitions })
    return {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: protocolNames.map((name) => ({ name, metadata })),
      reason: null,
      ...said,
    }
  }

  /** A SyncGroup; what it answers as text, or the error. */
  syncClassic(memberId: string, generationId: number, groupInstanceId: string | null = null) {
    return this.refusal(() => {
      const request = {
        groupId: 'g',
        generationId,
        memberId,
        groupInstanceId,
        protocolType: null,
        protocolName: null,
        assignments: [],
      }
      const { assignment } = this.run(() => this.shard.sync(request))
      return parseAssignment(assignment)
        .assignedPartitions.map(({ topic, partitions }) => `${topic}:${partitions}`)
        .sort()
        .join(' ')
    })
  }

  /** A classic Heartbeat: the error's name, or nothing. */
  beatClassic(memberId: string, generationId: number): string {
    return this.refusal(() => {
      const request = { groupId: 'g', generationId, memberId, groupInstanceId: null }
      const { errorCode: code } = this.run(() => this.shard.heartbeat(request))
      return code === errorCode('REBALANCE_IN_PROGRESS') ? 'REBALANCE_IN_PROGRESS' : ''
    })
  }

  /** The name of the error that `run` throws, or what it returns. */
  refusal(run: () => string): string {
    try {
      return run()
    } catch (error) {
      if (error instanceof KafkaError) return error.code
      throw error
    }
  }

  /** `a:0,1 b:2` as messages have it. */
  parse(text: Text): { topicId: Uuid; partitions: number[] }[] {
    if (text === '') return []
    return text.split(' ').map((part) => {
      const [name = '', partitions = ''] = part.split(':')
      const id = this.image.topic(name)?.id ?? topicId(99)
      return { topicId: id, partitions: partitions.split(',').map(Number) }
    })
  }

  /** The other way. */
  text(assignment: readonly { topicId: Uuid; partitions: readonly number[] }[]): Text {
    return assignment
      .map(({ topicId: id, partitions }) => `${this.image.topicById(id)?.name}:${partitions}`)
      .sort()
      .join(' ')
  }

  /** The records of the last write, each by its kind and member. */
  get written(): string[] {
    return this.lastRecords.map(({ type, key, value }) => {
      const member = 'memberId' in key ? ` ${key.memberId}` : ''
      const kind = type.replace('ConsumerGroup', '')
      return `${value === null ? '-' : ''}${kind}${member}`
    })
  }

  /** A shard that loads what this one has written. */
  reloaded(config: Readonly<Record<string, string>> = {}): ConsumerShard {
    const clock = new VirtualClock(this.clock.now())
    const [random, topicsMade] = [this.#random, this.#topicsMade]
    return new ConsumerShard({
      clock,
      image: this.image,
      log: this.log,
      config,
      random,
      topicsMade,
    })
  }

  #replay(record: GroupRecord): void {
    this.shard.replay(record, {
      offset: this.log.length - 1,
      producerId: -1,
      producerEpoch: -1,
    })
  }
}

const GROUP_VERSION = { name: 'group.version', featureLevel: 1 }

function topicRecord(name: string, id: Uuid): MetadataRecord {
  return { type: 'TopicRecord', version: 0, data: { name, topicId: id } }
}

function partitionRecord(id: Uuid, partitionId: number): MetadataRecord {
  return {
    type: 'PartitionRecord',
    version: 2,
    data: {
      partitionId,
      topicId: id,
      replicas: [1],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  }
}
