// Stands between clients and a broker, passes bytes on, and notes which APIs the clients ask for, in which versions.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What one client asked for: API keys, and the versions of each. */
export type SeenVersions = Map<number, Set<number>>

/** A proxy in front of one broker. */
export class Recorder {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #upstreamPort = 0
  #seen: SeenVersions = new Map()

  /** Use `openRecorder`. */
  constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (client) => this.#connect(client))
  }

  /** Where connections go from now on. */
  passTo(port: number): void {
    this.#upstreamPort = port
  }

  /** What was asked for since the last call. */
  take(): SeenVersions {
    const seen = this.#seen
    this.#seen = new Map()
    return seen
  }

  /** Closes the listener and every connection. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #connect(client: Socket): void {
    const broker = connect(this.#upstreamPort, '127.0.0.1')
    const heads = new RequestHeads((key, version) => {
      const versions = this.#seen.get(key) ?? new Set()
      this.#seen.set(key, versions.add(version))
    })
    client.on('data', (bytes) => heads.take(bytes as Uint8Array))
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      from.setNoDelay(true)
      this.#sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}

/** Opens a recorder on a free port of loopback. */
export async function openRecorder(): Promise<Recorder> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return new Recorder(server, address.port)
}

/** Finds the first eight bytes of each frame in a stream: its size, the API key and its version. */
class RequestHeads {
  readonly #onRequest: (key: number, version: number) => void
  readonly #head = new DataView(new ArrayBuffer(8))
  #filled = 0
  #toSkip = 0

  constructor(onRequest: (key: number, version: number) => void) {
    this.#onRequest = onRequest
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const skipped = Math.min(this.#toSkip, bytes.length - at)
      this.#toSkip -= skipped
      at += skipped
      if (at === bytes.length) return
      this.#head.setUint8(this.#filled++, bytes[at++] ?? 0)
      if (this.#filled < 8) continue
      this.#onRequest(this.#head.getInt16(4), this.#head.getInt16(6))
      this.#toSkip = this.#head.getInt32(0) - 4
      this.#filled = 0
    }
  }
}
