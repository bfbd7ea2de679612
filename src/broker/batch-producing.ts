// Batches in: appended as they came, one to a partition, and answered as their producer asks.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../access/session.ts'
import { Deadlines } from '../partitions/deadlines.ts'
import type { CurrentLeader, PartitionId, PartitionLookup } from '../partitions/lookup.ts'
import type { Partition } from '../partitions/partition.ts'
import {
  checkProducedBatch,
  firstBatchSize,
  isTransactionalBatch,
  largeCodecOf,
  type UnpackedBatch,
  unpackProduced,
} from '../partitions/produced-batch.ts'
import { recordErrorsOf } from '../partitions/record-errors.ts'
import { isInternalTopic } from './internal-topic-names.ts'
import { refusalOf } from './refusal.ts'

/** The batch for one partition. Its bytes are patched in place. */
export interface ProducedBatch extends PartitionId {
  readonly records: Uint8Array | null
}

/** A produce request as the wire protocol has it. */
export interface BatchProduceCall {
  readonly transactionalId: string | null
  /** 0, 1 or -1; others are refused. */
  readonly acks: number
  readonly timeoutMs: number
  /** Whether the client's version knows zstd. */
  readonly allowsZstd: boolean
  readonly batches: readonly ProducedBatch[]
  /** Keeps what its producer sends next from being begun, until the returned function is called (RULES 6). */
  hold?(): () => void
}

/** Where a batch went. */
export interface AppendedBatch {
  readonly baseOffset: number
  /** -1 on CreateTime topics. */
  readonly logAppendTime: Int64
  readonly logStartOffset: number
}

/** Why a batch was refused, and which of its records are at fault if it is only some. */
export interface RefusedBatch {
  readonly error: KafkaError
  readonly recordErrors: readonly { readonly index: number; readonly message: string }[]
  /** -1 where the batch did not get as far as the log, or where its bytes alone are at fault. */
  readonly logStartOffset: number
  /** Where the producer should turn to when this broker does not lead the partition. */
  readonly currentLeader: CurrentLeader | undefined
}

/** What became of one batch. */
export type BatchOutcome = AppendedBatch | RefusedBatch

/** What producing batches needs of the broker. */
export interface BatchProducingParts {
  readonly lookup: PartitionLookup
  readonly clock: Clock
  /** Whether acks=all waits for the disk (`millrace.acks.all.fsync`). */
  isAllSynced(): boolean
  /** Why too few replicas are in sync for acks=all; undefined while there are enough. */
  lacksReplicas(at: { readonly topic: string; readonly partition: number }): string | undefined
  /** Counts what was appended, or refused. */
  count(appended: { readonly records: number; readonly bytes: number } | undefined): void
}

/** A batch of a request, by its place, that waits for the disk. */
type Wait = readonly [index: number, committed: Promise<void>]

/** Refusals by the log that do not tell its start, as in Kafka. */
const WITHOUT_LOG_START: ReadonlySet<KafkaErrorName> = new Set([
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
])
/** Kafka's own tools may write to internal topics under this client id. */
const ADMIN_CLIENT_ID = '__admin_client'

/** Serves all produce requests of a broker. */
export class BatchProducing {
  readonly #parts: BatchProducingParts
  readonly #deadlines: Deadlines

  constructor(parts: BatchProducingParts) {
    this.#parts = parts
    this.#deadlines = new Deadlines(parts.clock)
  }

  /**
   * Appends all batches before it returns, or before it lets go of `hold` (RULES 6); only the answer may come later. It has
   * to wait with appending while a log is being made, too much waits for the disk, or a large batch is unpacked. Outcomes are in the order of the
   * batches. Throws what is wrong with the request as a whole; then nothing was appended.
   */
  produce(
    session: Session,
    call: BatchProduceCall,
  ): readonly BatchOutcome[] | Promise<readonly BatchOutcome[]> {
    refuseTransactions(call)
    if (call.batches.some(({ records }) => largeCodecOf(records) !== undefined)) {
      return this.#produceOneByOne(session, call)
    }
    const obstacle = this.#obstacle(call.batches)
    return obstacle === undefined
      ? this.#produceNow(session, call)
      : this.#produceLater(session, call, obstacle)
  }

