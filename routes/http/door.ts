// What every route is built with: the broker, the clock, the limits, and who is asking.
import type { Context } from 'hono'
import type { Session } from '#src/access/session.ts'
import type { Broker, TopicDescription } from '#src/broker/broker.ts'
import type { HttpCounters } from '#src/metrics/http-counters.ts'
import type { RequestEnvironment, UpgradeLoader } from '#src/platform/serve.ts'
import type { Clock } from '#storage/base/world.ts'
import type { ConsumerInstances } from './consumers/instances.ts'
import { HttpError } from './errors.ts'
import type { Gather } from './gather.ts'
import type { Patience } from './patience.ts'

/** Hono's type parameters of this door. The environment is empty when a request comes without a socket. */
export interface Env {
  Bindings: Partial<RequestEnvironment>
}

/** The door's limits and habits. Every one has a default in `HTTP_DEFAULTS`. */
export interface HttpConfig {
  /** `millrace.http.max.request.bytes`: the largest body that is taken whole, and the longest line of a streamed one. */
  readonly maxRequestBytes: number
  /** The most records in a body that is taken whole. */
  readonly maxRequestRecords: number
  /** A body that is taken whole may pause for so long. */
  readonly bodyTimeoutMs: number
  /** The most stored bytes that one read decodes, whatever `max_bytes` says. */
  readonly maxReadBytes: number
  /** The most records in one answer, whatever `max_records` says. */
  readonly maxReadRecords: number
  /** The longest that a read waits, whatever `timeout` says. */
  readonly maxWaitMs: number
  /** `millrace.http.max.streams`: tails, waiting reads and streamed uploads at the same time. */
  readonly maxStreams: number
  /** `millrace.http.max.consumers`: consumer instances at the same time. */
  readonly maxConsumers: number
  /** `millrace.http.consumer.instance.timeout.ms`: a consumer instance that nobody has used for so long leaves its group. */
  readonly consumerTimeoutMs: number
  /** An idle tail shows that it is alive this often. */
  readonly heartbeatMs: number
  /** `millrace.http.cors.origins`: web pages that may use this broker, such as `https://example.org`; `*` is all. */
  readonly corsOrigins: readonly string[]
  /** Whether the door listens on a loopback address, where `Host` must be local or one of `allowedHosts`. */
  readonly isLoopback: boolean
  /** `millrace.http.allowed.hosts`: further names under which a loopback door is reached, without port. */
  readonly allowedHosts: readonly string[]
}

/** Limits that suit a broker of tens of megabytes. */
export const HTTP_DEFAULTS: HttpConfig = {
  maxRequestBytes: 64 * 1024 * 1024,
  maxRequestRecords: 100_000,
  bodyTimeoutMs: 30_000,
  maxReadBytes: 16 * 1024 * 1024,
  maxReadRecords: 10_000,
  maxWaitMs: 60_000,
  maxStreams: 1_000,
  maxConsumers: 1_000,
  consumerTimeoutMs: 300_000,
  heartbeatMs: 15_000,
  corsOrigins: [],
  isLoopback: true,
  allowedHosts: [],
}

/** What the routes share. `upgrade` is there once a server has mounted its WebSockets. */
export interface Door {
  readonly broker: Broker
  readonly clock: Clock
  readonly config: HttpConfig
  readonly session: Session
  readonly counters: HttpCounters
  readonly streams: StreamSlots
  readonly consumers: ConsumerInstances
  readonly gather: Gather
  /** How long small bodies may take. */
  readonly bodies: Patience
  upgrade: UpgradeLoader | undefined
}

/** The session of a request. */
export function sessionOf(door: Door, c: Context<Env>): Session {
  const clientId = c.req.raw.headers.get('user-agent') ?? door.session.clientId
  return new RequestSession(door.session.principal, clientId, c.env.clientAddress)
}

/** The address costs a call into the runtime, and only logs and quotas ask for it. */
class RequestSession implements Session {
  readonly principal: string
  readonly clientId: string
  readonly #address: (() => string) | undefined

  constructor(principal: string, clientId: string, address: (() => string) | undefined) {
    this.principal = principal
    this.clientId = clientId
    this.#address = address
  }

  get clientAddress(): string {
    return this.#address?.() ?? ''
  }
}

/** Aborts when the client of a request is lost. */
export function lostSignal(c: Context<Env>): AbortSignal {
  return c.env.lostSignal?.() ?? c.req.raw.signal
}

/** A topic that exists, once all its partitions can be used. Throws UNKNOWN_TOPIC_OR_PARTITION; creates nothing. */
export function existingTopic(
  broker: Broker,
  session: Session,
  name: string,
): Promise<TopicDescription> {
  broker.describeTopic(session, name)
  return broker.ensureTopic(session, name)
}

/** A stream that holds one of the door's slots. */
export interface StreamSlot {
  /** Aborts when the door stops. */
  readonly signal: AbortSignal
  /** Gives the slot back; again is harmless. */
  release(): void
}

/** The bounded number of streams that a door keeps open, and the way to end them all. */
export class StreamSlots {
  readonly #max: number
  readonly #stopping = new AbortController()
  #open = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Streams that are open now. */
  get open(): number {
    return this.#open
  }

  /** Takes a slot. Throws 503 when all are taken or the door is stopping. */
  take(): StreamSlot {
    if (this.#stopping.signal.aborted) throw new HttpError(50301, 'The broker is stopping')
    if (this.#open >= this.#max) {
      throw new HttpError(50302, `All ${this.#max} streams are taken`, { 'retry-after': '5' })
    }
    this.#open += 1
    let isHeld = true
    return {
      signal: this.#stopping.signal,
      release: () => {
        if (isHeld) this.#open -= 1
        isHeld = false
      },
    }
  }

  /** Ends every stream, for good. */
  stop(): void {
    this.#stopping.abort()
  }
}
