// The Kafka door: TCP listeners whose connections speak Kafka's protocol.
//
// Life: `openKafkaDoor` binds every listener, so that its port is known before the broker registers; `serve` lets clients in;
// `stop` lets answers under way leave and closes the rest. Neighbours: `mod.ts` starts it, connections do the work.
import type { Broker } from '#src/broker/broker.ts'
import type { TcpConnection, TcpEvents, TcpListen, TcpListener } from '#src/platform/tcp.ts'
import type { Clock, Timer } from '#storage/base/world.ts'
import type { Api } from './api.ts'
import { Connection, type ConnectionShared } from './connection.ts'
import { type ConnectionLimitOptions, ConnectionLimits } from './connection-limits.ts'
import { APIS, ApiTable } from './dispatch.ts'
import { RequestMemory } from './request-memory.ts'

/** The time that answers under way have to leave when the door stops, unless told otherwise. */
const DRAIN_MS = 5_000
/** How long a connection that was closed in order may wait for its peer to close too. */
const LINGER_MS = 5_000
const LONGEST_SWEEP_MS = 5_000

/** One listener. */
export interface KafkaListenerOptions {
  /** As in `listeners`, in upper case. */
  readonly name: string
  /** A name or address; IPv6 addresses without brackets. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** What clients are told; the address that they came to when left out. */
  readonly advertised?: { readonly host: string; readonly port: number } | undefined
}

/** The limits of the door, by Kafka's names in camel case. */
export interface KafkaDoorConfig extends ConnectionLimitOptions {
  readonly socketRequestMaxBytes: number
  readonly connectionsMaxIdleMs: number
  readonly queuedMaxRequestBytes: number
  readonly socketListenBacklogSize: number
  readonly socketSendBufferBytes: number
}

/** What the door needs. */
export interface KafkaDoorOptions {
  readonly listeners: readonly KafkaListenerOptions[]
  readonly config: KafkaDoorConfig
  readonly listen: TcpListen
  readonly clock: Clock
  /** Told, a line each, why connections were closed. */
  readonly say: (line: string) => void
  /** The APIs to serve; all that there are when left out. */
  readonly apis?: readonly Api[]
}

/** A listener that is bound. */
export interface BoundListener extends KafkaListenerOptions {
  /** The port that the system chose, where it was left to it. */
  readonly port: number
}

/** Binds every listener. Throws a plain Error with a clear sentence when an address can't be had; nothing is bound then. */
export async function openKafkaDoor(options: KafkaDoorOptions): Promise<KafkaDoor> {
  const door = new KafkaDoor(options)
  try {
    for (const listener of options.listeners) await door.bind(listener)
  } catch (error) {
    await door.stop({ drainMs: 0 })
    throw error
  }
  return door
}

/** The door, made by `openKafkaDoor`. */
export class KafkaDoor {
  readonly #options: KafkaDoorOptions
  readonly #bound: BoundListener[] = []
  readonly #sockets: TcpListener[] = []
  readonly #limits: ConnectionLimits
  readonly #shared: ConnectionShared
  readonly #connections = new Set<Connection>()
  #sweepTimer: Timer | undefined
  #onEmpty: (() => void) | undefined
  #stopped: Promise<void> | undefined

  /** Use `openKafkaDoor`. */
  constructor(options: KafkaDoorOptions) {
    const { config, clock, say } = options
    const { queuedMaxRequestBytes } = config
    this.#options = options
    this.#limits = new ConnectionLimits(config)
    this.#shared = {
      broker: undefined,
      clock,
      apis: new ApiTable(options.apis ?? APIS),
      memory: new RequestMemory(queuedMaxRequestBytes < 0 ? Infinity : queuedMaxRequestBytes),
      maxRequestBytes: config.socketRequestMaxBytes,
      say,
      onClosed: (connection) => this.#closed(connection),
    }
  }

  /** In the order in which they were given. */
  get listeners(): readonly BoundListener[] {
    return this.#bound
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Bytes of requests that are held now. */
  get queuedRequestBytes(): number {
    return this.#shared.memory.usedBytes
  }

  /** Binds one more listener. Its clients wait until `serve`. */
  async bind(listener: KafkaListenerOptions): Promise<void> {
    const { listen, config } = this.#options
    const { host } = listener
    const { socketListenBacklogSize: backlog, socketSendBufferBytes: sendBufferBytes } = config
    const at = { host, port: listener.port, backlog, sendBufferBytes }
    const socket = await listen(at, (connection) => this.#accept(listener, connection))
    this.#sockets.push(socket)
    this.#bound.push({ ...listener, port: socket.port })
  }

  /** Lets clients in. */
  serve(broker: Broker): void {
    this.#shared.broker = broker
    for (const connection of this.#connections) connection.opened()
    this.#sweep()
  }

  /**
   * Accepts no more, ends waits, gives answers under way `drainMs` to leave, then cuts what is left. Resolves when no
   * connection is left. Again is allowed.
   */
  stop({ drainMs = DRAIN_MS }: { drainMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(drainMs)
    return this.#stopped
  }

  async #stop(drainMs: number): Promise<void> {
    this.#sweepTimer?.cancel()
    await Promise.all(this.#sockets.map((socket) => socket.close()))
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    for (const connection of [...this.#connections]) connection.finish()
    if (this.#connections.size === 0) return
    const timer = this.#options.clock.after(drainMs, () => {
      for (const connection of [...this.#connections]) connection.close()
    })
    await empty
    timer.cancel()
  }

  #accept(listener: KafkaListenerOptions, socket: TcpConnection): TcpEvents {
    const { remoteAddress, localAddress, localPort } = socket
    const { host, port } = listener.advertised ?? { host: localAddress, port: localPort }
    const connection = new Connection(this.#shared, socket, { name: listener.name, host, port })
    const refusal = this.#limits.add(remoteAddress)
    if (refusal === undefined) this.#connections.add(connection)
    else connection.close(refusal)
    if (this.#stopped !== undefined) connection.close()
    return connection
  }

  #closed(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    this.#limits.remove(connection.clientAddress)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  /** Closes what has been idle for too long, and frees the memory of what is idle. */
  #sweep(): void {
    const { clock, config } = this.#options
    const idleMs = config.connectionsMaxIdleMs < 0 ? Infinity : config.connectionsMaxIdleMs
    const intervalMs = Math.min(LONGEST_SWEEP_MS, Math.max(1, idleMs / 4))
    this.#sweepTimer = clock.after(intervalMs, () => {
      const now = clock.monotonic()
      for (const connection of [...this.#connections]) {
        const { idleSinceMs } = connection
        if (idleSinceMs === undefined) continue
        const idle = now - idleSinceMs
        if (idle >= (connection.isFinishing ? Math.min(LINGER_MS, idleMs) : idleMs)) {
          connection.close()
        } else if (idle >= intervalMs) {
          connection.trim()
        }
      }
      this.#sweep()
    })
  }
}
