// A client that behaves, beside all those that don't: it produces, fetches what it produced, and complains about any difference.

import type { InferInput, Message } from '#src/protocol/codec/message.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '#src/protocol/messages/headers.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { openRawConnection, type RawConnection } from './raw-connection.ts'

/** An answer that takes longer means that someone else's bytes stall the broker. */
const PATIENCE_MS = 30_000

const VERSIONS = { produce: 9, fetch: 12 } as const

/** One producer and consumer of partition 0 of a topic of its own. */
export class HealthyClient {
  /** The values that were acknowledged, by their offsets. */
  readonly acknowledged: string[] = []
  readonly #topic: string
  readonly #connection: RawConnection
  #correlationId = 0

  /** Use `openHealthyClient`. */
  constructor(connection: RawConnection, topic: string) {
    this.#connection = connection
    this.#topic = topic
  }

  /** Produces and fetches until it is told to end. Rejects at the first thing that is wrong. */
  async run(isOver: () => boolean): Promise<void> {
    for (let round = 0; !isOver(); round++) {
      await this.produce(`${round}`)
      if (round % 5 === 0) await this.#check(Math.max(0, this.acknowledged.length - 20))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await this.checkAll()
    this.#connection.destroy()
  }

  /** Produces one record with acks=all. */
  async produce(value: string): Promise<void> {
    const records = buildBatch([{ value: new TextEncoder().encode(value), timestamp: 1 }])
    const partitionData = [{ index: 0, records }]
    const topicData = [{ name: this.#topic, partitionData }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 5000, topicData }
    const answer = await this.#ask(ProduceRequest, ProduceResponse, request, VERSIONS.produce)
    const [partition] = answer.responses[0]?.partitionResponses ?? []
    const expected = this.acknowledged.length
    if (partition?.errorCode !== 0 || partition.baseOffset !== expected) {
      const got = `error ${partition?.errorCode} at offset ${partition?.baseOffset}`
      throw new Error(`The healthy client's record for offset ${expected} was answered with ${got}`)
    }
    this.acknowledged.push(value)
  }

  /** Every acknowledged record is there, at its offset. */
  async checkAll(): Promise<void> {
    for (let offset = 0; offset < this.acknowledged.length; ) offset = await this.#check(offset)
  }

  /** Fetches from an offset and compares; gives the offset behind what came. */
  async #check(offset: number): Promise<number> {
    const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1_000_000 }]
    const topics = [{ topic: this.#topic, partitions }]
    const request: InferInput<typeof FetchRequest> = {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics,
      forgottenTopicsData: [],
      rackId: '',
    } as never
    const answer = await this.#ask(FetchRequest, FetchResponse, request, VERSIONS.fetch)
    const bytes = answer.responses[0]?.partitions[0]?.records ?? new Uint8Array(0)
    let next = offset
    for (const batch of readBatches(bytes)) {
      for (const record of readRecords(batch)) {
        const value = new TextDecoder().decode(record.value ?? new Uint8Array(0))
        if (record.offset !== next || value !== this.acknowledged[next]) {
          throw new Error(`Offset ${next} holds ${value} at ${record.offset}`)
        }
        next++
      }
    }
    if (next === offset) throw new Error(`Nothing was fetched from offset ${offset}`)
    return next
  }

  async #ask<Q, QI, R, RI>(
    request: Message<Q, QI>,
    response: Message<R, RI>,
    value: QI,
    version: number,
  ): Promise<R> {
    const correlationId = ++this.#correlationId
    this.#connection.send(frameOf(request as Message, { value, version, correlationId }))
    const frame = await this.#connection.frame(PATIENCE_MS)
    if (typeof frame === 'string') throw new Error(`The healthy client's connection was ${frame}`)
    const reader = new ByteReader(frame)
    const header = ResponseHeader.read(reader, responseHeaderVersion(response as Message, version))
    if (header.correlationId !== correlationId) throw new Error('The answers are out of order')
    return response.read(reader, version)
  }
}

/** Opens one on 127.0.0.1. The topic must exist and be empty. */
export async function openHealthyClient(port: number, topic: string): Promise<HealthyClient> {
  return new HealthyClient(await openRawConnection(port), topic)
}

/** A request as it goes to the socket, with its length. */
export function frameOf(
  message: Message,
  request: { value: unknown; version: number; correlationId: number },
): Uint8Array {
  const { value, version, correlationId } = request
  const writer = new ByteWriter()
  const header = {
    requestApiKey: message.key ?? 0,
    requestApiVersion: version,
    correlationId,
    clientId: 'test',
  }
  writer.reserve(4)
  RequestHeader.write(writer, header, requestHeaderVersion(message, version))
  message.write(writer, value, version)
  writer.setInt32(0, writer.position - 4)
  return writer.written.slice()
}
