// node:net as the TCP layer, on Node and Deno.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { listenError } from './serve.ts'
import { setSendBuffer } from './socket-buffers.ts'
import { plainAddress, type TcpConnection, type TcpEvents, type TcpListen } from './tcp.ts'
import { TcpQueue } from './tcp-queue.ts'

/** Listens with node:net. */
export const listen: TcpListen = async ({ host, port, backlog, sendBufferBytes = -1 }, accept) => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    const connection = new NodeConnection(socket)
    connection.start(accept(connection))
  })
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(listenError(cause, { host, port }))
    server.once('error', fail)
    server.listen({ port, backlog, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', fail)
      // Too many open files: the connection is lost, the listener goes on.
      server.on('error', () => undefined)
      resolve()
    })
  })
  setSendBuffer(descriptorOf(server), sendBufferBytes)
  return {
    adapter: 'node:net',
    host,
    port: (server.address() as AddressInfo).port,
    close() {
      // The server counts as closed when its last connection is; the port is free at once.
      server.close()
      return Promise.resolve()
    },
  }
}

/** Undefined on Deno, which does not tell. */
function descriptorOf(server: Server): number | undefined {
  return (server as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd
}

class NodeConnection implements TcpConnection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #socket: Socket
  readonly #queue = new TcpQueue()
  /** Of pieces that the socket has and the system may not have yet. */
  readonly #underway = new Set<() => void>()
  #isFull = false
  #isEnding = false
  #mustTellDrained = false
  #events: TcpEvents | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.localAddress = plainAddress(socket.localAddress)
    this.localPort = socket.localPort ?? 0
  }

  start(events: TcpEvents): void {
    this.#events = events
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    // No Buffer: its slice() is a view.
    socket.on('data', ({ buffer, byteOffset, byteLength }) => {
      events.data(new Uint8Array(buffer, byteOffset, byteLength))
    })
    socket.on('end', () => events.ended())
    socket.on('drain', () => this.#drained())
    // What follows an error is `close`.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
    socket.pause()
    if (!socket.destroyed) events.opened()
  }

  write(chunks: readonly Uint8Array[], onTaken?: () => void): boolean {
    if (this.#socket.destroyed || this.#isEnding) {
      onTaken?.()
      return true
    }
    this.#queue.push(chunks, onTaken)
    this.#pump()
    const isDrained = this.#queue.isEmpty && !this.#isFull
    if (!isDrained) this.#mustTellDrained = true
    return isDrained
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#isEnding = true
    this.#endIfSent()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #pump(): void {
    while (!this.#isFull) {
      const piece = this.#queue.next()
      if (!piece) break
      this.#give(piece.bytes, piece.onTaken)
    }
    this.#endIfSent()
  }

  #give(bytes: Uint8Array, onTaken: (() => void) | undefined): void {
    if (onTaken) this.#underway.add(onTaken)
    const mayGoOn = this.#socket.write(bytes, () => {
      if (onTaken && this.#underway.delete(onTaken)) onTaken()
    })
    if (!mayGoOn) this.#isFull = true
  }

  #drained(): void {
    this.#isFull = false
    this.#pump()
    if (!this.#queue.isEmpty || this.#isFull || !this.#mustTellDrained) return
    this.#mustTellDrained = false
    this.#events?.drained()
  }

  #endIfSent(): void {
    if (!this.#isEnding || !this.#queue.isEmpty || this.#socket.writableEnded) return
    // Closing with bytes unread would be a reset, which takes what was sent from the peer: read on until it ends too.
    this.#socket.end()
    this.#socket.resume()
  }

  #closed(): void {
    for (const onTaken of this.#underway) onTaken()
    this.#underway.clear()
    this.#queue.clear()
    this.#events?.closed()
  }
}
