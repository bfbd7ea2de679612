// Outgoing TCP connections, through node:net, which all three runtimes have.
import { connect, type Socket } from 'node:net'
import { systemCode } from '#storage/base/errors.ts'
import { plainAddress } from './tcp.ts'

/** Why a connection could not be made, or gave nothing. */
export type TcpFailure =
  | 'unknown name'
  | 'refused'
  | 'timed out'
  | 'unreachable'
  | 'closed'
  | 'failed'

/** A connection that could not be made, or gave nothing. The message is the system's own. */
export class TcpError extends Error {
  override readonly name = 'TcpError'
  readonly failure: TcpFailure

  constructor(failure: TcpFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.failure = failure
  }
}

/** An outgoing connection: writes, and reads in order. One read at a time. */
export interface TcpClient {
  /** The peer's address, an IPv4 one never in its IPv6 form. */
  readonly remoteAddress: string
  send(bytes: Uint8Array): void
  /** What comes next, at least a byte. Throws TcpError when the peer closes, or nothing comes in time. */
  receive(timeoutMs: number): Promise<Uint8Array>
  close(): void
}

/** Where to connect to. IPv6 addresses without brackets. */
export interface TcpAddress {
  readonly host: string
  readonly port: number
}

/** Connects. Throws TcpError. */
export type TcpConnect = (address: TcpAddress, timeoutMs: number) => Promise<TcpClient>

/** Connects with node:net. */
export const connectTcp: TcpConnect = ({ host, port }, timeoutMs) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const timer = setTimeout(() => fail(timedOut(timeoutMs)), timeoutMs)
    function fail(error: TcpError): void {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    // Stays for good: an error after the connection was made shows as its close.
    socket.on('error', (cause) => fail(asTcpError(cause)))
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(new NodeTcpClient(socket))
    })
  })

class NodeTcpClient implements TcpClient {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #received: Uint8Array[] = []
  #isClosed = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress)
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.#received.push(bytes as Uint8Array)
      this.#wake?.()
    })
    for (const name of ['end', 'close']) {
      socket.on(name, () => {
        this.#isClosed = true
        this.#wake?.()
      })
    }
  }

  send(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes)
  }

  async receive(timeoutMs: number): Promise<Uint8Array> {
    if (this.#received.length === 0 && !this.#isClosed) await this.#change(timeoutMs)
    const bytes = this.#received.shift()
    if (bytes) return bytes
    throw this.#isClosed
      ? new TcpError('closed', 'The peer closed the connection')
      : timedOut(timeoutMs)
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function timedOut(timeoutMs: number): TcpError {
  return new TcpError('timed out', `Nothing came within ${timeoutMs} ms`)
}

const FAILURES: Readonly<Record<string, TcpFailure>> = {
  ENOTFOUND: 'unknown name',
  EAI_AGAIN: 'unknown name',
  EAI_NONAME: 'unknown name',
  EAI_NODATA: 'unknown name',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
}

function asTcpError(cause: Error): TcpError {
  const text = cause.message === '' ? String(systemCode(cause) ?? cause.name) : cause.message
  const failure = FAILURES[systemCode(cause) ?? ''] ?? failureOf(text)
  return new TcpError(failure, text, cause)
}

/** Deno words some of them itself, without a code. */
function failureOf(text: string): TcpFailure {
  if (/lookup|not known|ENOTFOUND|EAI_/i.test(text)) return 'unknown name'
  return /refused/i.test(text) ? 'refused' : 'failed'
}
