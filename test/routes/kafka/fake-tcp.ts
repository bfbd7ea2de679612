// A TCP layer in memory: a test plays the peer, byte by byte, and sees what the door does with its socket.
import type { TcpConnection, TcpEvents, TcpListen } from '#src/platform/tcp.ts'

/** The door's end of a connection, with the peer's controls. */
export class FakeSocket implements TcpConnection {
  readonly remoteAddress: string
  readonly remotePort = 50_000
  readonly localAddress = '10.0.0.1'
  readonly localPort = 9092
  events: TcpEvents | undefined
  isReading = false
  isEnded = false
  isClosed = false
  /** While true, what is written waits, as with a peer that does not read. */
  isStuck = false
  readonly #sent: Uint8Array[] = []
  readonly #waiting: { bytes: Uint8Array; onTaken: () => void }[] = []

  constructor(remoteAddress = '192.0.2.1') {
    this.remoteAddress = remoteAddress
  }

  write(chunks: readonly Uint8Array[], onTaken: () => void = () => undefined): boolean {
    const bytes = Buffer.concat(chunks)
    if (this.isClosed || this.isEnded) throw new Error('Written after the end')
    this.#waiting.push({ bytes, onTaken })
    if (!this.isStuck) this.#takeAll()
    return !this.isStuck
  }

  pause(): void {
    this.isReading = false
  }

  resume(): void {
    this.isReading = true
  }

  end(): void {
    this.isEnded = true
  }

  destroy(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const { onTaken } of this.#waiting.splice(0)) onTaken()
    this.events?.closed()
  }

  /** The peer sends. Refused while the door does not read: a real socket would wait too. */
  send(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.isClosed || this.isEnded) return
      if (!this.isReading) throw new Error('Sent while the door does not read')
      // Taken over by who gets it, as from a socket.
      this.events?.data(Uint8Array.from(chunk))
    }
  }

  /** The peer reads what waited. */
  unstick(): void {
    this.isStuck = false
    this.#takeAll()
    this.events?.drained()
  }

  get waitingBytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** What the peer has received. */
  get received(): Buffer {
    return Buffer.concat(this.#sent)
  }

  /** The frames that the peer has received, without their lengths. */
  get answers(): Buffer[] {
    const bytes = this.received
    const frames: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) throw new Error('An answer was cut')
      frames.push(bytes.subarray(at + 4, end))
      at = end
    }
    return frames
  }

  #takeAll(): void {
    for (const { bytes, onTaken } of this.#waiting.splice(0)) {
      this.#sent.push(bytes)
      onTaken()
    }
  }
}

/** Listens in memory; `connect` plays a client that comes in. */
export function fakeNetwork() {
  const accepts: ((connection: TcpConnection) => TcpEvents)[] = []
  const listen: TcpListen = ({ host, port }, accept) => {
    accepts.push(accept)
    const close = () => {
      accepts.splice(accepts.indexOf(accept), 1)
      return Promise.resolve()
    }
    return Promise.resolve({
      adapter: 'node:net',
      host,
      port: port === 0 ? 40_000 + accepts.length : port,
      close,
    })
  }
  const connect = (address?: string, listener = 0): FakeSocket => {
    const socket = new FakeSocket(address)
    const accept = accepts[listener]
    if (!accept) throw new Error('Nobody listens')
    socket.events = accept(socket)
    if (socket.isClosed) socket.events.closed()
    else socket.events.opened()
    return socket
  }
  return { listen, connect }
}
