// The little of Kafka's protocol that `millrace ping` speaks: versions, the brokers of the cluster, and who a broker is.
import type { Clock } from '#storage/base/world.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import type { TcpAddress, TcpClient, TcpConnect } from '../platform/tcp-client.ts'
import type { Message } from '../protocol/codec/message.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../protocol/messages/32-describe-configs.ts'
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../protocol/messages/headers.ts'

/** The version that ApiVersions answers in when it does not know the one that was asked. */
const FALLBACK_VERSION = 0
const UNSUPPORTED_VERSION = 35
const BROKER_RESOURCE = 4
/** More than any answer to these questions: a length above it is another protocol's text. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Something answered, but not as a Kafka broker does. The message says what it seems to be. */
export class NotKafka extends Error {
  override readonly name = 'NotKafka'
}

/** An API and the versions of it that a broker serves. */
export interface ServedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** A broker as the cluster advertises it. */
export interface AdvertisedBroker extends TcpAddress {
  readonly nodeId: number
  readonly rack: string | null
}

/** What a broker tells of its cluster. */
export interface ClusterView {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: readonly AdvertisedBroker[]
}

/** What a connection is made with. */
export interface PingOptions {
  readonly connect: TcpConnect
  readonly clock: Clock
  /** For each wait. */
  readonly timeoutMs: number
}

interface Pair<Q, QI, R, RI> {
  readonly request: Message<Q, QI>
  readonly response: Message<R, RI>
}

const API_VERSIONS = { request: ApiVersionsRequest, response: ApiVersionsResponse }
const METADATA = { request: MetadataRequest, response: MetadataResponse }
const DESCRIBE_CONFIGS = { request: DescribeConfigsRequest, response: DescribeConfigsResponse }

