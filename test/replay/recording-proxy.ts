// Stands between clients and a broker and keeps every request and every answer, whole, in the order in which they passed.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A request or an answer, without its length. */
export interface PassedFrame {
  /** Which connection, counted from 0 over the whole recording. */
  readonly connection: number
  readonly kind: 'request' | 'answer'
  readonly bytes: Uint8Array
}

/** A proxy on a free port of loopback. */
export class RecordingProxy {
  readonly port: number
  /** Where connections are passed to. */
  upstreamPort = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #frames: PassedFrame[] = []
  #connections = 0

  /** Use `openRecordingProxy`. */
  constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (client) => this.#connect(client))
  }

  /** What has passed since the last call. */
  take(): PassedFrame[] {
    const frames = this.#frames
    this.#frames = []
    return frames
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #connect(client: Socket): void {
    const broker = connect(this.upstreamPort, '127.0.0.1')
    const connection = this.#connections++
    for (const [from, to, kind] of [
      [client, broker, 'request'],
      [broker, client, 'answer'],
    ] as const) {
      const cutter = new FrameCutter((bytes) => this.#frames.push({ connection, kind, bytes }))
      from.setNoDelay(true)
      this.#sockets.add(from)
      // Kept before it is passed on: so an answer never stands before its request.
      from.on('data', (bytes) => {
        cutter.take(bytes as Uint8Array)
        to.write(bytes)
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}

/** Opens one. */
export async function openRecordingProxy(): Promise<RecordingProxy> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return new RecordingProxy(server, address.port)
}

class FrameCutter {
  readonly #onFrame: (bytes: Uint8Array) => void
  #received: Uint8Array = new Uint8Array(0)

  constructor(onFrame: (bytes: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  take(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
    for (;;) {
      const { buffer, byteOffset, length } = this.#received
      if (length < 4) return
      const end = 4 + new DataView(buffer, byteOffset).getInt32(0)
      if (length < end) return
      this.#onFrame(this.#received.slice(4, end))
      this.#received = this.#received.subarray(end)
    }
  }
}
