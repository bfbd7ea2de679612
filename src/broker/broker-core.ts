// The broker: every call of the doors, checked and handed to the room that serves it.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Clock, Random } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../access/session.ts'
import type { ConfigEntry } from '../config/config-entry.ts'
import { loadGroupShards } from '../groups/group-shards.ts'
import { CONFIG_RESOURCE, type TopicImage } from '../metadata/image.ts'
import type { MetadataProvider } from '../metadata/provider.ts'
import type { EffectiveConfigs } from '../partitions/effective-configs.ts'
import type { LogDirectory } from '../partitions/log-directories.ts'
import { PartitionLookup } from '../partitions/lookup.ts'
import type { Partition } from '../partitions/partition.ts'
import type { Partitions } from '../partitions/partitions.ts'
import { ProducerIds } from '../partitions/producer-ids.ts'
import { readPartition } from '../partitions/record-reader.ts'
import { waitForAny } from '../partitions/waiting.ts'
import type { Admin } from './admin.ts'
import { AdminCluster } from './admin-cluster.ts'
import { AdminConfigs } from './admin-configs.ts'
import { AdminTopics } from './admin-topics.ts'
import { type BatchOutcome, type BatchProduceCall, BatchProducing } from './batch-producing.ts'
import type {
  Acks,
  Broker,
  BrokerCounters,
  BrokerDescription,
  ConfigChange,
  ConfigResource,
  NewTopic,
  ProducedRecord,
  ProducedResult,
  RecoveryReport,
  Sample,
  TopicDescription,
} from './broker.ts'
import { BrokerGroups } from './broker-groups.ts'
import { describeFeatures, type FeatureDescription } from './features.ts'
import { type FetchCall, type Fetched, Fetching } from './fetching.ts'
import { isInternalTopic } from './internal-topic-names.ts'
import { automaticTopic } from './internal-topics.ts'
import { LogDirs } from './log-dirs.ts'
import {
  type ActiveProducer,
  type EpochQuestion,
  type FoundEpoch,
  type FoundOffset,
  type OffsetSearch,
  Offsets,
} from './offsets.ts'
import { Producing } from './producing.ts'
import type {
  OffsetSpec,
  PartitionOffsets,
  ReadRequest,
  ReadResult,
  WaitRequest,
} from './reading.ts'
import { refusalOf } from './refusal.ts'

/** The parts that the broker stands on; `mod.ts` builds them. */
export interface BrokerParts {
  readonly clusterId: string
  readonly nodeId: number
  readonly clock: Clock
  readonly random: Random
  readonly provider: MetadataProvider
  readonly partitions: Partitions
  readonly configs: EffectiveConfigs
  readonly recovery: () => RecoveryReport
  logDirectories(): readonly LogDirectory[]
  /** Gauges of the storage engine. */
  storageSamples(): readonly Sample[]
  /** Told what failed in the background. */
  readonly onProblem: (error: unknown) => void
}

/** The one `Broker` there is, over whichever metadata provider it was given. */
export class BrokerCore implements Broker {
  readonly clusterId: string
  readonly nodeId: number
  readonly admin: Admin
  readonly groups: BrokerGroups
  readonly counters: BrokerCounters = {
    producedRecords: 0,
    producedBytes: 0,
    readRecords: 0,
    readBytes: 0,
    failedProduces: 0,
  }
  readonly #parts: BrokerParts
  readonly #producing: Producing
  readonly #batches: BatchProducing
  readonly #fetching: Fetching
  readonly #offsets: Offsets
  readonly #producerIds: ProducerIds
  readonly #topicListeners = new Set<() => void>()
  readonly #creations = new Map<string, Promise<TopicDescription>>()
  #isReady = true

