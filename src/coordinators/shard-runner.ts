// One shard's life: loaded from its log, then planning, appending, applying and answering, until it is no longer ours.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Clock } from '#storage/base/world.ts'
import {
  batchesWithin,
  CoordinatorLog,
  type KeyedRecord,
  type LogSink,
} from '../partitions/coordinator-log.ts'
import type { Deadlines } from '../partitions/deadlines.ts'
import type { Partitions } from '../partitions/partitions.ts'
import { coordinatorError, isBug } from './coordinator-errors.ts'
import type { LoadTurns } from './load-turns.ts'
import type { Plan, RecordCodec, Shard, ShardKind } from './shard.ts'

/** When loading is tried again that has failed. */
const RETRY_MS = 1000
/** Kafka's number of no codec. */
const UNCOMPRESSED = 0
const NO_PRODUCER = { producerId: -1, producerEpoch: -1 } as const

/** What all shards of a coordinator share. */
export interface ShardParts<Record, S extends Shard<Record>> {
  readonly topic: string
  readonly partitions: Pick<Partitions, 'find' | 'isPending' | 'settled'>
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly turns: LoadTurns
  /** Asked whenever the shard is loaded. */
  loadKind(): Promise<ShardKind<Record, S>>
  /** Whether an answer waits until its records are on disk. */
  needsDisk(): boolean
  /** Kafka's number of the codec that batches are written with. */
  compression(): number
  /** Told why a shard could not be loaded. */
  readonly onProblem: (error: unknown) => void
}

/** A shard that has been loaded. */
interface Loaded<Record, S> {
  readonly shard: S
  readonly recordCodec: RecordCodec<Record>
  readonly log: CoordinatorLog
  /** How to end the waits for commits that are under way. */
  readonly waits: Set<(reason: KafkaError) => void>
  /** The last record that the shard's state holds. */
  lastOffset: number
  isAlive: boolean
  stopWatching(): void
}

/**
 * Runs the shard of one partition for as long as this broker leads it. Its state is always what its log holds: an append
 * that is refused has changed nothing; when a commit fails that was counted on, all who wait are refused, and the
 * shard is made anew from the log (RULES 4).
 */
export class ShardRunner<Record, S extends Shard<Record>> {
  readonly #parts: ShardParts<Record, S>
  readonly #partition: number
  #loaded: Loaded<Record, S> | undefined
  #loading: Promise<void> | undefined
  #cancelRetry: (() => void) | undefined
  #problem: string | undefined
  #isStopped = false

  /** Begins to load. */
  constructor(parts: ShardParts<Record, S>, partition: number) {
    this.#parts = parts
    this.#partition = partition
    this.#begin()
  }

  /** Whether there is a shard, or may be one soon; false when its log can't be read. */
  get isAvailable(): boolean {
    return this.#loaded !== undefined || this.#loading !== undefined
  }

  /** The shard, unless it is being loaded or can't be. */
  get shard(): S | undefined {
    return this.#loaded?.shard
  }

  /**
   * Plans on the newest state, appends and applies at once; the answer comes when the log up to there is committed. Rejects
   * with what the plan threw, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, or why the log refused.
   */
  async write<Answer>(plan: (shard: S) => Plan<Record, Answer>): Promise<Answer> {
    let loaded = this.#current()
    const room = loaded.log.room()
    if (room !== undefined) {
      await room
      loaded = this.#current()
    }
    return await this.#run(loaded, plan(loaded.shard))
  }

  /** Asks the newest state; the answer is given when that is committed. It must not change with the state. */
  async read<Answer>(query: (shard: S) => Answer): Promise<Answer> {
    const loaded = this.#current()
    const answer = query(loaded.shard)
    await this.#commit(loaded)
    return answer
  }

  /** The partition is not ours any more. Parked answers are refused. */
  stop(): void {
    this.#isStopped = true
    this.#cancelRetry?.()
    this.#drop(this.#notOurs())
  }

