// Says to a real broker over Kafka's protocol what a producer and a consumer say, and keeps the error codes.

import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { RawClient } from '../clients/raw-client.ts'
import type { BrokerProcess } from './broker-process.ts'
import type { Attempt } from './history.ts'

/** Kafka's number of KAFKA_STORAGE_ERROR. */
export const STORAGE_ERROR = 56

/** One connection to a broker, and one topic. */
export class FaultClient {
  readonly #client: RawClient
  readonly #topic: string
  readonly #attempts: Attempt[]

  private constructor(client: RawClient, topic: string, attempts: Attempt[]) {
    this.#client = client
    this.#topic = topic
    this.#attempts = attempts
  }

  /** What is produced is noted in `attempts`, with its place if it is acknowledged. */
  static async open(broker: BrokerProcess, topic: string, attempts: Attempt[]) {
    const address = /Kafka on (\S+:\d+)/.exec(broker.output)?.[1] ?? ''
    return new FaultClient(await RawClient.connect(address), topic, attempts)
  }

  /** Produces a value with acks=all; the error code. */
  async produce(partition: number, value: string): Promise<number> {
    const attempt: Attempt = { writer: `partition ${partition}`, value }
    this.#attempts.push(attempt)
    const bytes = new TextEncoder().encode(value)
    const records = buildBatch([{ value: bytes, timestamp: Date.now() }])
    const topicData = [{ name: this.#topic, partitionData: [{ index: partition, records }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 20_000, topicData }
    const exchange = { request: ProduceRequest, response: ProduceResponse }
    const answer = await this.#client.ask(exchange, request, 9)
    const { errorCode = -1, baseOffset: offset = -1 } =
      answer.responses[0]?.partitionResponses[0] ?? {}
    if (errorCode === 0) attempt.acknowledged = { partition, offset: Number(offset) }
    return errorCode
  }

  /** Everything from an offset on, or the error code. */
  async read(partition: number, from = 0): Promise<number | { offset: number; value: string }[]> {
    const found: { offset: number; value: string }[] = []
    for (let next = from; ; ) {
      const { errorCode, records } = await this.#fetch(partition, next)
      if (errorCode !== 0) return errorCode
      for (const batch of readBatches(records ?? new Uint8Array(0))) {
        if (!batch.isCrcValid()) throw new Error(`The batch at ${batch.baseOffset} is damaged`)
        for (const record of readRecords(batch)) {
          if (record.offset < next) continue
          const value = new TextDecoder().decode(record.value ?? new Uint8Array(0))
          found.push({ offset: record.offset, value })
        }
      }
      const end = (found.at(-1)?.offset ?? next - 1) + 1
      if (end === next) return found
      next = end
    }
  }

  close(): void {
    this.#client.close()
  }

  async #fetch(partition: number, fetchOffset: number) {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: 200_000 }]
    const request = {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 200_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: this.#topic, partitions }],
      forgottenTopicsData: [],
      rackId: '',
    } as never
    const exchange = { request: FetchRequest, response: FetchResponse }
    const answer = await this.#client.ask(exchange, request, 12)
    const [found] = answer.responses[0]?.partitions ?? []
    return { errorCode: found?.errorCode ?? -1, records: found?.records }
  }
}