  constructor(parts: BrokerParts) {
    this.#parts = parts
    this.clusterId = parts.clusterId
    this.nodeId = parts.nodeId
    this.#producing = new Producing({
      partitions: parts.partitions,
      clock: parts.clock,
      isAllSynced: () => this.#isAllSynced(),
    })
    const lookup = new PartitionLookup(parts.partitions, parts.provider)
    this.#batches = new BatchProducing(this.#batchParts(lookup))
    this.#fetching = new Fetching({
      lookup,
      clock: parts.clock,
      random: parts.random,
      sessionSlots: parts.configs.broker.number('max.incremental.fetch.session.cache.slots'),
      maxBytes: () => parts.configs.broker.number('fetch.max.bytes'),
    })
    this.#offsets = new Offsets(lookup)
    this.#producerIds = new ProducerIds(parts.provider)
    const adminParts = { ...parts, broker: this }
    this.admin = {
      topics: new AdminTopics(adminParts),
      configs: new AdminConfigs(adminParts),
      cluster: new AdminCluster(adminParts),
      logDirs: new LogDirs(adminParts),
    }
    this.groups = new BrokerGroups({
      ...parts,
      reads: this,
      loadShards: loadGroupShards,
      image: () => parts.provider.image,
      ensureTopic: (session, topic) => this.#findOrCreate(session, topic),
    })
    parts.provider.onDelta((delta) => {
      parts.partitions.apply(delta)
      this.groups.apply(delta)
      if (delta.partitions.length === 0) return
      for (const { topic, after } of delta.partitions) if (!after) this.#producing.forget(topic)
      for (const listener of this.#topicListeners) listener()
    })
  }

  isReady(): boolean {
    return this.#isReady
  }

  /**
   * From now on the broker is not ready, and waits end. Changes that are under way are still done. Resolves when what
   * groups have written is committed and nobody is parked any more.
   */
  async close(): Promise<void> {
    this.#isReady = false
    this.#fetching.close()
    this.#batches.close()
    await this.groups.close()
  }

  listTopics(_session: Session): readonly TopicDescription[] {
    const topics = [...this.#parts.provider.image.topics()].map(describe)
    return topics.sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  describeTopic(_session: Session, topic: string): TopicDescription {
    const image = this.#parts.provider.image.topic(topic)
    if (image) return describe(image)
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${topic} does not exist`)
  }

  async createTopic(
    session: Session,
    topic: NewTopic,
    { validateOnly = false }: { validateOnly?: boolean } = {},
  ): Promise<TopicDescription> {
    const { configs = {}, ...spec } = topic
    const texts = new Map<string, string>()
    for (const [name, value] of Object.entries(configs)) if (value !== null) texts.set(name, value)
    const results = await this.#parts.provider.submit({
      kind: 'createTopics',
      topics: [{ ...spec, configs: texts }],
      validateOnly,
    })
    const [result] = results
    if (result?.error) throw result.error
    if (validateOnly) return planned(topic.name, result?.partitionCount ?? 1)
    await this.#parts.partitions.settled()
    return this.describeTopic(session, topic.name)
  }

  async deleteTopic(session: Session, topic: string): Promise<void> {
    this.describeTopic(session, topic)
    if (!this.#parts.configs.broker.boolean('delete.topic.enable')) {
      throw new KafkaError('TOPIC_DELETION_DISABLED', 'delete.topic.enable is false')
    }
    const results = await this.#parts.provider.submit({
      kind: 'deleteTopics',
      topics: [{ name: topic }],
    })
    if (results[0]?.error) throw results[0].error
    await this.#parts.partitions.settled()
  }

  async createPartitions(
    session: Session,
    topic: string,
    totalCount: number,
  ): Promise<TopicDescription> {
    const results = await this.#parts.provider.submit({
      kind: 'createPartitions',
      topics: [{ name: topic, count: totalCount }],
    })
    if (results[0]?.error) throw results[0].error
    await this.#parts.partitions.settled()
    return this.describeTopic(session, topic)
  }

  describeConfigs(session: Session, resource: ConfigResource): readonly ConfigEntry[] {
    const { configs } = this.#parts
    if (resource.type === 'topic') {
      this.describeTopic(session, resource.name)
      return configs.topic(resource.name).describe()
    }
    if (resource.name === '') return configs.broker.describeClusterWide()
    this.#assertThisBroker(resource.name)
    return configs.broker.describe()
  }

  async alterConfigs(
    _session: Session,
    { type, name }: ConfigResource,
    changes: readonly ConfigChange[],
    { validateOnly = false }: { validateOnly?: boolean } = {},
  ): Promise<void> {
    if (type === 'broker' && name !== '') this.#assertThisBroker(name)
    const kind = type === 'topic' ? CONFIG_RESOURCE.TOPIC : CONFIG_RESOURCE.BROKER
    const results = await this.#parts.provider.submit({
      kind: 'incrementalAlterConfigs',
      resources: [{ resource: { type: kind, name }, changes }],
      validateOnly,
    })
    if (results[0]?.error) throw results[0].error
  }

  listBrokers(_session: Session): readonly BrokerDescription[] {
    return [...this.#parts.provider.image.brokers.values()]
      .map((broker) => ({
        id: broker.brokerId,
        rack: broker.rack,
        isFenced: broker.fenced,
        endpoints: broker.endPoints.map(({ name, host, port }) => ({ name, host, port })),
      }))
      .sort((left, right) => left.id - right.id)
  }

  features(): FeatureDescription {
    return describeFeatures(this.#parts.provider.image)
  }

  async ensureTopic(session: Session, topic: string): Promise<TopicDescription> {
    const isKnown = this.#parts.provider.image.topic(topic) !== undefined
    if (!isKnown && !this.#parts.configs.broker.boolean('auto.create.topics.enable')) {
      return this.describeTopic(session, topic)
    }
    return await this.#findOrCreate(session, topic)
  }

  async produceRecords(
    session: Session,
    topic: string,
    records: readonly ProducedRecord[],
    acks: Acks,
  ): Promise<readonly ProducedResult[]> {
    const { name, partitions } = await this.ensureTopic(session, topic)
    const target = { name, partitionCount: partitions.length }
    const results = await this.#producing.produce(target, records, acks)
    this.#countProduced(records, results)
    return results
  }

  produceBatches(
    session: Session,
    call: BatchProduceCall,
  ): readonly BatchOutcome[] | Promise<readonly BatchOutcome[]> {
    return this.#batches.produce(session, call)
  }

  async fetch(_session: Session, call: FetchCall): Promise<Fetched> {
    const fetched = await this.#fetching.fetch(call)
    for (const { records } of fetched.partitions) this.counters.readBytes += records.length
    return fetched
  }

  searchOffset(_session: Session, search: OffsetSearch): FoundOffset {
    return this.#offsets.find(search)
  }

  epochEnd(_session: Session, question: EpochQuestion): FoundEpoch {
    return this.#offsets.epochEnd(question)
  }

  activeProducers(
    _session: Session,
    at: { readonly topic: string; readonly partition: number },
  ): readonly ActiveProducer[] {
    return this.#offsets.producers({ ...at, topicId: ZERO_UUID })
  }

  deleteRecords(
    _session: Session,
    at: { readonly topic: string; readonly partition: number; readonly offset: number },
  ): Promise<number> {
    return this.#offsets.deleteRecords({ ...at, topicId: ZERO_UUID }, at.offset)
  }

  newProducerId(_session: Session): Promise<Int64> {
    return this.#producerIds.allocate()
  }

  findOffset(
    _session: Session,
    { topic, partition, spec }: { topic: string; partition: number; spec: OffsetSpec },
  ): number {
    const { log } = this.#partition(topic, partition)
    if (typeof spec === 'number') return spec
    if (spec === 'earliest') return log.logStartOffset
    if (spec === 'latest') return log.highWatermark
    if ('fromEnd' in spec) return Math.max(log.logStartOffset, log.highWatermark - spec.fromEnd)
    const found = log.offsetForTimestamp(spec.timestamp)
    return found ? Math.min(found.offset, log.highWatermark) : log.highWatermark
  }

  partitionOffsets(_session: Session, topic: string, partition: number): PartitionOffsets {
    const { log } = this.#partition(topic, partition)
    const { logStartOffset, highWatermark, lastStableOffset } = log
    return { logStartOffset, highWatermark, lastStableOffset }
  }

  async readRecords(_session: Session, request: ReadRequest): Promise<ReadResult> {
    const { topic, partition: index, isolation = 'read_uncommitted' } = request
    const partition = this.#partition(topic, index)
    const { maxDecompressedBytes } = partition.log.config
    const wanted = { ...request, isolation, maxDecompressedBytes }
    const read = await readPartition(partition, wanted).catch((error: unknown) => {
      throw refusalOf(error)
    })
    this.counters.readRecords += read.records.length
    const { highWatermark, logStartOffset } = partition.log
    for (const { key, value } of read.records) {
      this.counters.readBytes += (key?.length ?? 0) + (value?.length ?? 0)
    }
    return { ...read, highWatermark, logStartOffset }
  }

  async waitForRecords(
    _session: Session,
    { positions, waitMs, signal, isolation = 'read_uncommitted' }: WaitRequest,
  ): Promise<boolean> {
    const targets = positions.map(({ topic, partition, offset }) =>
      this.#partition(topic, partition).at(offset, isolation),
    )
    return await waitForAny(this.#parts.clock, targets, { waitMs, signal })
  }

  onTopicsChange(listener: () => void): () => void {
    this.#topicListeners.add(listener)
    return () => this.#topicListeners.delete(listener)
  }

  recoveryReport(_session: Session): RecoveryReport {
    return this.#parts.recovery()
  }

  samples(): readonly Sample[] {
    const { topicCount } = this.#parts.provider.image
    let partitionCount = 0
    let size = 0
    for (const { log } of this.#parts.partitions.all()) {
      partitionCount++
      size += log.sizeInBytes
    }
    return [
      sample('millrace_topics', 'Topics in the metadata image', topicCount),
      sample('millrace_partitions', 'Partitions that this broker leads', partitionCount),
      sample('millrace_log_size_bytes', 'Bytes in the logs of all partitions', size),
      ...this.groups.samples(),
      ...this.#parts.storageSamples(),
    ]
  }

  /** The topic with its logs. Those of the coordinators come whatever `auto.create.topics.enable` says. */
  async #findOrCreate(session: Session, topic: string): Promise<TopicDescription> {
    const known = this.#parts.provider.image.topic(topic)
    if (known) {
      const { partitions } = this.#parts
      const isPending = known.partitions.some(({ partition }) =>
        partitions.isPending({ topic, partition }),
      )
      if (isPending) await partitions.settled()
      return describe(known)
    }
    const underway = this.#creations.get(topic)
    if (underway !== undefined) return await underway
    const creation = this.#createOrFind(session, topic).finally(() => this.#creations.delete(topic))
    this.#creations.set(topic, creation)
    return await creation
  }

  /** Somebody else may be creating it too. */
  async #createOrFind(session: Session, topic: string): Promise<TopicDescription> {
    try {
      return await this.createTopic(session, automaticTopic(topic, this.#parts.configs.broker))
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error
      await this.#parts.partitions.settled()
      return this.describeTopic(session, topic)
    }
  }

  #batchParts(lookup: PartitionLookup) {
    const { clock, configs, provider } = this.#parts
    return {
      lookup,
      clock,
      isAllSynced: () => this.#isAllSynced(),
      lacksReplicas: (at: { readonly topic: string; readonly partition: number }) => {
        const { isr, replicas } = provider.image.partition(at) ?? { isr: [], replicas: [] }
        if (isr.length >= replicas.length) return undefined
        const { minInsyncReplicas } = configs.topic(at.topic).settings()
        if (isr.length >= Math.min(minInsyncReplicas, replicas.length)) return undefined
        return `${isr.length} replicas are in sync, min.insync.replicas is ${minInsyncReplicas}`
      },
      count: (appended: { readonly records: number; readonly bytes: number } | undefined) => {
        if (!appended) {
          this.counters.failedProduces++
          return
        }
        this.counters.producedRecords += appended.records
        this.counters.producedBytes += appended.bytes
      },
    }
  }

  #isAllSynced(): boolean {
    return this.#parts.configs.broker.boolean('millrace.acks.all.fsync')
  }

  #partition(topic: string, partition: number): Partition {
    return this.#parts.partitions.get({ topic, partition })
  }

  #assertThisBroker(name: string): void {
    if (name === String(this.nodeId)) return
    throw new KafkaError(
      'INVALID_REQUEST',
      `Broker ${name} is not this one: ask it, or use broker ${this.nodeId}`,
    )
  }

  #countProduced(records: readonly ProducedRecord[], results: readonly ProducedResult[]): void {
    for (let index = 0; index < results.length; index++) {
      if ('error' in (results[index] as ProducedResult)) {
        this.counters.failedProduces++
        continue
      }
      const { key, value } = records[index] as ProducedRecord
      this.counters.producedRecords++
      this.counters.producedBytes += (key?.length ?? 0) + (value?.length ?? 0)
    }
  }
}

function describe({ name, id, partitions }: TopicImage): TopicDescription {
  return {
    name,
    topicId: id,
    isInternal: isInternalTopic(name),
    partitions,
  }
}

/** What a topic that was only validated would be. */
function planned(name: string, partitionCount: number): TopicDescription {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
    partition,
    leader: -1,
    leaderEpoch: -1,
    replicas: [],
    isr: [],
  }))
  return { name, topicId: ZERO_UUID, isInternal: false, partitions }
}

function sample(name: string, help: string, value: number): Sample {
  return { name, help, labels: {}, value }
}
