// Says to a broker what clients said to Kafka, in the recorded order, and collects where its answers differ.
import { APIS } from '#routes/kafka/dispatch.ts'
import type { Message } from '#src/protocol/codec/message.ts'
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '#src/protocol/messages/headers.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import { type Int64, readInt64, writeInt64 } from '#storage/bytes/int64.ts'
import { openRawConnection, type RawConnection } from '../fuzz/raw-connection.ts'
import { messages } from '../src/protocol/messages/all-messages.ts'
import { type Difference, differences, Pairs } from './compare.ts'
import type { Conversation } from './conversations.ts'

const PATIENCE_MS = 30_000
const PRODUCER_ID_POSITION = 43
const CRC_POSITION = 17
const COVERED_FROM = 21

/** A difference and where it was found. */
export interface FoundDifference extends Difference {
  readonly api: string
  readonly version: number
  readonly client: string
  readonly about: string
}

/** What a replay found. */
export interface ReplayReport {
  readonly compared: number
  /** Requests of APIs that are not served, by their names. */
  readonly unserved: ReadonlyMap<string, number>
  readonly differences: readonly FoundDifference[]
  /** Requests of real clients that our own declarations would write in other bytes. */
  readonly rewritten: readonly string[]
}

interface Asked {
  readonly name: string
  readonly request: Message
  readonly response: Message
  readonly version: number
  /** Undefined when the request was not sent. */
  readonly connection: RawConnection | undefined
}

const byKey = new Map(
  [...messages].flatMap(([name, request]) => {
    const { key } = request
    if (key === undefined || !name.endsWith('Request')) return []
    const short = name.slice(0, -'Request'.length)
    const response = messages.get(`${short}Response`)
    return response ? [[key, { name: short, request, response }] as const] : []
  }),
)
const served = new Set(APIS.map(({ key }) => key))

/** One broker that is spoken to in the words of all conversations, one after the other. */
export class Replayer {
  readonly #port: number
  readonly #pairs = new Pairs()
  readonly #connections = new Map<number, RawConnection>()
  /** The requests of each connection that wait for their answers. */
  readonly #asked = new Map<number, Asked[]>()
  readonly #found: FoundDifference[] = []
  readonly #unserved = new Map<string, number>()
  readonly #rewritten: string[] = []
  #compared = 0

  constructor(port: number) {
    this.#port = port
  }

  get report(): ReplayReport {
    return {
      compared: this.#compared,
      unserved: this.#unserved,
      differences: this.#found,
      rewritten: this.#rewritten,
    }
  }

  /** Replays one conversation. */
  async replay(conversation: Conversation): Promise<void> {
    for (const { connection, kind, bytes } of conversation.frames) {
      const asked = this.#asked.get(connection) ?? []
      this.#asked.set(connection, asked)
      if (kind === 'request') {
        const one = await this.#ask(connection, bytes)
        if (one) asked.push(one)
      } else {
        const one = asked.shift()
        if (!one) throw new Error('An answer without a request was recorded')
        if (one.connection) await this.#compare(one, bytes, conversation)
      }
    }
    for (const connection of this.#connections.values()) connection.destroy()
    this.#connections.clear()
  }

  /** Sends a request with our ids in place of Kafka's; undefined when it has no answer. */
  async #ask(connection: number, bytes: Uint8Array): Promise<Asked | undefined> {
    const reader = new ByteReader(bytes)
    const key = reader.int16()
    const version = reader.int16()
    const api = byKey.get(key)
    if (!api) throw new Error(`API ${key} is not declared`)
    if (!served.has(key)) {
      this.#unserved.set(api.name, (this.#unserved.get(api.name) ?? 0) + 1)
      return { ...api, version, connection: undefined }
    }
    const open = this.#connections.get(connection) ?? (await openRawConnection(this.#port))
    this.#connections.set(connection, open)
    reader.position = 0
    RequestHeader.read(reader, requestHeaderVersion(api.request, version))
    const header = bytes.subarray(0, reader.position)
    // ApiVersions may be asked in a version that nobody declared.
    const isDeclared = version <= api.request.versions[1]
    const value = isDeclared ? api.request.read(reader, version) : undefined
    if (isDeclared)
      this.#checkRewriting(api, version, { value, body: bytes.subarray(header.length) })
    const body = isDeclared
      ? api.request.encode(this.#ours(value, ''), version)
      : bytes.subarray(header.length)
    const frame = new Uint8Array(4 + header.length + body.length)
    new DataView(frame.buffer).setInt32(0, header.length + body.length)
    frame.set(header, 4)
    frame.set(body, 4 + header.length)
    open.send(frame)
    const hasNoAnswer = key === 0 && (value as { acks: number }).acks === 0
    return hasNoAnswer ? undefined : { ...api, version, connection: open }
  }

  #checkRewriting(
    { name, request }: { name: string; request: Message },
    version: number,
    { value, body }: { value: unknown; body: Uint8Array },
  ): void {
    const again = request.encode(value, version)
    if (Buffer.compare(again, body) !== 0) this.#rewritten.push(`${name} v${version}`)
  }

  /** The request's value with every id that Kafka had made up replaced by what ours made up. */
  #ours(value: unknown, name: string): unknown {
    if (value instanceof Uint8Array) return name === 'records' ? this.#batch(value) : value
    if (Array.isArray(value)) return value.map((element) => this.#ours(element, name))
    if (typeof value !== 'object' || value === null) return this.#pairs.ours(name, value)
    return Object.fromEntries(
      Object.entries(value).map(([field, below]) => [field, this.#ours(below, field)]),
    )
  }

  /** The producer's id is covered by the CRC. */
  #batch(bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const kafka = readInt64(view, PRODUCER_ID_POSITION)
    const ours = this.#pairs.ours('producerId', kafka)
    if (ours === kafka) return bytes
    const copy = bytes.slice()
    const target = new DataView(copy.buffer)
    writeInt64(target, PRODUCER_ID_POSITION, ours as Int64)
    target.setUint32(CRC_POSITION, crc32c(copy.subarray(COVERED_FROM)))
    return copy
  }

  async #compare(asked: Asked, bytes: Uint8Array, { client, about }: Conversation): Promise<void> {
    const { name: api, version, connection } = asked
    const place = { api, version, client, about }
    const frame = await connection?.frame(PATIENCE_MS)
    if (frame === undefined || typeof frame === 'string') {
      this.#found.push({ ...place, path: '', kafka: 'answered', ours: frame })
      return
    }
    this.#compared++
    const [kafka, ours] = [decodeAnswer(asked, bytes), decodeAnswer(asked, frame)]
    for (const found of differences(kafka, ours, this.#pairs)) {
      this.#found.push({ ...place, ...found })
    }
  }
}

function decodeAnswer({ response, version }: Asked, bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes)
  const declared = Math.min(version, response.versions[1])
  ResponseHeader.read(reader, responseHeaderVersion(response, declared))
  // An ApiVersions answer that refuses the version comes in version 0.
  const isRefusal = response.key === 18 && new ByteReader(bytes, reader.position).int16() === 35
  return response.read(reader, isRefusal ? 0 : declared)
}
