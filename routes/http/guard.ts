// Keeps browsers from reaching a local broker by accident: cross-site pages and rebound names (RULES 21), and CORS.
import { cors } from 'hono/cors'
import type { HttpConfig } from './door.ts'
import { HttpError } from './errors.ts'

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Throws 403 for what a browser sends from a page of another origin that is not listed, and on a loopback door
 * whatever names a host that is not ours. WebSocket upgrades pass here as well. Requests without these headers come
 * from programs, not from browsers.
 */
export function guard(config: HttpConfig): (request: Request) => void {
  const hosts = new Set([...LOCAL_HOSTS, ...config.allowedHosts.map((host) => host.toLowerCase())])
  const isListed = (origin: string): boolean => isListedOrigin(config, origin)
  /** The last host that was let in: nearly all requests name the same one. */
  let known: string | null = null
  return (request) => {
    const { headers } = request
    const host = headers.get('host')
    if (config.isLoopback && host !== null && host !== known) {
      if (!hosts.has(hostName(host))) {
        throw new HttpError(403, `Host ${host} is not a name of this broker`)
      }
      known = host
    }
    const origin = headers.get('origin')
    if (origin !== null) {
      if (!isOwnOrigin(origin, host ?? new URL(request.url).host) && !isListed(origin)) {
        throw new HttpError(403, `Origin ${origin} is not listed in millrace.http.cors.origins`)
      }
    } else if (headers.get('sec-fetch-site') === 'cross-site' && !isListed('')) {
      throw new HttpError(403, 'Cross-site requests need an origin that is listed')
    }
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
