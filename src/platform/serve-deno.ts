// Deno.serve behind a door.
import { upgradeWebSocket } from 'hono/deno'
import { systemClock } from '#storage/base/world.ts'
import { DRAIN_MS, listenError, type Serve, type ServedDoor, type ServeOptions } from './serve.ts'

interface DenoServer {
  readonly addr: { port: number }
  readonly finished: Promise<void>
  shutdown(): Promise<void>
}
interface DenoRequestInfo {
  readonly remoteAddr: { readonly hostname?: string }
}
declare const Deno: {
  version: { deno: string }
  serve(
    options: object,
    handler: (request: Request, info: DenoRequestInfo) => Response | Promise<Response>,
  ): DenoServer
}

/** Serves a door on Deno. */
export const serve: Serve = async (door, options) => {
  door.mountWebSockets(upgradeWebSocket)
  const abort = new AbortController()
  const server = await listen(door, options, abort.signal)
  return {
    runtime: `deno ${Deno.version.deno}`,
    host: options.host,
    port: server.addr.port,
    async stop({ drainMs = DRAIN_MS } = {}) {
      const drained = Promise.withResolvers<void>()
      const timer = systemClock.after(drainMs, drained.resolve)
      void server.shutdown().then(drained.resolve)
      await drained.promise
      timer.cancel()
      abort.abort()
      await server.finished
    },
  }
}

async function listen(
  door: ServedDoor,
  options: ServeOptions,
  signal: AbortSignal,
): Promise<DenoServer> {
  try {
    return Deno.serve(
      { hostname: options.host, port: options.port, signal, onListen: () => {} },
      (request, info) =>
        door.fetch(request, { clientAddress: () => info.remoteAddr.hostname ?? '' }),
    )
  } catch (error) {
    throw listenError(error, options)
  }
}
