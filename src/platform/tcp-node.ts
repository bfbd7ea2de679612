// node:net as the TCP layer. Answers leave in pieces: a large one never fills the process with copies.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { listenError } from './serve.ts'
import type { TcpConnection, TcpEvents, TcpListen } from './tcp.ts'

/** Larger writes cost Bun twice the CPU time. */
const PIECE_BYTES = 256 * 1024
/** Chunks below this are copied together: one write, and one system call, for many. */
const SMALL_CHUNK_BYTES = 16 * 1024
const GATHERED_BYTES = 64 * 1024
const IPV4_IN_IPV6 = '::ffff:'

/** Listens on this runtime's node:net. */
export const listen: TcpListen = async ({ host, port, backlog }, accept) => {
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
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close() {
      // The server counts as closed when its last connection is; the port is free at once.
      server.close()
      return Promise.resolve()
    },
  }
}

/** Chunks in the order of their writes; `onTaken` belongs to the last one of a write. */
interface Outgoing {
  readonly bytes: Uint8Array
  readonly onTaken: (() => void) | undefined
}

class NodeConnection implements TcpConnection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #socket: Socket
  readonly #queue: Outgoing[] = []
  /** Bytes of the first chunk that are already with the socket. */
  #sent = 0
  /** Given to the socket and not yet taken, so not in the queue any more. */
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
    socket.on('data', (bytes) => events.data(bytes))
    socket.on('end', () => events.ended())
    socket.on('drain', () => this.#drained())
    // What follows an error is `close`.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
    socket.pause()
    if (socket.destroyed) this.#closed()
    else events.opened()
  }

  write(chunks: readonly Uint8Array[], onTaken?: () => void): boolean {
    if (this.#socket.destroyed || this.#isEnding || chunks.length === 0) {
      onTaken?.()
      return true
    }
    const last = chunks.length - 1
    for (const [at, bytes] of chunks.entries()) {
      this.#queue.push({ bytes, onTaken: at === last ? onTaken : undefined })
    }
    this.#pump()
    const hasDrained = this.#queue.length === 0 && !this.#isFull
    if (!hasDrained) this.#mustTellDrained = true
    return hasDrained
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
    while (this.#queue.length > 0 && !this.#isFull) this.#writePiece()
    this.#endIfSent()
  }

  #writePiece(): void {
    const [first] = this.#queue
    if (first === undefined) return
    if (this.#sent === 0 && first.bytes.length <= SMALL_CHUNK_BYTES) {
      this.#writeSmall(first)
      return
    }
    const end = Math.min(this.#sent + PIECE_BYTES, first.bytes.length)
    const piece = first.bytes.subarray(this.#sent, end)
    const isLast = end === first.bytes.length
    if (isLast) this.#queue.shift()
    this.#sent = isLast ? 0 : end
    this.#give(piece, isLast ? first.onTaken : undefined)
  }

  /** A small chunk alone goes as it is; several go as one. */
  #writeSmall(first: Outgoing): void {
    let count = 0
    let size = 0
    for (const { bytes } of this.#queue) {
      if (bytes.length > SMALL_CHUNK_BYTES || size + bytes.length > GATHERED_BYTES) break
      size += bytes.length
      count++
    }
    const gathered = this.#queue.splice(0, count)
    if (count === 1) {
      this.#give(first.bytes, first.onTaken)
      return
    }
    const joined = new Uint8Array(size)
    let position = 0
    for (const { bytes } of gathered) {
      joined.set(bytes, position)
      position += bytes.length
    }
    this.#give(joined, undefined)
    for (const { onTaken } of gathered) onTaken?.()
  }

  #give(piece: Uint8Array, onTaken: (() => void) | undefined): void {
    if (onTaken) this.#underway.add(onTaken)
    const mayGoOn = this.#socket.write(piece, () => {
      if (onTaken && this.#underway.delete(onTaken)) onTaken()
    })
    if (!mayGoOn) this.#isFull = true
  }

  #drained(): void {
    this.#isFull = false
    this.#pump()
    if (this.#queue.length > 0 || this.#isFull || !this.#mustTellDrained) return
    this.#mustTellDrained = false
    this.#events?.drained()
  }

  #endIfSent(): void {
    if (!this.#isEnding || this.#queue.length > 0 || this.#socket.writableEnded) return
    // Closing with bytes unread would be a reset, which takes what was sent from the peer: read on until it ends too.
    this.#socket.end()
    this.#socket.resume()
  }

  #closed(): void {
    for (const onTaken of this.#underway) onTaken()
    this.#underway.clear()
    for (const { onTaken } of this.#queue.splice(0)) onTaken?.()
    this.#events?.closed()
  }
}

function plainAddress(address = ''): string {
  return address.startsWith(IPV4_IN_IPV6) ? address.slice(IPV4_IN_IPV6.length) : address
}