  /** The same when the broker stops: first, what has been appended is committed and answered. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#cancelRetry?.()
    const loaded = this.#loaded
    if (loaded) await this.#commit(loaded).catch(() => undefined)
    this.#drop(this.#notOurs())
    await this.#loading
  }

  #current(): Loaded<Record, S> {
    if (this.#loaded && !this.#isStopped) return this.#loaded
    if (this.#loading === undefined || this.#isStopped) throw this.#notOurs()
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', `${this.#name} is being loaded`)
  }

  async #run<Answer>(loaded: Loaded<Record, S>, plan: Plan<Record, Answer>): Promise<Answer> {
    const { answer, settled } = plan
    // It may be refused before its turn comes below.
    if (answer instanceof Promise) answer.catch(() => undefined)
    try {
      this.#append(loaded, plan)
      await this.#commit(loaded)
    } catch (error) {
      const refusal = coordinatorError(error)
      if (loaded.isAlive) settled?.(refusal)
      throw isBug(error) ? error : refusal
    }
    if (loaded.isAlive) settled?.(undefined)
    return await answer
  }

  #append(
    loaded: Loaded<Record, S>,
    { records, isDivisible = false }: Plan<Record, unknown>,
  ): void {
    if (records.length === 0) return
    const { needsDisk, compression } = this.#parts
    const { maxBatchBytes } = loaded.log
    const codec = compression()
    const canFit = isDivisible || codec !== UNCOMPRESSED
    const encoded = this.#encode(loaded, records, canFit ? Infinity : maxBatchBytes)
    for (const { from, to } of batchesWithin(encoded, isDivisible ? maxBatchBytes : Infinity)) {
      const batch = from === 0 && to === encoded.length ? encoded : encoded.slice(from, to)
      const how = { needsDisk: needsDisk(), codec }
      const { baseOffset, lastOffset } = loaded.log.append(batch, how)
      loaded.lastOffset = lastOffset
      this.#apply(loaded, records.slice(from, to), baseOffset)
    }
  }

  /** Stops as soon as it is clear that the log will refuse them: a request may hold millions. */
  #encode(
    { recordCodec }: Loaded<Record, S>,
    records: readonly Record[],
    maxBytes: number,
  ): KeyedRecord[] {
    const encoded: KeyedRecord[] = []
    let size = 0
    for (const record of records) {
      const one = recordCodec.encode(record)
      size += one.key.length + (one.value?.length ?? 0)
      if (size > maxBytes) {
        const detail = `${records.length} records take more than the ${maxBytes} bytes of a batch of ${this.#name}`
        throw new KafkaError('MESSAGE_TOO_LARGE', detail)
      }
      encoded.push(one)
    }
    return encoded
  }

  #apply(loaded: Loaded<Record, S>, records: readonly Record[], baseOffset: number): void {
    try {
      for (const [index, record] of records.entries()) {
        loaded.shard.replay(record, { offset: baseOffset + index, ...NO_PRODUCER })
      }
    } catch (bug) {
      // Nobody knows how far it came.
      this.#drop(this.#notOurs())
      this.#begin()
      throw bug
    }
  }

  /** Waits until all that the state holds is committed. When it can't be, the state is nothing to go on with. */
  async #commit(loaded: Loaded<Record, S>): Promise<void> {
    const committed = loaded.log.whenCommitted(loaded.lastOffset)
    if (committed === undefined) return
    const { promise, reject } = Promise.withResolvers<never>()
    loaded.waits.add(reject)
    try {
      await Promise.race([committed, promise])
    } catch (error) {
      const refusal = coordinatorError(error)
      if (loaded.isAlive) {
        this.#drop(refusal)
        this.#begin()
      }
      throw isBug(error) ? error : refusal
    } finally {
      loaded.waits.delete(reject)
    }
  }

  #begin(): void {
    if (this.#isStopped) return
    const loading = this.#load()
      .then(() => {
        this.#problem = undefined
      })
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        // It may have been thrown away by then, and be loaded again.
        if (this.#loading === loading) this.#loading = undefined
      })
    this.#loading = loading
  }

  async #load(): Promise<void> {
    const { clock, loadKind, turns } = this.#parts
    const kind = await loadKind()
    const { recordCodec } = kind
    const log = new CoordinatorLog(await this.#partitionOf(), clock)
    const loaded = this.#newLoaded(log, kind)
    const { shard } = loaded
    const sink: LogSink = {
      record: ({ key, value }: KeyedRecord, place) => {
        const record = recordCodec.decode(key, value)
        if (record !== undefined) shard.replay(record, place)
      },
      marker: (producerId, isCommitted) => shard.endTransaction(producerId, isCommitted),
    }
    let next = 0
    do {
      while (next < log.endOffset) {
        const from = next
        next = await turns.take(() => log.readOn(from, sink))
        if (this.#isStopped || !log.isOpen) throw this.#notOurs()
      }
      await log.whenCommitted(next - 1)
    } while (next < log.endOffset)
    if (this.#isStopped || !log.isOpen) throw this.#notOurs()
    loaded.lastOffset = next - 1
    loaded.stopWatching = log.watch(() => {
      if (!log.isOpen) this.#lost()
    })
    this.#loaded = loaded
    try {
      shard.loaded()
    } catch (bug) {
      this.#drop(this.#notOurs())
      throw bug
    }
  }

  #newLoaded(log: CoordinatorLog, kind: ShardKind<Record, S>): Loaded<Record, S> {
    const { clock, deadlines } = this.#parts
    const loaded: Loaded<Record, S> = {
      recordCodec: kind.recordCodec,
      shard: kind.newShard({
        partition: this.#partition,
        clock,
        deadlines,
        write: (plan) => this.#writeOf(loaded, plan),
      }),
      log,
      waits: new Set(),
      lastOffset: -1,
      isAlive: true,
      stopWatching: () => undefined,
    }
    return loaded
  }

  async #writeOf<Answer>(
    loaded: Loaded<Record, S>,
    plan: () => Plan<Record, Answer>,
  ): Promise<Answer> {
    if (this.#loaded !== loaded || this.#isStopped) throw this.#notOurs()
    return await this.#run(loaded, plan())
  }

  /** The partition as soon as its log has been made. */
  async #partitionOf() {
    const { topic, partitions } = this.#parts
    const at = { topic, partition: this.#partition }
    while (!this.#isStopped && partitions.isPending(at)) await partitions.settled()
    const partition = this.#isStopped ? undefined : partitions.find(at)
    if (!partition) throw this.#notOurs()
    return partition
  }

  /** Its log has gone: with its topic, or its directory has failed. */
  #lost(): void {
    this.#drop(this.#notOurs())
    this.#retryLater()
  }

  #drop(reason: KafkaError): void {
    const loaded = this.#loaded
    if (!loaded) return
    this.#loaded = undefined
    loaded.isAlive = false
    loaded.stopWatching()
    loaded.shard.unloaded(reason)
    for (const reject of loaded.waits) reject(reason)
  }

  #failed(error: unknown): void {
    if (this.#isStopped) return
    const message = error instanceof Error ? error.message : String(error)
    if (message !== this.#problem) {
      this.#problem = message
      const detail = `Coordinator partition ${this.#name} could not be loaded`
      this.#parts.onProblem(new KafkaError('NOT_COORDINATOR', detail, { cause: error }))
    }
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#isStopped) return
    this.#cancelRetry?.()
    this.#cancelRetry = this.#parts.deadlines.add(RETRY_MS, () => this.#begin())
  }

  #notOurs(): KafkaError {
    return new KafkaError('NOT_COORDINATOR', `This broker does not coordinate ${this.#name}`)
  }

  get #name(): string {
    return partitionName({ topic: this.#parts.topic, partition: this.#partition })
  }
}
