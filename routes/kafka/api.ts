// What a handler of one API is, and what it is told about the request it answers.
import type { Session } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import type { Message } from '#src/protocol/codec/message.ts'
import { requestHeaderVersion, responseHeaderVersion } from '#src/protocol/messages/headers.ts'
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import type { ByteReader } from '#storage/bytes/byte-reader.ts'
import type { ByteWriter } from '#storage/bytes/byte-writer.ts'

/** An API and its versions, as ApiVersions tells them. */
export interface ApiRange {
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** Where and how a client came in. */
export interface ClientListener {
  /** Its name in `listeners`. */
  readonly name: string
  /** What clients on this connection are told to connect to: the advertised listener, or the address they came to. */
  readonly host: string
  readonly port: number
}

/** One request, from its start to its answer. */
export interface RequestContext {
  readonly broker: Broker
  readonly clock: Clock
  readonly session: Session
  readonly listener: ClientListener
  /** The version that the request is in and that its answer takes. */
  readonly version: number
  /** Every API that is served. */
  readonly apis: readonly ApiRange[]
  /**
   * Aborts when the connection closes or the broker stops. A wait ends then and answers with what there is: at a stop
   * the answer still leaves.
   */
  readonly signal: AbortSignal
  /**
   * Keeps the connection's next request from starting, although the API is pipelined, until the returned function is
   * called or the answer is there: for what has to happen first but off the event loop (RULES 6).
   */
  hold(): () => void
}

/** The answer to a request that wants none. */
export const NO_ANSWER = Symbol('no answer')

/**
 * An answer that holds lent bytes, such as records of a fetch. Large byte values go to the socket as they are, uncopied;
 * `release` is called once, when the system has taken them or the connection has closed.
 */
export class LentAnswer<T> {
  readonly value: T
  readonly release: () => void

  constructor(value: T, release: () => void) {
    this.value = value
    this.release = release
  }
}

/** Thrown by a handler to close the connection instead of answering: the only way to tell a producer with acks 0. */
export class ClosesConnection extends Error {
  override readonly name = 'ClosesConnection'
}

/** What a handler gives: a value of its response message, one with lent bytes, or nothing. */
export type Answer<T> = T | LentAnswer<T> | typeof NO_ANSWER

/** The handler of one API. */
export interface ApiDefinition<Request, RequestInput, Response, ResponseInput> {
  readonly request: Message<Request, RequestInput>
  readonly response: Message<Response, ResponseInput>
  /** The versions that are told where they differ from those that are served. */
  readonly advertised?: readonly [min: number, max: number]
  /**
   * Whether it may start while other such requests of its connection wait for their answers. All others run one after
   * the other, as Kafka does it; answers leave in order in any case.
   */
  readonly isPipelined?: boolean
  /**
   * Answers. The request's byte values are views that hold until the answer is there. A KafkaError, thrown or as a
   * rejection, is answered through `refuse`; ClosesConnection closes; everything else is a bug and closes too.
   */
  handle(
    context: RequestContext,
    request: Request,
  ): Answer<ResponseInput> | Promise<Answer<ResponseInput>>
  /** The answer that carries an error for the whole request, in this API's own form. */
  refuse(error: KafkaError, request: Request, context: RequestContext): Answer<ResponseInput>
  /** Answers, in version 0, a request whose version is not served. Without it the connection is closed. */
  refuseVersion?(context: RequestContext): ResponseInput
}

/** A handler with its types erased, for the table. */
export interface Api {
  readonly key: number
  readonly versions: readonly [min: number, max: number]
  readonly advertised: readonly [min: number, max: number]
  readonly isPipelined: boolean
  requestHeaderVersion(version: number): number
  responseHeaderVersion(version: number): number
  decode(reader: ByteReader, version: number): unknown
  handle(context: RequestContext, request: unknown): unknown
  refuse(error: KafkaError, request: unknown, context: RequestContext): unknown
  readonly refuseVersion: ((context: RequestContext) => unknown) | undefined
  encode(writer: ByteWriter, answer: unknown, version: number): void
}

/** Makes the handler of an API; served are the versions that both messages have. */
export function api<Request, RequestInput, Response, ResponseInput>(
  definition: ApiDefinition<Request, RequestInput, Response, ResponseInput>,
): Api {
  const { request, response, isPipelined = false } = definition
  const versions = [
    Math.max(request.versions[0], response.versions[0]),
    Math.min(request.versions[1], response.versions[1]),
  ] as const
  if (request.key === undefined || request.key !== response.key) {
    throw new KafkaError('INVALID_REQUEST', `Messages ${request.key} and ${response.key} differ`)
  }
  return {
    key: request.key,
    versions,
    advertised: definition.advertised ?? versions,
    isPipelined,
    requestHeaderVersion: (version) => requestHeaderVersion(request as Message, version),
    responseHeaderVersion: (version) => responseHeaderVersion(response as Message, version),
    decode: (reader, version) => request.read(reader, version),
    handle: (context, value) => definition.handle(context, value as Request),
    refuse: (error, value, context) => definition.refuse(error, value as Request, context),
    refuseVersion: definition.refuseVersion?.bind(definition),
    encode: (writer, answer, version) => response.write(writer, answer as ResponseInput, version),
  }
}
