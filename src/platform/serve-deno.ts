// Deno.serve behind a door.
import type { UpgradeWebSocket } from 'hono/ws'
import { lateModule } from '#storage/base/late-modules.ts'
import { systemClock } from '#storage/base/world.ts'
import {
  DRAIN_MS,
  type HttpServer,
  listenError,
  type Serve,
  type ServedDoor,
  type ServeOptions,
} from './serve.ts'

interface DenoServer {
  readonly addr: { port: number }
  readonly finished: Promise<void>
  shutdown(): Promise<void>
}
interface DenoRequestInfo {
  readonly remoteAddr: { readonly hostname?: string }
  /** Rejects when the answer could not be delivered. */
  readonly completed: Promise<void>
}
declare const Deno: {
  version: { deno: string }
  serve(
    options: object,
    handler: (request: Request, info: DenoRequestInfo) => Response | Promise<Response>,
  ): DenoServer
}

/** Serves a door on Deno. */
export const serve: Serve = (door, options) =>
  new Promise((resolve) => resolve(start(door, options)))

function start(door: ServedDoor, options: ServeOptions): HttpServer {
  door.mountWebSockets(loadUpgrade)
  const abort = new AbortController()
  const server = listen(door, options, abort.signal)
  return {
    runtime: `deno ${Deno.version.deno}`,
    host: options.host,
    port: server.addr.port,
    async stop({ drainMs = DRAIN_MS } = {}) {
      // Aborting a server that has shut down throws, so only one that still drains is aborted.
      const timer = systemClock.after(drainMs, () => abort.abort())
      await server.shutdown()
      timer.cancel()
      await server.finished
    },
  }
}

const honoForDeno = lateModule(() => import('hono/deno'))

async function loadUpgrade(): Promise<UpgradeWebSocket> {
  const { upgradeWebSocket } = await honoForDeno()
  return upgradeWebSocket
}

function listen(door: ServedDoor, options: ServeOptions, signal: AbortSignal): DenoServer {
  try {
    return Deno.serve(
      { hostname: options.host, port: options.port, signal, onListen: () => {} },
      (request, info) =>
        door.fetch(request, {
          clientAddress: () => info.remoteAddr.hostname ?? '',
          lostSignal: () => lostSignal(info),
        }),
    )
  } catch (error) {
    throw listenError(error, options)
  }
}

/** The request's own signal also aborts when all went well, and Deno warns of that. */
function lostSignal({ completed }: DenoRequestInfo): AbortSignal {
  const abort = new AbortController()
  completed.catch(() => abort.abort())
  return abort.signal
}
