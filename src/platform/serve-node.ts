// @hono/node-server behind a door.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createAdaptorServer,
  type HttpBindings,
  upgradeWebSocket,
  type WebSocketServerLike,
} from '@hono/node-server'
import { WebSocketServer } from 'ws'
import { systemClock } from '#storage/base/world.ts'
import {
  DRAIN_MS,
  HEADER_TIMEOUT_MS,
  listenError,
  MAX_WEBSOCKET_MESSAGE_BYTES,
  type RequestEnvironment,
  type Serve,
  type ServedDoor,
  type ServeOptions,
} from './serve.ts'

/** Serves a door on Node. */
export const serve: Serve = async (door, options) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_WEBSOCKET_MESSAGE_BYTES })
  door.mountWebSockets(() => Promise.resolve(upgradeWebSocket))
  const server = createServer(door, options, sockets)
  await listen(server, options)
  return {
    runtime: `node ${process.version.slice(1)}`,
    host: options.host,
    port: (server.address() as AddressInfo).port,
    async stop({ drainMs = DRAIN_MS } = {}) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = systemClock.after(drainMs, () => {
        for (const client of sockets.clients) client.terminate()
        server.closeAllConnections()
      })
      await closed
      timer.cancel()
      for (const client of sockets.clients) client.terminate()
    },
  }
}

function createServer(door: ServedDoor, options: ServeOptions, sockets: WebSocketServer): Server {
  const headersTimeout = options.headerTimeoutMs ?? HEADER_TIMEOUT_MS
  const server = createAdaptorServer({
    fetch: (request, environment) => {
      const { incoming } = environment as HttpBindings
      const shared: RequestEnvironment = {
        clientAddress: () => incoming.socket.remoteAddress ?? '',
        lostSignal: () => request.signal,
      }
      return door.fetch(request, Object.assign(environment, shared))
    },
    overrideGlobalObjects: false,
    // For HTTP/1.0, which needs no Host.
    hostname: 'localhost',
    // Under exactOptionalPropertyTypes the two packages' types differ in an optional method only.
    websocket: { server: sockets as unknown as WebSocketServerLike },
    serverOptions: {
      headersTimeout,
      // Five minutes by default, which would end an endless upload.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(100, Math.min(5_000, headersTimeout / 4)),
    },
  })
  return server as Server
}

function listen(server: Server, options: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, options))
    server.once('error', fail)
    server.listen(options.port, options.host, () => {
      server.off('error', fail)
      resolve()
    })
  })
}
