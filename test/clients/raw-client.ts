// A client that says exactly what it is told to: one request after the other on one connection.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Message } from '../../src/protocol/codec/message.ts'
import { RequestHeader } from '../../src/protocol/messages/headers.ts'
import { ByteReader } from '../../storage/bytes/byte-reader.ts'
import { ByteWriter } from '../../storage/bytes/byte-writer.ts'

const PATIENCE_MS = 25_000

/** A request message and its response. */
export interface Exchange<QI, R> {
  readonly request: Message<unknown, QI>
  readonly response: Message<R, unknown>
}

/** An open connection. */
export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #isClosed = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk as Uint8Array])
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  /** `address` is host:port. */
  static async connect(address: string): Promise<RawClient> {
    const [host = '', port] = address.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Not for ApiVersions, whose answers have a header of their own. */
  async ask<QI, R>({ request, response }: Exchange<QI, R>, body: QI, version: number): Promise<R> {
    const isFlexible = request.isFlexible(version)
    const writer = new ByteWriter()
    const header = {
      requestApiKey: request.key ?? -1,
      requestApiVersion: version,
      correlationId: 1,
      clientId: 'raw',
    }
    RequestHeader.write(writer, header, isFlexible ? 2 : 1)
    request.write(writer, body, version)
    const size = Buffer.alloc(4)
    size.writeInt32BE(writer.position)
    this.#socket.write(Buffer.concat([size, writer.written]))
    const reader = new ByteReader(await this.#frame())
    reader.skip(isFlexible ? 5 : 4)
    return response.read(reader, version)
  }

  close(): void {
    this.#socket.destroy()
  }

  async #frame(): Promise<Uint8Array> {
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE_MS)
    for (;;) {
      const frame = this.#cut()
      if (frame !== undefined || this.#isClosed) clearTimeout(timer)
      if (frame !== undefined) return frame
      if (this.#isClosed) throw new Error('The connection was closed, or there was no answer')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #cut(): Uint8Array | undefined {
    const end = this.#received.length < 4 ? 4 : 4 + this.#received.readInt32BE(0)
    if (this.#received.length < Math.max(end, 5)) return undefined
    const frame = new Uint8Array(this.#received.subarray(4, end))
    this.#received = this.#received.subarray(end)
    return frame
  }
}
