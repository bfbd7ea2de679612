// Bun.listen as the TCP layer: small and 16 KiB requests cost half the CPU time that they do through Bun's node:net.
import { listenError } from './serve.ts'
import { setSendBuffer } from './socket-buffers.ts'
import {
  plainAddress,
  type TcpConnection,
  type TcpEvents,
  type TcpListen,
  type TcpListener,
  type TcpListenOptions,
} from './tcp.ts'
import { type Piece, TcpQueue } from './tcp-queue.ts'

interface BunSocket {
  data: BunConnection
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** The bytes that the system took; negative when the socket is closed. */
  write(bytes: Uint8Array, offset: number, length: number): number
  pause(): void
  resume(): void
  /** Sends FIN. */
  shutdown(): void
  /** Closes; what the system has is still sent. */
  end(): void
  /** Closes with a reset, which takes from the peer what is still on its way. */
  terminate(): void
  setNoDelay(isOn: boolean): void
  setKeepAlive(isOn: boolean): void
}

interface BunListener {
  readonly fd?: number
  readonly port: number
  stop(closesConnections: boolean): void
}

declare const Bun: { listen(options: object): BunListener }

/** Listens with Bun.listen. The backlog is Bun's own, 512. */
export const listen: TcpListen = (options, accept) =>
  new Promise((resolve) => resolve(start(options, accept)))

function start(
  { host, port, sendBufferBytes = -1 }: TcpListenOptions,
  accept: (connection: TcpConnection) => TcpEvents,
): TcpListener {
  const listener = bind(host, port, accept)
  setSendBuffer(listener.fd, sendBufferBytes)
  return {
    adapter: 'Bun.listen',
    host,
    port: listener.port,
    close() {
      listener.stop(false)
      return Promise.resolve()
    },
  }
}

function bind(host: string, port: number, accept: (connection: TcpConnection) => TcpEvents) {
  const socket = {
    binaryType: 'uint8array',
    open(opened: BunSocket) {
      opened.data = new BunConnection(opened)
      opened.data.start(accept(opened.data))
    },
    data: ({ data }: BunSocket, bytes: Uint8Array) => data.received(bytes),
    drain: ({ data }: BunSocket) => data.drained(),
    end: ({ data }: BunSocket) => data.ended(),
    close: ({ data }: BunSocket) => data.closed(),
    // What follows an error is `close`.
    error: () => undefined,
  }
  const on = (hostname: string) => Bun.listen({ hostname, port, allowHalfOpen: true, socket })
  try {
    return host === '' ? onEveryAddress(on) : on(host)
  } catch (error) {
    throw listenError(error, { host, port })
  }
}

/** IPv6, which takes IPv4 connections too; IPv4 alone where the machine has no IPv6. */
function onEveryAddress(on: (hostname: string) => BunListener): BunListener {
  try {
    return on('::')
  } catch {
    return on('0.0.0.0')
  }
}

class BunConnection implements TcpConnection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #socket: BunSocket
  readonly #queue = new TcpQueue()
  /** What the socket has taken a part of, up to `#position`. */
  #piece: Piece | undefined
  #position = 0
  #isEnding = false
  #hasEnded = false
  #isClosed = false
  #mustTellDrained = false
  #events: TcpEvents | undefined

  constructor(socket: BunSocket) {
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort
    this.localAddress = plainAddress(socket.localAddress)
    this.localPort = socket.localPort
  }

  start(events: TcpEvents): void {
    this.#events = events
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true)
    if (this.#isClosed) return
    this.#socket.pause()
    events.opened()
  }

  write(chunks: readonly Uint8Array[], onTaken?: () => void): boolean {
    if (this.#isClosed || this.#isEnding) {
      onTaken?.()
      return true
    }
    this.#queue.push(chunks, onTaken)
    if (this.#pump()) return true
    this.#mustTellDrained = true
    return false
  }

  pause(): void {
    if (!this.#isClosed) this.#socket.pause()
  }

  resume(): void {
    if (!this.#isClosed) this.#socket.resume()
  }

  end(): void {
    this.#isEnding = true
    if (!this.#isClosed) this.#pump()
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#socket.terminate()
    this.closed()
  }

  received(bytes: Uint8Array): void {
    this.#events?.data(bytes)
  }

  drained(): void {
    if (this.#isClosed || !this.#pump() || !this.#mustTellDrained) return
    this.#mustTellDrained = false
    this.#events?.drained()
  }

  ended(): void {
    this.#hasEnded = true
    this.#events?.ended()
  }

  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#piece?.onTaken?.()
    this.#piece = undefined
    this.#queue.clear()
    this.#events?.closed()
  }

  /** Writes until the system takes no more; true when it has everything. */
  #pump(): boolean {
    for (;;) {
      this.#piece ??= this.#queue.next()
      if (!this.#piece) break
      const { bytes, onTaken } = this.#piece
      const taken = this.#socket.write(bytes, this.#position, bytes.length - this.#position)
      if (taken < 0) {
        // The peer has reset the connection. Of one that is paused Bun never says so, and would keep it for good.
        this.destroy()
        return false
      }
      this.#position += taken
      if (this.#position < bytes.length) return false
      this.#piece = undefined
      this.#position = 0
      onTaken?.()
    }
    if (this.#isEnding) this.#end()
    return true
  }

  #end(): void {
    // Closing with bytes unread would be a reset, which takes what was sent from the peer: read on until it ends too.
    if (this.#hasEnded) this.#socket.end()
    else {
      this.#socket.shutdown()
      this.#socket.resume()
    }
  }
}
