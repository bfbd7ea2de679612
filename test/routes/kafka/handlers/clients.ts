// What clients of the data path say most: a batch for a partition, a fetch from one.
import { produce } from '../../../../routes/kafka/handlers/00-produce.ts'
import { fetch } from '../../../../routes/kafka/handlers/01-fetch.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import { errorName } from '../../../../src/protocol/error-codes.ts'
import { ProduceRequest, ProduceResponse } from '../../../../src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../../../../src/protocol/messages/01-fetch.ts'
import { type BatchOptions, buildBatch } from '../../../../storage/batch/batch-builder.ts'
import { readBatches } from '../../../../storage/batch/record-batch.ts'
import type { Int64 } from '../../../../storage/bytes/int64.ts'
import { type Exchange, exchange } from './exchange.ts'

/** Produce, as `exchange` takes it. */
export const PRODUCE = { api: produce, request: ProduceRequest, response: ProduceResponse }
/** Fetch, as `exchange` takes it. */
export const FETCH = { api: fetch, request: FetchRequest, response: FetchResponse }

/** A batch of records with these values. */
export function batchOf(values: readonly string[], options: BatchOptions = {}): Uint8Array {
  const encoder = new TextEncoder()
  const records = values.map((value) => ({
    value: encoder.encode(value),
    timestamp: 1_704_067_200_000 as Int64,
  }))
  return buildBatch(records, { leaderEpoch: -1, ...options })
}

/** A batch of an idempotent producer. */
export function sequenced(
  producerId: Int64,
  { epoch = 0, sequence, count = 1 }: { epoch?: number; sequence: number; count?: number },
): Uint8Array {
  const values = Array.from({ length: count }, (_, n) => `${sequence + n}`)
  return batchOf(values, { producerId, producerEpoch: epoch, baseSequence: sequence })
}

/** What became of the batch, with its error by name. */
export async function send(
  broker: Broker,
  topic: string,
  records: Uint8Array | null,
  options: { acks?: number; transactionalId?: string; partition?: number } & Partial<Exchange> = {},
) {
  const { acks = -1, transactionalId = null, version = 9, partition = 0, ...rest } = options
  const partitionData = [{ index: partition, records }]
  const response = await exchange(
    broker,
    PRODUCE,
    { transactionalId, acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] },
    { version, ...rest },
  )
  const answer = response?.responses[0]?.partitionResponses[0]
  if (!answer) return undefined
  return { ...answer, error: nameOf(answer.errorCode) }
}

/** One partition of a fetch request. */
export interface Target {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset: Int64
  readonly maxBytes?: number
  readonly leaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

/** A fetch with the fields that matter to a test. */
export interface FetchOptions extends Partial<Exchange> {
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly isolationLevel?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly replicaId?: number
  readonly forgotten?: readonly { topic?: string; topicId?: string; partitions: number[] }[]
}

/** Fetches; the partitions of the answer stand in one list. */
export async function get(broker: Broker, targets: readonly Target[], options: FetchOptions = {}) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000, version = 12, ...rest } = options
  const { isolationLevel = 0, sessionId = 0, sessionEpoch = -1, replicaId = -1 } = rest
  const response = await exchange(
    broker,
    FETCH,
    {
      ...(version < 15 && { replicaId }),
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      sessionId,
      sessionEpoch,
      topics: targets.map(({ topic = '', topicId, partition = 0, offset, ...more }) => ({
        topic,
        ...(topicId !== undefined && { topicId }),
        partitions: [
          {
            partition,
            fetchOffset: offset,
            partitionMaxBytes: more.maxBytes ?? 1_000_000,
            currentLeaderEpoch: more.leaderEpoch ?? -1,
            ...(version >= 12 && { lastFetchedEpoch: more.lastFetchedEpoch ?? -1 }),
          },
        ],
      })),
      forgottenTopicsData: (rest.forgotten ?? []).map((one) => ({ topic: '', ...one })),
      rackId: '',
    },
    { version, ...(rest.signal && { signal: rest.signal }) },
  )
  if (!response) throw new Error('A fetch always has an answer')
  const partitions = response.responses.flatMap(({ topic, topicId, partitions: answered }) =>
    answered.map((partition) => ({
      topic,
      topicId,
      ...partition,
      error: nameOf(partition.errorCode),
    })),
  )
  const { nodeEndpoints } = response
  return {
    error: nameOf(response.errorCode),
    sessionId: response.sessionId,
    partitions,
    nodeEndpoints,
  }
}

/** The offsets of the batches: base and last. */
export function offsetsIn(records: Uint8Array | null | undefined): [number, number][] {
  return Array.from(readBatches(records ?? new Uint8Array(0)), (batch) => [
    batch.baseOffset,
    batch.lastOffset,
  ])
}

/** NONE for 0. */
export function nameOf(errorCode: number): string {
  return errorCode === 0 ? 'NONE' : errorName(errorCode)
}