/** Connects and asks for the versions. Throws TcpError or NotKafka. */
export async function openPing(address: TcpAddress, options: PingOptions): Promise<PingClient> {
  const { clock, connect, timeoutMs } = options
  const start = clock.monotonic()
  const socket = await connect(address, timeoutMs)
  const client = new PingClient(socket, options, clock.monotonic() - start)
  try {
    await client.readVersions()
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

/** A connection to one broker, made by `openPing`. */
export class PingClient {
  /** How long connecting took, the name's lookup included. */
  readonly connectMs: number
  readonly remoteAddress: string
  /** What the broker serves, by key. */
  apis: readonly ServedApi[] = []
  readonly #socket: TcpClient
  readonly #options: PingOptions
  #apiVersionsVersion = ApiVersionsRequest.latestVersion
  #correlationId = 0
  #received: Uint8Array = new Uint8Array(0)

  /** Use `openPing`. */
  constructor(socket: TcpClient, options: PingOptions, connectMs: number) {
    this.#socket = socket
    this.#options = options
    this.connectMs = connectMs
    this.remoteAddress = socket.remoteAddress
  }

  close(): void {
    this.#socket.close()
  }

  /** Asks for the versions, again in version 0 of a broker that does not know the newest. */
  async readVersions(): Promise<void> {
    let answer = await this.#apiVersions()
    if (answer.errorCode === UNSUPPORTED_VERSION) {
      this.#apiVersionsVersion = FALLBACK_VERSION
      answer = await this.#apiVersions()
    }
    this.apis = answer.apiKeys.toSorted((left, right) => left.apiKey - right.apiKey)
  }

  /** How long a question and its answer take, in milliseconds: the quickest of `count`. */
  async roundTripMs(count: number): Promise<number> {
    let quickest = Infinity
    for (let round = 0; round < count; round++) {
      const start = this.#options.clock.monotonic()
      await this.#apiVersions()
      quickest = Math.min(quickest, this.#options.clock.monotonic() - start)
    }
    return quickest
  }

  /** The cluster; undefined from a broker that serves no Metadata, as a controller does. */
  async cluster(): Promise<ClusterView | undefined> {
    const version = this.#versionOf(METADATA)
    if (version === undefined) return undefined
    // In version 0 no topics means all of them.
    const { clusterId, controllerId, brokers } = await this.#ask(METADATA, version, {
      topics: [],
      ...(version >= 4 && { allowAutoTopicCreation: false }),
    })
    return { clusterId, controllerId, brokers }
  }

  /** Whether the broker says that it has this id; undefined when it can't be asked. */
  async isBroker(nodeId: number): Promise<boolean | undefined> {
    const version = this.#versionOf(DESCRIBE_CONFIGS)
    if (version === undefined) return undefined
    const resourceName = String(nodeId)
    const { results } = await this.#ask(DESCRIBE_CONFIGS, version, {
      resources: [
        {
          resourceType: BROKER_RESOURCE,
          resourceName,
          configurationKeys: ['node.id', 'broker.id'],
        },
      ],
    })
    const [result] = results
    // Rights may be missing; a broker with another id refuses the request as invalid.
    return result?.errorCode === 0 ? true : result?.errorCode === 42 ? false : undefined
  }

  #versionOf({
    request,
  }: {
    request: { key: number | undefined; versions: readonly [number, number] }
  }) {
    const served = this.apis.find(({ apiKey }) => apiKey === request.key)
    if (!served) return undefined
    const version = Math.min(served.maxVersion, request.versions[1])
    return version >= Math.max(served.minVersion, request.versions[0]) ? version : undefined
  }

  #apiVersions() {
    return this.#ask(API_VERSIONS, this.#apiVersionsVersion, {
      ...(this.#apiVersionsVersion >= 3 && {
        clientSoftwareName: 'millrace-ping',
        clientSoftwareVersion: '1',
      }),
    })
  }

  async #ask<Q, QI, R, RI>(pair: Pair<Q, QI, R, RI>, version: number, value: QI): Promise<R> {
    const correlationId = ++this.#correlationId
    this.#socket.send(requestBytes(pair.request, { value, version, correlationId }))
    const reader = new ByteReader(await this.#frame())
    const { response } = pair
    try {
      const headerVersion = responseHeaderVersion(response as Message, version)
      const header = ResponseHeader.read(reader, headerVersion)
      if (header.correlationId !== correlationId) throw new NotKafka('It answers something else')
      return response.read(reader, this.#answeredVersion(response as Message, reader, version))
    } catch (error) {
      if (error instanceof NotKafka) throw error
      throw new NotKafka('Its answer is none of Kafka’s protocol', { cause: error })
    }
  }

  /** An ApiVersions answer to a version that is not served comes in version 0. */
  #answeredVersion(response: Message, reader: ByteReader, version: number): number {
    if (response.key !== ApiVersionsResponse.key) return version
    const errorCode = reader.int16()
    reader.position -= 2
    return errorCode === UNSUPPORTED_VERSION ? FALLBACK_VERSION : version
  }

  async #frame(): Promise<Uint8Array> {
    for (;;) {
      const bytes = this.#received
      const isProbable = bytes.length >= 4
      const size = isProbable ? new DataView(bytes.buffer, bytes.byteOffset).getInt32(0) : 0
      if (isProbable && (size < 4 || size > MAX_ANSWER_BYTES)) throw new NotKafka(guess(bytes))
      if (isProbable && bytes.length >= 4 + size) {
        this.#received = bytes.subarray(4 + size)
        return bytes.subarray(4, 4 + size)
      }
      const more = await this.#socket.receive(this.#options.timeoutMs)
      this.#received = joined(bytes, more)
    }
  }
}

function requestBytes<Q, QI>(
  message: Message<Q, QI>,
  { value, version, correlationId }: { value: QI; version: number; correlationId: number },
): Uint8Array {
  const writer = new ByteWriter()
  const header = {
    requestApiKey: message.key ?? 0,
    requestApiVersion: version,
    correlationId,
    clientId: 'millrace-ping',
  }
  writer.reserve(4)
  RequestHeader.write(writer, header, requestHeaderVersion(message as Message, version))
  message.write(writer, value, version)
  writer.setInt32(0, writer.position - 4)
  return writer.written
}

/** What the first bytes look like. */
function guess(bytes: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 8))
  if (text.startsWith('HTTP/')) return 'It speaks HTTP, not Kafka’s protocol'
  const isTls = (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3
  if (isTls) return 'It speaks TLS: its listener is SSL or SASL_SSL'
  if (text.startsWith('SSH-')) return 'It speaks SSH, not Kafka’s protocol'
  return 'Its answer is none of Kafka’s protocol'
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right
  const bytes = new Uint8Array(left.length + right.length)
  bytes.set(left)
  bytes.set(right, left.length)
  return bytes
}