  /** Takes its timer back. */
  close(): void {
    this.#deadlines.clear()
  }

  /** What has to be over before all batches can be appended. */
  #obstacle(batches: readonly ProducedBatch[]): Promise<void> | undefined {
    for (const batch of batches) {
      const obstacle = this.#parts.lookup.whenReady(batch)
      if (obstacle !== undefined) return obstacle
    }
    return undefined
  }

  /** Resolves when the batch can be appended or refused at once. */
  async #whenReady(batch: ProducedBatch): Promise<void> {
    for (let obstacle = this.#obstacle([batch]); obstacle; obstacle = this.#obstacle([batch])) {
      await obstacle
    }
  }

  async #produceLater(
    session: Session,
    call: BatchProduceCall,
    first: Promise<void>,
  ): Promise<readonly BatchOutcome[]> {
    const release = call.hold?.()
    let answer: ReturnType<BatchProducing['produce']>
    try {
      // Others that waited may have taken the room again.
      for (let obstacle: Promise<void> | undefined = first; obstacle !== undefined; ) {
        await obstacle
        obstacle = this.#obstacle(call.batches)
      }
      answer = this.#produceNow(session, call)
    } finally {
      release?.()
    }
    return await answer
  }

  /** Unpacks and appends one batch after the other, so that no more than one of them is in memory unpacked. */
  async #produceOneByOne(
    { clientId }: Session,
    call: BatchProduceCall,
  ): Promise<readonly BatchOutcome[]> {
    const release = call.hold?.()
    const outcomes: BatchOutcome[] = []
    const waits: Wait[] = []
    try {
      for (const [index, batch] of call.batches.entries()) {
        // Nothing is unpacked only to wait for the disk. It may have filled up meanwhile.
        await this.#whenReady(batch)
        const unpacked = await this.#unpacked(batch)
        await this.#whenReady(batch)
        outcomes.push(this.#append(index, call, clientId, waits, unpacked))
        // Who hears of it comes later.
        waits.at(-1)?.[1].catch(() => undefined)
      }
    } finally {
      release?.()
    }
    return waits.length > 0 ? await this.#settled(call, outcomes, waits) : outcomes
  }

  /** Undefined for what is unpacked, or refused, when it is appended. */
  async #unpacked(batch: ProducedBatch): Promise<UnpackedBatch | undefined> {
    const { records } = batch
    const codec = largeCodecOf(records)
    if (records === null || codec === undefined) return undefined
    let limit: number
    try {
      const { config } = this.#parts.lookup.get(batch).log
      if (firstBatchSize(records) > config.maxMessageBytes) return undefined
      limit = config.maxDecompressedBytes
    } catch (error) {
      if (error instanceof KafkaError) return undefined
      throw error
    }
    return await unpackProduced(records, codec, limit)
  }

  #produceNow(
    { clientId }: Session,
    call: BatchProduceCall,
  ): readonly BatchOutcome[] | Promise<readonly BatchOutcome[]> {
    const outcomes: BatchOutcome[] = []
    const waits: Wait[] = []
    for (let index = 0; index < call.batches.length; index++) {
      outcomes.push(this.#append(index, call, clientId, waits))
    }
    return waits.length > 0 ? this.#settled(call, outcomes, waits) : outcomes
  }

  /** Appends the batch at `index`; what its answer has to wait for goes into `waits`. */
  #append(
    index: number,
    call: BatchProduceCall,
    clientId: string,
    waits: Wait[],
    unpacked?: UnpackedBatch,
  ): BatchOutcome {
    const batch = call.batches[index] as ProducedBatch
    const { acks } = call
    let log: Partition['log'] | undefined
    try {
      if (acks !== 0 && acks !== 1 && acks !== -1) {
        throw new KafkaError('INVALID_REQUIRED_ACKS', `acks is 0, 1 or -1, not ${acks}`)
      }
      const partition = this.#parts.lookup.get(batch)
      const { topicPartition } = partition
      checkProducedBatch(batch.records, call.allowsZstd)
      if (isInternalTopic(topicPartition.topic) && clientId !== ADMIN_CLIENT_ID) {
        const detail = `Clients may not write to the internal topic ${topicPartition.topic}`
        throw new KafkaError('INVALID_TOPIC_EXCEPTION', detail)
      }
      log = partition.log
      const lack = acks === -1 ? this.#parts.lacksReplicas(topicPartition) : undefined
      if (lack !== undefined) throw new KafkaError('NOT_ENOUGH_REPLICAS', lack)
      const records = batch.records as Uint8Array
      const needsDisk = acks === -1 && this.#parts.isAllSynced()
      const appended = partition.append(records, { needsDisk, unpacked })
      const { baseOffset, lastOffset } = appended
      if (!appended.isDuplicate) {
        this.#parts.count({ records: lastOffset - baseOffset + 1, bytes: records.length })
      }
      if (appended.needsDisk && acks !== 0) waits.push([index, log.whenCommitted(lastOffset)])
      return appended
    } catch (error) {
      return this.#refused(batch, error, log)
    }
  }

  #refused(batch: PartitionId, cause: unknown, log?: Partition['log']): RefusedBatch {
    this.#parts.count(undefined)
    const error = refusalOf(cause)
    const isElsewhere = error.code === 'NOT_LEADER_OR_FOLLOWER'
    const currentLeader = isElsewhere ? this.#parts.lookup.leaderOf(batch) : undefined
    const logStartOffset = log && !WITHOUT_LOG_START.has(error.code) ? log.logStartOffset : -1
    return { error, recordErrors: recordErrorsOf(cause), logStartOffset, currentLeader }
  }

  /** Resolves when all batches are committed or refused, or when the producer's time has passed. */
  #settled(
    { batches, timeoutMs }: BatchProduceCall,
    outcomes: BatchOutcome[],
    waits: readonly Wait[],
  ): Promise<readonly BatchOutcome[]> {
    return new Promise((resolve, reject) => {
      const waiting = new Set<number>()
      const finish = () => {
        takeBack()
        resolve(outcomes)
      }
      const takeBack = this.#deadlines.add(Math.max(0, timeoutMs), () => {
        for (const index of waiting) outcomes[index] = timedOut(timeoutMs)
        waiting.clear()
        finish()
      })
      const settle = (index: number) => {
        if (waiting.delete(index) && waiting.size === 0) finish()
      }
      for (const [index, committed] of waits) {
        waiting.add(index)
        committed.then(
          () => settle(index),
          (error: unknown) => {
            try {
              if (waiting.has(index))
                outcomes[index] = this.#refused(batches[index] as PartitionId, error)
              settle(index)
            } catch (bug) {
              takeBack()
              reject(bug)
            }
          },
        )
      }
    })
  }
}

/** Until there is a transaction coordinator it knows of no transactional id, and so no transaction is open. */
function refuseTransactions({ transactionalId, batches }: BatchProduceCall): void {
  const isTransactional = batches.some(
    ({ records }) => records !== null && isTransactionalBatch(records),
  )
  if (!isTransactional) return
  if (transactionalId === null) {
    const detail = 'Transactional batches need a transactional id'
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', detail)
  }
  const detail = `Transactional id ${transactionalId} has no producer id here`
  throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', detail)
}

function timedOut(timeoutMs: number): RefusedBatch {
  const detail = `The batch was not committed within ${timeoutMs} ms`
  return {
    error: new KafkaError('REQUEST_TIMED_OUT', detail),
    recordErrors: [],
    logStartOffset: -1,
    currentLeader: undefined,
  }
}
