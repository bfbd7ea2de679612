// What the three HTTP adapters share: the door they serve, the server they return, and how a failed listen is told.
import type { UpgradeWebSocket } from 'hono/ws'
import { systemCode } from '#storage/base/errors.ts'

/** What a runtime passes to the door beside each request. */
export interface RequestEnvironment {
  /** The peer's address as text; `''` when it is not known. */
  readonly clientAddress: () => string
  /** Aborts when the client is lost before its answer has been delivered. */
  readonly lostSignal: () => AbortSignal
}

/** Loads what upgrades requests to WebSockets, which many a broker never does. */
export type UpgradeLoader = () => Promise<UpgradeWebSocket>

/** A door that can be served: an HTTP handler, and the routes that need the runtime's WebSocket upgrade. */
export interface ServedDoor {
  fetch(request: Request, environment: RequestEnvironment): Response | Promise<Response>
  /** Called once, before the first request. */
  mountWebSockets(upgrade: UpgradeLoader): void
}

/** Where to listen, and how long a connection may be silent before its request has arrived. */
export interface ServeOptions {
  /** A name or address; IPv6 addresses without brackets. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /**
   * A connection that has not sent a whole request head after this time is closed (Node and Bun; Deno.serve has no
   * such limit). It does not touch requests that have begun: their bodies and answers may last for ever.
   */
  readonly headerTimeoutMs?: number
}

/** A listening server. */
export interface HttpServer {
  /** The runtime and its version, such as `bun 1.4.5`. */
  readonly runtime: string
  readonly host: string
  readonly port: number
  /**
   * Stops listening at once, gives answers under way `drainMs` to finish, then cuts what is left. Streams that never
   * end must have been ended by their door before. Resolves when no handle is left.
   */
  stop(options?: { drainMs?: number }): Promise<void>
}

/** Serves a door on this runtime. Throws a plain Error with a clear sentence when the address can't be had. */
export type Serve = (door: ServedDoor, options: ServeOptions) => Promise<HttpServer>

/** The time a connection has to send a request head, unless told otherwise. */
export const HEADER_TIMEOUT_MS = 30_000

/** The time that answers under way have to finish when a server stops, unless told otherwise. */
export const DRAIN_MS = 1_000

/** Inbound WebSocket messages carry nothing for us, so they may not be long. */
export const MAX_WEBSOCKET_MESSAGE_BYTES = 4_096

/** The error to throw when listening failed: one sentence that says what to do about it. */
export function listenError(cause: unknown, { host, port }: ServeOptions): Error {
  return new Error(listenSentence(cause, host, port), { cause })
}

function listenSentence(cause: unknown, host: string, port: number): string {
  const code = systemCode(cause)
  const text = cause instanceof Error ? `${cause.name} ${cause.message}` : String(cause)
  const is = (name: string, pattern: RegExp): boolean => code === name || pattern.test(text)
  if (is('EADDRINUSE', /AddrInUse|EADDRINUSE|in use/i)) {
    return `Port ${port} on ${host} is in use by another process`
  }
  if (is('EACCES', /PermissionDenied|EACCES/i)) {
    return `No permission to listen on port ${port} of ${host}`
  }
  if (is('EADDRNOTAVAIL', /AddrNotAvailable|EADDRNOTAVAIL/i)) {
    return `This machine has no address ${host}`
  }
  if (is('ENOTFOUND', /ENOTFOUND|EAI_AGAIN|lookup/i)) return `The host name ${host} is not known`
  return `Can't listen on ${host}:${port}: ${text}`
}
