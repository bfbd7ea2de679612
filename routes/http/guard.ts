// Keeps browsers from reaching a local broker by accident: cross-site pages and rebound names (RULES 21), and CORS.
import type { Context, Next } from 'hono'
import { cors } from 'hono/cors'
import type { Env, HttpConfig } from './door.ts'
import { HttpError } from './errors.ts'

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Refuses, with 403, what a browser sends from a page of another origin that is not listed, and on a loopback door
 * whatever names a host that is not ours. WebSocket upgrades pass here as well. Requests without these headers come
 * from programs, not from browsers.
 */
export function guard(config: HttpConfig) {
  const hosts = new Set([...LOCAL_HOSTS, ...config.allowedHosts.map((host) => host.toLowerCase())])
  const isListed = (origin: string): boolean => isListedOrigin(config, origin)
  return async (c: Context<Env>, next: Next): Promise<void> => {
    const host = c.req.header('host')
    if (config.isLoopback && host !== undefined && !hosts.has(hostName(host))) {
      throw new HttpError(403, `Host ${host} is not a name of this broker`)
    }
    const origin = c.req.header('origin')
    if (origin !== undefined) {
      if (!isOwnOrigin(origin, host ?? new URL(c.req.url).host) && !isListed(origin)) {
        throw new HttpError(403, `Origin ${origin} is not listed in millrace.http.cors.origins`)
      }
    } else if (c.req.header('sec-fetch-site') === 'cross-site' && !isListed('')) {
      throw new HttpError(403, 'Cross-site requests need an origin that is listed')
    }
    await next()
  }
}

/** CORS for the listed origins only. */
export function corsFor(config: HttpConfig) {
  return cors({
    origin: (origin) => (isListedOrigin(config, origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['Content-Type', 'Accept', 'Authorization', 'Last-Event-ID'],
    exposeHeaders: [
      'Millrace-Next-Offset',
      'Millrace-High-Watermark',
      'Millrace-Log-Start-Offset',
      'Retry-After',
    ],
    maxAge: 600,
  })
}

function isListedOrigin(config: HttpConfig, origin: string): boolean {
  return config.corsOrigins.includes('*') || config.corsOrigins.includes(origin)
}

/** Whether a page came from this very door. The scheme is left out: a proxy in front may end TLS. */
function isOwnOrigin(origin: string, host: string): boolean {
  return origin.replace(/^https?:\/\//, '') === host.toLowerCase()
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '')
}
