// A client of Kafka's protocol that costs little, for load: requests made beforehand, many in flight, answers in order.
import { connect, type Socket } from 'node:net'
import type { Message } from '#src/protocol/codec/message.ts'
import {
  RequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '#src/protocol/messages/headers.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'

const LENGTH_BYTES = 4

/** A request as the wire has it, its length in front. */
export function requestBytes<I>(
  message: Message<unknown, I>,
  version: number,
  value: I,
): Uint8Array<ArrayBuffer> {
  const { key = 0 } = message
  const writer = new ByteWriter(1024)
  writer.reserve(LENGTH_BYTES)
  const header = {
    ...{ requestApiKey: key, requestApiVersion: version },
    ...{ correlationId: 0, clientId: 'bench' },
  }
  RequestHeader.write(writer, header, requestHeaderVersion(message as Message, version))
  message.write(writer, value, version)
  writer.setInt32(0, writer.position - LENGTH_BYTES)
  return writer.written.slice()
}

/** Decodes an answer, as `RawClient` gives it. */
export function responseOf<T>(message: Message<T>, version: number, answer: Uint8Array): T {
  const reader = new ByteReader(answer)
  reader.skip(LENGTH_BYTES)
  if (responseHeaderVersion(message as Message, version) > 0) reader.skip(1)
  return message.read(reader, version)
}

/** One connection. Answers come in the order of the requests, without their length. */
export class RawClient {
  readonly #socket: Socket
  readonly #waiting: ((answer: Uint8Array) => void)[] = []
  #received = new Uint8Array(1 << 16)
  #filled = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk as Uint8Array))
    socket.on('error', () => undefined)
  }

  /** Connects to a port of loopback. */
  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  /** Sends, and calls `done` with the answer: a view that holds for the call. */
  send(request: Uint8Array, done: (answer: Uint8Array) => void): void {
    this.#waiting.push(done)
    this.#socket.write(request)
  }

  /** Sends, and resolves with the answer. */
  ask(request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => this.send(request, (answer) => resolve(answer.slice())))
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Uint8Array): void {
    this.#room(chunk.length)
    this.#received.set(chunk, this.#filled)
    this.#filled += chunk.length
    let at = 0
    const view = new DataView(this.#received.buffer)
    while (this.#filled - at >= LENGTH_BYTES) {
      const size = view.getInt32(at)
      if (this.#filled - at < LENGTH_BYTES + size) break
      const start = at + LENGTH_BYTES
      at = start + size
      this.#waiting.shift()?.(this.#received.subarray(start, at))
    }
    this.#received.copyWithin(0, at, this.#filled)
    this.#filled -= at
  }

  #room(size: number): void {
    if (this.#filled + size <= this.#received.length) return
    const grown = new Uint8Array(2 * (this.#filled + size))
    grown.set(this.#received.subarray(0, this.#filled))
    this.#received = grown
  }
}
