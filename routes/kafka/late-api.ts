// APIs whose handlers and messages are loaded with their first request: a broker is rarely asked for all of them.
import { KafkaError } from '#storage/base/errors.ts'
import type { ByteReader } from '#storage/bytes/byte-reader.ts'
import type { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { type Api, ClosesConnection, type RequestContext } from './api.ts'

/** What has to be known of an API before its handler is there. Its messages say the same, and a test compares them. */
export interface LateRange {
  readonly key: number
  readonly versions: readonly [min: number, max: number]
  /** The first version with headers of the flexible form (KIP-482). */
  readonly flexible: number
}

/** A request that came before the handler that can read it. */
class Undecoded {
  readonly reader: ByteReader
  readonly version: number
  /** The request, once it has been decoded. */
  value: unknown

  constructor(reader: ByteReader, version: number) {
    this.reader = reader
    this.version = version
  }
}

/**
 * An API that is loaded with its first request, which waits for it. It answers as the handler itself; where that can't be
 * loaded the connection is closed and the reason said, and the next request tries again as far as the runtime does. For
 * handlers that are not pipelined and refuse versions that they do not serve as all do.
 */
export class LateApi implements Api {
  readonly key: number
  readonly versions: readonly [min: number, max: number]
  readonly isPipelined = false
  readonly refuseVersion = undefined
  readonly #flexible: number
  readonly #load: () => Promise<Api>
  #api: Api | undefined

  constructor({ key, versions, flexible }: LateRange, load: () => Promise<Api>) {
    this.key = key
    this.versions = versions
    this.#flexible = flexible
    this.#load = load
  }

  get advertised(): readonly [min: number, max: number] {
    return this.versions
  }

  /** The handler itself. */
  async loaded(): Promise<Api> {
    this.#api ??= await this.#load()
    return this.#api
  }

  requestHeaderVersion(version: number): number {
    return version >= this.#flexible ? 2 : 1
  }

  responseHeaderVersion(version: number): number {
    return version >= this.#flexible ? 1 : 0
  }

  decode(reader: ByteReader, version: number): unknown {
    return this.#api ? this.#api.decode(reader, version) : new Undecoded(reader, version)
  }

  handle(context: RequestContext, request: unknown): unknown {
    if (request instanceof Undecoded) return this.#handleLate(context, request)
    return this.#known().handle(context, request)
  }

  refuse(error: KafkaError, request: unknown, context: RequestContext): unknown {
    const value = request instanceof Undecoded ? request.value : request
    return this.#known().refuse(error, value, context)
  }

  encode(writer: ByteWriter, answer: unknown, version: number): void {
    this.#known().encode(writer, answer, version)
  }

  async #handleLate(context: RequestContext, request: Undecoded): Promise<unknown> {
    const api = await this.loaded()
    try {
      request.value = api.decode(request.reader, request.version)
    } catch (error) {
      // As for every request that can't be read: nobody knows what it asked for.
      throw error instanceof KafkaError ? new ClosesConnection(error.message) : error
    }
    return await api.handle(context, request.value)
  }

  #known(): Api {
    if (this.#api) return this.#api
    throw new Error(`The handler of API ${this.key} is not loaded`)
  }
}
