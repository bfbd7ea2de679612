// A TCP connection for tests that say what no client would: bytes as they are, answers by their frames.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What came of a wait for the next frame. */
export type Arrival = Uint8Array | 'closed' | 'late'

/** One connection to 127.0.0.1. */
export class RawConnection {
  readonly localPort: number
  readonly #socket: Socket
  #received: Uint8Array = new Uint8Array(0)
  #isClosed = false
  #wake: (() => void) | undefined

  /** Use `openRawConnection`. */
  constructor(socket: Socket) {
    this.#socket = socket
    this.localPort = socket.localPort ?? 0
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes as Uint8Array])
      this.#wake?.()
    })
    // A reset is a way to close, too.
    socket.on('error', () => this.#closed())
    for (const name of ['end', 'close']) socket.on(name, () => this.#closed())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  send(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes)
  }

  /** Sends no more, and still listens. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next answer without its length; what has come before a close is given first. */
  async frame(withinMs: number): Promise<Arrival> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const frame = this.#takeFrame()
      if (frame) return frame
      if (this.#isClosed) return 'closed'
      const left = deadline - performance.now()
      if (left <= 0) return 'late'
      await this.#change(left)
    }
  }

  /** Everything that comes until the peer closes, or until the time is over. */
  async rest(withinMs: number): Promise<{ bytes: Uint8Array; isClosed: boolean }> {
    const deadline = performance.now() + withinMs
    while (!this.#isClosed) {
      const left = deadline - performance.now()
      if (left <= 0) break
      await this.#change(left)
    }
    return { bytes: this.#received, isClosed: this.#isClosed }
  }

  #takeFrame(): Uint8Array | undefined {
    const bytes = this.#received
    if (bytes.length < 4) return undefined
    const size = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0)
    if (size < 0) throw new Error(`An answer announces ${size} bytes`)
    if (bytes.length < 4 + size) return undefined
    this.#received = bytes.subarray(4 + size)
    return bytes.subarray(4, 4 + size)
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #closed(): void {
    this.#isClosed = true
    this.#wake?.()
  }
}

/** Connects to a port of 127.0.0.1. */
export async function openRawConnection(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return new RawConnection(socket)
}
