// One connection: cuts requests from bytes, starts them in order, sends their answers in order, and holds back either side.
//
// Life: paused until `start`; then data in and answers out until the peer leaves, a limit or malformed input closes it, or
// `finish` lets what is under way leave first. Neighbours: the server owns it, the table names the handlers.
import { ANONYMOUS, type Session } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import type { TcpConnection, TcpEvents } from '#src/platform/tcp.ts'
import { RequestHeader } from '#src/protocol/messages/headers.ts'
import { assert, KafkaError, StorageFault } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { encodeAnswer, type OutgoingAnswer } from './answer.ts'
import { type Api, type ClientListener, ClosesConnection, type RequestContext } from './api.ts'
import type { ApiTable } from './dispatch.ts'
import { type Frame, FrameReader } from './frames.ts'
import type { RequestMemory } from './request-memory.ts'

/** Requests of one connection that may wait for their answers at one time, and their bytes, the last one's aside. */
const MAX_PIPELINED = 64
const MAX_PIPELINED_BYTES = 16 * 1024 * 1024
/** Answers that wait behind an earlier one: above this no further request is started. */
const MAX_WAITING_ANSWER_BYTES = 1024 * 1024
/** Answers are gathered up to here before they are given to the socket. */
const FLUSH_BYTES = 64 * 1024

/** What all connections share. */
export interface ConnectionShared {
  /** Undefined until clients are let in. */
  broker: Broker | undefined
  readonly clock: Clock
  readonly apis: ApiTable
  readonly memory: RequestMemory
  readonly maxRequestBytes: number
  /** Told, a line each, what closed a connection that its peer did not close. */
  readonly say: (line: string) => void
  readonly onClosed: (connection: Connection) => void
}

/** What the requests of a connection share. */
interface RequestOwner {
  readonly shared: ConnectionShared
  readonly listener: ClientListener
  signal(): AbortSignal
  /** The last hold of a request may have gone. */
  advance(): void
}

/** A request that has been started and whose answer has not been given to the socket; its handler's context too. */
class Running implements RequestContext {
  readonly api: Api
  readonly version: number
  readonly correlationId: number
  readonly session: Session
  readonly broker: Broker
  readonly frame: Frame
  holds = 0
  answer: OutgoingAnswer | undefined
  readonly #owner: RequestOwner

  constructor(
    owner: RequestOwner,
    of: { api: Api; version: number; correlationId: number; session: Session; frame: Frame },
  ) {
    const { broker } = owner.shared
    assert(broker, 'Requests start when the door serves')
    this.#owner = owner
    this.api = of.api
    this.version = of.version
    this.correlationId = of.correlationId
    this.session = of.session
    this.broker = broker
    this.frame = of.frame
  }

  get clock(): Clock {
    return this.#owner.shared.clock
  }

  get listener(): ClientListener {
    return this.#owner.listener
  }

  get apis(): RequestContext['apis'] {
    return this.#owner.shared.apis.ranges
  }

  get signal(): AbortSignal {
    return this.#owner.signal()
  }

  hold(): () => void {
    this.holds++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.holds--
      this.#owner.advance()
    }
  }
}

/** The owner of one accepted connection. */
export class Connection implements TcpEvents {
  readonly clientAddress: string
  readonly #shared: ConnectionShared
  readonly #socket: TcpConnection
  readonly #owner: RequestOwner
  readonly #frames: FrameReader
  readonly #goOn = () => this.#advance()
  /** In the order of their requests. */
  readonly #running: Running[] = []
  /** Cut from the stream, but not yet allowed to start. */
  #next: Frame | undefined
  #isReading = false
  /** The socket still has bytes that the peer has not made room for. */
  #isBlocked = false
  #isAdvancing = false
  #state: 'open' | 'finishing' | 'closed' = 'open'
  /** The peer sends no more. */
  #hasEnded = false
  #hasFailed = false
  #countedBytes = 0
  #lastActiveMs: number
  #abort: AbortController | undefined
  #session: Session

