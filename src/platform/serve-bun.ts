// Bun.serve behind a door.
import type { BunWebSocketData, BunWebSocketHandler } from 'hono/bun'
import type { UpgradeWebSocket } from 'hono/ws'
import { lateModule } from '#storage/base/late-modules.ts'
import { systemClock } from '#storage/base/world.ts'
import {
  DRAIN_MS,
  HEADER_TIMEOUT_MS,
  type HttpServer,
  listenError,
  MAX_WEBSOCKET_MESSAGE_BYTES,
  type RequestEnvironment,
  type Serve,
  type ServedDoor,
  type ServeOptions,
} from './serve.ts'

interface BunServer {
  readonly port: number
  stop(force?: boolean): Promise<void>
  timeout(request: Request, seconds: number): void
  requestIP(request: Request): { address: string } | null
}
declare const Bun: { version: string; serve(options: object): BunServer }

type WebSocketHandler = BunWebSocketHandler<BunWebSocketData>

/** Serves a door on Bun. */
export const serve: Serve = (door, options) =>
  new Promise((resolve) => resolve(start(door, options)))

function start(door: ServedDoor, options: ServeOptions): HttpServer {
  door.mountWebSockets(loadUpgrade)
  const server = listen(door, options)
  return {
    runtime: `bun ${Bun.version}`,
    host: options.host,
    port: server.port,
    async stop({ drainMs = DRAIN_MS } = {}) {
      const drained = Promise.withResolvers<void>()
      const timer = systemClock.after(drainMs, drained.resolve)
      // stop() resolves when the last connection is gone; idle ones are closed at once.
      void server.stop(false).then(drained.resolve)
      await drained.promise
      timer.cancel()
      await server.stop(true)
    },
  }
}

/** What Hono does with the WebSockets of all servers: a door may be served by several. */
let handler: WebSocketHandler | undefined

const honoForBun = lateModule(() => import('hono/bun'))

/** Hono's WebSockets for Bun, loaded at the first upgrade: much of Hono that a broker does not use comes along. */
async function loadUpgrade(): Promise<UpgradeWebSocket> {
  const hono = await honoForBun()
  handler = hono.websocket
  return hono.upgradeWebSocket
}

const websocket: WebSocketHandler = {
  open: (socket) => handler?.open(socket),
  message: (socket, message) => handler?.message(socket, message),
  close: (socket, code, reason) => handler?.close(socket, code, reason),
}

function listen(door: ServedDoor, options: ServeOptions): BunServer {
  try {
    return Bun.serve({
      hostname: options.host,
      port: options.port,
      // Bounds the wait for a request's head. Every request that has arrived is freed from it below, or it would
      // cut long polls and quiet streams.
      idleTimeout: Math.min(255, Math.ceil((options.headerTimeoutMs ?? HEADER_TIMEOUT_MS) / 1000)),
      // 128 MiB by default, which would also end streamed bodies; the routes have limits of their own.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      websocket: { ...websocket, maxPayloadLength: MAX_WEBSOCKET_MESSAGE_BYTES },
      fetch(request: Request, bun: BunServer) {
        bun.timeout(request, 0)
        const environment: RequestEnvironment & { server: BunServer } = {
          server: bun,
          clientAddress: () => bun.requestIP(request)?.address ?? '',
          lostSignal: () => request.signal,
        }
        return door.fetch(withHost(request), environment)
      },
    })
  } catch (error) {
    throw listenError(error, options)
  }
}

/** HTTP/1.0 needs no Host, as in the checks of load balancers. Bun's URL is a bare path then, which routers misread. */
function withHost(request: Request): Request {
  if (!request.url.startsWith('/')) return request
  return new Request(`http://localhost${request.url}`, request)
}
