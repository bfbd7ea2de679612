// The local provider: this process decides about metadata and owns the log that holds it (ARCHITECTURE D2).
// Life: open() replays the log; start() takes over as controller and broker; submit() appends; stop() fences the broker.
import { assert, KafkaError, StorageFault } from '#storage/base/errors.ts'
import { randomUuid, type Uuid } from '#storage/base/uuid.ts'
import type { Random } from '#storage/base/world.ts'
import { addInt64, type Int64 } from '#storage/bytes/int64.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type NewMetadataRecord,
} from '../protocol/records/metadata-record.ts'
import { type ChangedKeys, deltaOf, type MetadataDelta } from './delta.ts'
import type { MetadataImage } from './image.ts'
import { ImageBuilder } from './image-builder.ts'
import { planAlterConfigs, planIncrementalAlterConfigs } from './operations/alter-configs.ts'
import { planCreatePartitions } from './operations/create-partitions.ts'
import { planCreateTopics } from './operations/create-topics.ts'
import { planDeleteTopics } from './operations/delete-topics.ts'
import { planElectLeaders } from './operations/elect-leaders.ts'
import type { Plan, PlanContext } from './operations/plan.ts'
import { planReassignPartitions } from './operations/reassign-partitions.ts'
import { planUpdateFeatures } from './operations/update-features.ts'
import type {
  BumpedPartition,
  ConfigRules,
  MetadataProvider,
  OperationKind,
  OperationOf,
  Operations,
  ProducerIdBlock,
  ResultOf,
} from './provider.ts'
import { type ReplayedMetadata, replayMetadata } from './replay.ts'
import {
  bootstrapRecords,
  elections,
  epochBump,
  fence,
  leaderChange,
  type NodeIdentity,
  quorumRecords,
  registration,
  unfence,
} from './startup.ts'
import type { MetadataStore, NewStoredRecord } from './store.ts'

/** Kafka's limit for a batch of the metadata log. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024
/** Independent records a batch: well below MAX_BATCH_BYTES. */
const RECORDS_PER_BATCH = 50_000
const PRODUCER_ID_BLOCK_SIZE = 1000
const LAST_PRODUCER_ID = 2n ** 63n - 1n

/** What the local provider is given. */
export interface LocalProviderOptions {
  readonly store: MetadataStore
  /** What the store would replay, where that is known already. */
  readonly replayed?: ReplayedMetadata | undefined
  /** What a new log begins with instead of Kafka 4.3's defaults. */
  readonly bootstrap?: readonly NewMetadataRecord[] | undefined
  readonly node: NodeIdentity
  readonly rules: ConfigRules
  readonly random: Random
  /** `num.partitions` and `default.replication.factor`, as in force. */
  readonly defaults: () => { readonly partitionCount: number; readonly replicationFactor: number }
  /** The log directory for a new partition; one of `node.directoryIds`. */
  readonly chooseDirectory: () => Uuid
  /** The log has failed for good: from now on everything is refused. Called once. */
  readonly onFailure?: (error: KafkaError) => void
}

/** An image that was appended and waits to be durable. */
interface Pending {
  readonly lastOffset: number
  readonly image: MetadataImage
  readonly changed: ChangedKeys
}

/**
 * Validates against working state, appends, applies at once, and answers after the commit (RULES 4). `image` and deltas
 * are committed state only. After a refused append (a full disk) nothing has changed; after a fault everything further is
 * refused with KAFKA_STORAGE_ERROR until a restart, which goes back to what is durable.
 */
export class LocalMetadataProvider implements MetadataProvider {
  readonly #options: LocalProviderOptions
  readonly #isTransactionOpen: boolean
  readonly #listeners = new Set<(delta: MetadataDelta) => void>()
  #committed: MetadataImage
  #working: MetadataImage
  readonly #pending: Pending[] = []
  #failure: KafkaError | undefined
  /** The leader epoch of this start; −1 before. */
  #epoch = -1
  #brokerEpoch = -1

  private constructor(options: LocalProviderOptions) {
    const { image, isTransactionOpen } = options.replayed ?? replayMetadata(options.store.replay())
    this.#options = options
    this.#isTransactionOpen = isTransactionOpen
    this.#committed = image
    this.#working = image
  }

  /**
   * Replays the log and writes nothing: the image can be examined (`startBlockers`) before `start`. Throws
   * UNSUPPORTED_VERSION for records beyond metadata.version 30, CORRUPT_MESSAGE for a log that contradicts itself.
   */
  static open(options: LocalProviderOptions): LocalMetadataProvider {
    return new LocalMetadataProvider(options)
  }

  get image(): MetadataImage {
    return this.#committed
  }

