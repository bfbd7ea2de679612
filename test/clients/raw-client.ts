// A client that says exactly what it is told to: one request after the other on one connection.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Message } from '../../src/protocol/codec/message.ts'
import { RequestHeader } from '../../src/protocol/messages/headers.ts'
import { ByteReader } from '../../storage/bytes/byte-reader.ts'
import { ByteWriter } from '../../storage/bytes/byte-writer.ts'

/** A request message and its response. */
export interface Exchange<QI, R> {
  readonly request: Message<unknown, QI>
  readonly response: Message<R, unknown>
}

/** An open connection. */
export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
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
    while (this.#received.length < 4 || this.#received.length < 4 + this.#received.readInt32BE(0)) {
      const [chunk] = await once(this.#socket, 'data', { signal: AbortSignal.timeout(20_000) })
      this.#received = Buffer.concat([this.#received, chunk])
    }
    const end = 4 + this.#received.readInt32BE(0)
    const frame = new Uint8Array(this.#received.subarray(4, end))
    this.#received = this.#received.subarray(end)
    return frame
  }
}