  constructor(shared: ConnectionShared, socket: TcpConnection, listener: ClientListener) {
    this.#shared = shared
    this.#socket = socket
    this.#owner = {
      ...{ shared, listener },
      signal: () => this.#signal(),
      advance: this.#goOn,
    }
    this.clientAddress = socket.remoteAddress
    this.#frames = new FrameReader(shared.maxRequestBytes)
    this.#lastActiveMs = shared.clock.monotonic()
    this.#session = { ...ANONYMOUS, clientAddress: socket.remoteAddress }
  }

  /** Begins to read, unless the door does not serve yet: then again when it does. */
  opened(): void {
    this.#advance()
  }

  /** Since when nothing has moved; undefined while a request is being worked on. */
  get idleSinceMs(): number | undefined {
    return this.#isWorking() ? undefined : this.#lastActiveMs
  }

  /** Whether nothing is left but for the peer to close its side too. */
  get isFinishing(): boolean {
    return this.#state === 'finishing'
  }

  /** Lets go of memory that is kept for further requests. */
  trim(): void {
    this.#frames.trim()
  }

  /** Starts no further request; ends when the answers of those under way have left. Their waits end now. */
  finish(): void {
    if (this.#state !== 'open') return
    if (!this.#shared.broker) {
      this.close()
      return
    }
    this.#state = 'finishing'
    this.#abort?.abort()
    this.#advance()
  }

  /** Closes at once. A reason is said. */
  close(reason?: string): void {
    if (this.#state === 'closed') return
    if (reason !== undefined) this.#say(reason)
    this.#socket.destroy()
    this.closed()
  }

  data(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#lastActiveMs = this.#shared.clock.monotonic()
    this.#frames.push(bytes)
    this.#advance()
  }

  drained(): void {
    this.#lastActiveMs = this.#shared.clock.monotonic()
    this.#isBlocked = false
    this.#advance()
  }

  /**
   * A peer that has closed its side waits for nothing any more. What it sent before is still done, in order: a producer
   * that wants no answers may have left at once.
   */
  ended(): void {
    this.#hasEnded = true
    this.#abort?.abort()
    this.#advance()
    // Nothing of it has been begun, nor will be before the door serves.
    if (!this.#shared.broker) this.close()
  }

  closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#shared.memory.forget(this.#goOn)
    this.#abort?.abort()
    for (const { answer } of this.#running) answer?.release()
    this.#running.length = 0
    this.#next = undefined
    this.#count(0)
    this.#shared.onClosed(this)
  }

  /** Starts what may be started, sends what may be sent, and reads on if there is room. Everything ends up here. */
  #advance(): void {
    if (this.#isAdvancing || !this.#shared.broker) return
    this.#isAdvancing = true
    try {
      // Answers that are there may be all that keeps the next request from starting.
      while (this.#startNext() || this.#flush(0)) this.#flush(FLUSH_BYTES)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isAdvancing = false
    }
    this.#flush(0)
    this.#count(this.#heldBytes())
    this.#setReading()
    this.#endIfDone()
  }

  /** Starts one request; false when there is none, or none may be started now. */
  #startNext(): boolean {
    if (this.#state !== 'open' || this.#isBlocked) return false
    if (this.#next === undefined && this.#mayBegin()) this.#next = this.#frames.next()
    const frame = this.#next
    if (frame === undefined) return false
    const reader = new ByteReader(frame.bytes)
    const api = this.#shared.apis.get(reader.int16())
    if (!this.#mayStart(api)) return false
    this.#next = undefined
    this.#start(frame, reader, api)
    return true
  }

  /** Whether memory allows for one more request; one that is partly here is always finished. */
  #mayBegin(): boolean {
    const { memory } = this.#shared
    if (this.#frames.assemblingBytes > 0 || !memory.isFull()) return true
    memory.wait(this.#goOn)
    return false
  }

  #mayStart(api: Api | undefined): boolean {
    if (this.#running.length >= MAX_PIPELINED) return false
    let answerBytes = 0
    let requestBytes = 0
    for (const { answer, api: earlier, holds, frame } of this.#running) {
      if (answer) answerBytes += answer.sizeInBytes
      else if (holds > 0 || !earlier.isPipelined || api?.isPipelined !== true) return false
      else requestBytes += frame.bytes.length
    }
    return answerBytes <= MAX_WAITING_ANSWER_BYTES && requestBytes <= MAX_PIPELINED_BYTES
  }

  /** Decodes and hands over. What does not parse, or is not served, throws. The reader stands behind the API's key. */
  #start(frame: Frame, reader: ByteReader, api: Api | undefined): void {
    const version = reader.int16()
    if (!api) {
      reader.position = 0
      throw new ClosesConnection(`API ${reader.int16()} is not served`)
    }
    const isServed = version >= api.versions[0] && version <= api.versions[1]
    if (!isServed && !api.refuseVersion) {
      throw new ClosesConnection(`Version ${version} of API ${api.key} is not served`)
    }
    reader.position = 0
    const { correlationId, clientId } = RequestHeader.read(
      reader,
      api.requestHeaderVersion(version),
    )
    const session = this.#sessionOf(clientId ?? '')
    const running = new Running(this.#owner, { api, version, correlationId, session, frame })
    if (!isServed) {
      this.#running.push(running)
      const answer = api.refuseVersion?.(running)
      running.answer = encodeAnswer({ api, version: 0, correlationId }, answer)
      this.#frames.recycle(frame)
      return
    }
    const request = api.decode(reader, version)
    this.#running.push(running)
    this.#handle(running, request)
  }

  #handle(running: Running, request: unknown): void {
    let answer: unknown
    try {
      answer = running.api.handle(running, request)
    } catch (error) {
      this.#refuse(running, error, request)
      return
    }
    if (!(answer instanceof Promise)) {
      this.#answer(running, answer)
      return
    }
    answer.then(
      (value) => {
        this.#answer(running, value)
        this.#advance()
      },
      (error) => {
        this.#refuse(running, error, request)
        this.#advance()
      },
    )
  }

  #refuse(running: Running, error: unknown, request: unknown): void {
    let answer: unknown
    try {
      answer = refusal(running.api, error, request, running)
    } catch (failure) {
      this.#failAt(running, failure)
      return
    }
    this.#answer(running, answer)
  }

  /** Keeps the answer until its turn. */
  #answer(running: Running, value: unknown): void {
    try {
      const answer = encodeAnswer(running, value)
      running.answer = answer
      this.#frames.recycle(running.frame)
      // It may have been given up meanwhile, with its connection or behind one that could not be answered.
      if (!this.#running.includes(running)) answer.release()
    } catch (error) {
      this.#failAt(running, error)
    }
  }

  /** Without this answer the connection can't go on: clients match answers by their order. */
  #failAt(running: Running, error: unknown): void {
    const at = this.#running.indexOf(running)
    // Nor can what came behind it be answered.
    if (at !== -1) for (const { answer } of this.#running.splice(at)) answer?.release()
    this.#fail(error instanceof KafkaError ? new Error(error.message, { cause: error }) : error)
  }

  /** Gives the socket the answers that are next in order, once they are `leastBytes`; false when there were none. */
  #flush(leastBytes: number): boolean {
    let count = 0
    let bytes = 0
    for (const { answer } of this.#running) {
      if (!answer) break
      bytes += answer.sizeInBytes
      count++
    }
    if (count === 0 || bytes < leastBytes || this.#state === 'closed') return false
    const answers = this.#running.splice(0, count)
    if (bytes === 0) return true
    this.#lastActiveMs = this.#shared.clock.monotonic()
    const isDrained = this.#write(answers)
    if (!isDrained) this.#isBlocked = true
    return true
  }

  #write(answered: readonly Running[]): boolean {
    const [first] = answered
    // Mostly there is one.
    if (answered.length === 1 && first?.answer) {
      return this.#socket.write(first.answer.chunks, first.answer.release)
    }
    const answers = answered.map(({ answer }) => answer as OutgoingAnswer)
    const chunks = answers.flatMap((answer) => answer.chunks)
    return this.#socket.write(chunks, () => {
      for (const answer of answers) answer.release()
    })
  }

  #setReading(): void {
    if (this.#state === 'closed') return
    const hasRoom = this.#next === undefined && !this.#isBlocked && this.#mayBegin()
    const shouldRead = this.#state === 'open' && hasRoom
    if (shouldRead === this.#isReading) return
    this.#isReading = shouldRead
    if (shouldRead) this.#socket.resume()
    else this.#socket.pause()
  }

  #endIfDone(): void {
    if (this.#running.length > 0) return
    const hasRest = this.#next !== undefined || this.#isBlocked
    if (this.#state === 'open' && this.#hasEnded && !hasRest && this.#mayBegin()) {
      this.#state = 'finishing'
    }
    if (this.#state === 'finishing') this.#socket.end()
  }

  /** Closes because of malformed input, at a handler's wish or after a bug; answers of earlier requests leave first. */
  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    const isExpected = error instanceof ClosesConnection || error instanceof KafkaError
    // One reason closes it; what was under way may fail after that, and only a bug is worth a further line.
    if (!isExpected) this.#say(`Bug: ${stackOf(error)}`)
    else if (!this.#hasFailed) this.#say(error.message)
    this.#hasFailed = true
    if (this.#running.length > 0) this.finish()
    else this.close()
  }

  #say(reason: string): void {
    const { remoteAddress, remotePort } = this.#socket
    this.#shared.say(`Closed the connection from ${remoteAddress}:${remotePort}: ${reason}`)
  }

  #isWorking(): boolean {
    return this.#running.some(({ answer }) => answer === undefined)
  }

  #heldBytes(): number {
    if (this.#state === 'closed') return 0
    let bytes = this.#frames.assemblingBytes + (this.#next?.bytes.length ?? 0)
    for (const { answer, frame } of this.#running) if (!answer) bytes += frame.bytes.length
    return bytes
  }

  #count(bytes: number): void {
    const change = bytes - this.#countedBytes
    this.#countedBytes = bytes
    if (change !== 0) this.#shared.memory.add(change)
  }

  #sessionOf(clientId: string): Session {
    if (clientId !== this.#session.clientId) this.#session = { ...this.#session, clientId }
    return this.#session
  }

  #signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#state !== 'open' || this.#hasEnded) this.#abort.abort()
    return this.#abort.signal
  }
}

/** The answer to a refused request; what is no refusal is thrown on. */
function refusal(api: Api, error: unknown, request: unknown, context: RequestContext): unknown {
  if (error instanceof KafkaError) return api.refuse(error, request, context)
  if (!(error instanceof StorageFault)) throw error
  const refused = new KafkaError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
  return api.refuse(refused, request, context)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