  /** The leader epoch of this start; −1 before `start`. */
  get epoch(): number {
    return this.#epoch
  }

  /** The offset of this start's registration; −1 before `start`. The clean-shutdown marker carries it. */
  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  onDelta(listener: (delta: MetadataDelta) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes over: a new epoch, a new log's first records, registration, unfencing, elections (RULES 15, 16). Resolves when
   * all of it is durable.
   */
  async start(): Promise<void> {
    assert(this.#epoch === -1, 'A metadata provider starts once')
    const { store, node } = this.#options
    const quorumEpoch = store.readQuorumState()?.leaderEpoch ?? 0
    const epoch = Math.max(quorumEpoch, this.#working.epoch, 0) + 1
    // Durable before the first batch of the epoch: no two starts may ever use one epoch.
    await store.writeQuorumState({ leaderId: node.nodeId, leaderEpoch: epoch })
    this.#epoch = epoch
    this.#appendLeaderChange()
    if (this.#isTransactionOpen) {
      const data = { reason: 'The controller stopped inside the transaction' }
      this.#append([{ type: 'AbortTransactionRecord', version: 0, data }])
    }
    if (!this.#working.features.has('metadata.version')) {
      this.#append(bootstrapRecords(this.#options.bootstrap))
    }
    this.#brokerEpoch = store.logEndOffset
    const incarnationId = randomUuid(this.#options.random)
    const identity = { brokerEpoch: this.#brokerEpoch, incarnationId }
    this.#append([registration(node, this.#working, identity)])
    const elected = [...elections(this.#working, node.nodeId)]
    await this.#commit(this.#appendAll([unfence(node.nodeId, this.#brokerEpoch), ...elected]))
  }

  async submit<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf<K>> {
    assert(this.#epoch !== -1, 'A metadata provider is started before it is asked')
    this.#refuseAfterFailure()
    const plan = this.#plan(operation)
    if (plan.records.length > 0 && !isDryRun(operation)) {
      const isIndependent = operation.kind === 'bumpLeaderEpochs'
      const last = isIndependent ? this.#appendAll(plan.records) : this.#append(plan.records)
      await this.#commit(last, true)
    }
    return plan.result
  }

  /** Notes that the broker stopped cleanly. Leaders and epochs stay (RULES 5). Nothing may be submitted afterwards. */
  async stop(): Promise<void> {
    this.#refuseAfterFailure()
    await this.#commit(this.#append([fence(this.#options.node.nodeId, this.#brokerEpoch)]))
  }

  #plan<K extends OperationKind>(operation: OperationOf<K>): Plan<ResultOf<K>> {
    const { node, rules, random, defaults, chooseDirectory } = this.#options
    const context = { image: this.#working, nodeId: node.nodeId, brokerEpoch: this.#brokerEpoch }
    const kind: K = operation.kind
    return PLANNERS[kind]({ ...context, rules, random, defaults, chooseDirectory }, operation)
  }

  #appendLeaderChange(): void {
    const { store, node } = this.#options
    const isNew = this.#working.offset === -1
    const records = [
      leaderChange(this.#working, node.nodeId),
      ...(isNew ? quorumRecords(node) : []),
    ]
    this.#appendBatch(records, true, (offset) => {
      const replayed = records.map((record) => ({
        ...record,
        offset,
        epoch: this.#epoch,
        isControl: true,
      }))
      const { quorum } = replayMetadata(replayed).image.state
      const builder = new ImageBuilder(this.#working)
      builder.setQuorum(isNew ? quorum : { leaderId: quorum.leaderId })
      return builder
    })
    assert(store.logEndOffset === this.#working.offset + 1, 'The image is at the end of the log')
  }

  /** Appends records that take effect together. Returns the last offset. */
  #append(records: readonly NewMetadataRecord[]): number {
    const values = records.map(encodeMetadataRecord)
    const size = values.reduce((sum, value) => sum + value.length, 0)
    if (size > MAX_BATCH_BYTES) {
      const detail = `The operation takes ${size} bytes of metadata, more than ${MAX_BATCH_BYTES}`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
    return this.#appendBatch(
      values.map((value) => ({ key: null, value })),
      false,
      () => {
        const builder = new ImageBuilder(this.#working)
        // What a restart will replay is what is applied: the bytes, not the objects they were made from.
        for (const value of values) builder.apply(decodeMetadataRecord(value))
        return builder
      },
    )
  }

  /** Appends records that may take effect apart, in batches of bounded size. Returns the last offset. */
  #appendAll(records: readonly NewMetadataRecord[]): number {
    let last = this.#working.offset
    for (let at = 0; at < records.length; at += RECORDS_PER_BATCH) {
      last = this.#append(records.slice(at, at + RECORDS_PER_BATCH))
    }
    return last
  }

  /** The image is made first, so that nothing that it would refuse gets into the log. */
  #appendBatch(
    records: readonly NewStoredRecord[],
    isControl: boolean,
    build: (baseOffset: number) => ImageBuilder,
  ): number {
    const { store } = this.#options
    const baseOffset = store.logEndOffset
    const builder = build(baseOffset)
    const lastOffset = baseOffset + records.length - 1
    const image = builder.build({ offset: lastOffset, epoch: this.#epoch })
    try {
      const appended = store.append(records, { epoch: this.#epoch, isControl })
      assert(appended.baseOffset === baseOffset, 'Only the provider appends to the metadata log')
    } catch (error) {
      if (error instanceof StorageFault) this.#fail(error)
      throw error
    }
    this.#working = image
    this.#pending.push({ lastOffset, image, changed: builder.changed })
    return lastOffset
  }

  /**
   * Waits until all up to `lastOffset` is on disk, and publishes it. What was appended can't be taken back: when the
   * system refuses (no descriptor, no space for an index), which the log tries again by itself, a patient one waits on.
   */
  async #commit(lastOffset: number, isPatient = false): Promise<void> {
    for (let isCommitted = false; !isCommitted; ) {
      try {
        await this.#options.store.committed(lastOffset)
        isCommitted = true
      } catch (error) {
        const isRefusal = error instanceof KafkaError
        if (!isRefusal || !isPatient) this.#fail(error)
      }
      this.#refuseAfterFailure()
    }
    while (this.#pending[0] !== undefined && this.#pending[0].lastOffset <= lastOffset) {
      const { image, changed } = this.#pending[0]
      this.#pending.shift()
      const delta = deltaOf(this.#committed, image, changed)
      this.#committed = image
      for (const listener of this.#listeners) listener(delta)
    }
  }

  /** From here on nothing is planned or published: the working state no longer matters. */
  #fail(error: unknown): void {
    if (this.#failure) return
    const detail = 'The metadata log has failed; the broker has to be restarted'
    this.#failure = new KafkaError('KAFKA_STORAGE_ERROR', detail, { cause: error })
    this.#options.onFailure?.(this.#failure)
  }

  #refuseAfterFailure(): void {
    if (this.#failure) throw this.#failure
  }
}

interface LocalContext extends PlanContext {
  readonly brokerEpoch: number
}

const PLANNERS: {
  readonly [K in OperationKind]: (
    context: LocalContext,
    operation: OperationOf<K>,
  ) => Plan<Operations[K]['result']>
} = {
  createTopics: planCreateTopics,
  deleteTopics: planDeleteTopics,
  createPartitions: planCreatePartitions,
  incrementalAlterConfigs: planIncrementalAlterConfigs,
  alterConfigs: planAlterConfigs,
  electLeaders: planElectLeaders,
  reassignPartitions: planReassignPartitions,
  updateFeatures: planUpdateFeatures,
  bumpLeaderEpochs: planEpochBumps,
  allocateProducerIds: planProducerIds,
}

function planEpochBumps(
  { image, nodeId }: LocalContext,
  { partitions }: OperationOf<'bumpLeaderEpochs'>,
): Plan<readonly BumpedPartition[]> {
  const led = partitions.flatMap(({ topic, partition }) => {
    const found = image.topic(topic)
    const state = found?.partitions[partition]
    if (found === undefined || state?.leader !== nodeId) return []
    return [{ topic, topicId: found.id, partition: state }]
  })
  const result = led.map(({ topic, partition }) => ({
    topic,
    partition: partition.partition,
    leaderEpoch: partition.leaderEpoch + 1,
  }))
  return { records: led.map((entry) => epochBump(image, entry)), result }
}

function planProducerIds({ image, nodeId, brokerEpoch }: LocalContext): Plan<ProducerIdBlock> {
  const first: Int64 = image.nextProducerId
  if (BigInt(first) > LAST_PRODUCER_ID - BigInt(PRODUCER_ID_BLOCK_SIZE)) {
    throw new KafkaError('UNKNOWN_SERVER_ERROR', `No producer ids are left after ${first}`)
  }
  const nextProducerId = addInt64(first, PRODUCER_ID_BLOCK_SIZE)
  const data = { brokerId: nodeId, brokerEpoch, nextProducerId }
  return {
    records: [{ type: 'ProducerIdsRecord', version: 0, data }],
    result: { first, count: PRODUCER_ID_BLOCK_SIZE },
  }
}

function isDryRun(operation: object): boolean {
  return 'validateOnly' in operation && operation.validateOnly === true
}
