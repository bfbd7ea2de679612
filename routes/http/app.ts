// The HTTP door: every resource mounted on one Hono app, with its guard, its errors and its limits.
import { Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { getPath } from 'hono/utils/url'
import { ANONYMOUS, type Session } from '#src/access/session.ts'
import type { Broker } from '#src/broker/broker.ts'
import { HttpCounters } from '#src/metrics/http-counters.ts'
import type { RequestEnvironment, ServedDoor, UpgradeLoader } from '#src/platform/serve.ts'
import { type Clock, type Random, systemRandom } from '#storage/base/world.ts'
import { ConsumerInstances } from './consumers/instances.ts'
import { consumerRoutes } from './consumers/routes.ts'
import { deleteRecordRoutes } from './delete-records.ts'
import { type Door, type Env, HTTP_DEFAULTS, type HttpConfig, StreamSlots } from './door.ts'
import { errorResponse, HttpError } from './errors.ts'
import { Gather } from './gather.ts'
import { groupRoutes } from './groups.ts'
import { corsFor, guard } from './guard.ts'
import { healthRoutes } from './health.ts'
import { indexRoutes } from './index-page.ts'
import { metricsRoutes } from './metrics.ts'
import { openApiRoutes } from './openapi.ts'
import { Patience } from './patience.ts'
import { produceRoutes } from './produce.ts'
import { recordRoutes } from './records.ts'
import { recoveryRoutes } from './recovery.ts'
import { streamRoutes } from './stream/routes.ts'
import { topicRoutes } from './topics.ts'
import { clusterRoutes } from './v3-clusters.ts'
import { v3ConfigRoutes } from './v3-configs.ts'
import { v3GroupRoutes } from './v3-groups.ts'
import { v3PartitionRoutes } from './v3-partitions.ts'
import { v3RecordRoutes } from './v3-records.ts'
import { v3TopicRoutes } from './v3-topics.ts'

/** What a door is built from. */
export interface HttpDoorOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** Names consumers that have none; the machine's own chance when left out. */
  readonly random?: Random
  /** Whose session requests get; anonymous unless said otherwise. */
  readonly session?: Session
  /** What differs from `HTTP_DEFAULTS`. */
  readonly config?: Partial<HttpConfig>
  /** Told of every error that is nobody's refusal: a bug, which clients see as a bare 500. */
  readonly onBug?: (error: unknown) => void
}

/** A door that answers requests, with a socket (`serve(door, …)`) or without (`door.fetch(request)`). */
export interface HttpDoor extends ServedDoor {
  fetch(request: Request, environment?: Partial<RequestEnvironment>): Promise<Response>
  mountWebSockets(upgrade: UpgradeLoader): void
  /** Ends all tails, waits and uploads, and forgets consumer instances, for good. Call it before the server's `stop()`. */
  endStreams(): void
  /** Every route's method and path. */
  readonly routes: readonly { readonly method: string; readonly path: string }[]
}

/** Builds the HTTP door over a broker. */
export function httpDoor(options: HttpDoorOptions): HttpDoor {
  const config = { ...HTTP_DEFAULTS, ...options.config }
  const door: Door = {
    broker: options.broker,
    clock: options.clock,
    config,
    session: options.session ?? ANONYMOUS,
    counters: new HttpCounters(),
    streams: new StreamSlots(config.maxStreams),
    consumers: new ConsumerInstances({
      groups: options.broker.groups,
      clock: options.clock,
      random: options.random ?? systemRandom,
      maxCount: config.maxConsumers,
      idleMs: config.consumerTimeoutMs,
    }),
    gather: new Gather(options.broker),
    bodies: new Patience(options.clock, config.bodyTimeoutMs),
    upgrade: undefined,
  }
  const app = buildApp(door, options.onBug)
  const check = guard(config)
  const answer = (request: Request, environment: Partial<RequestEnvironment>) => {
    try {
      check(request)
    } catch (error) {
      // Not by way of URL: whoever was refused may have named a host that none can have.
      return errorResponse(error, getPath(request))
    }
    return app.fetch(request, environment)
  }
  return {
    // Not a middleware: with one handler for a route, Hono calls it without a chain of promises around it.
    fetch: async (request, environment = {}) => {
      const response = await answer(request, environment)
      door.counters.count(request.method, response.status)
      return response
    },
    mountWebSockets: (upgrade) => {
      door.upgrade = upgrade
    },
    endStreams: () => {
      door.streams.stop()
      door.consumers.stop()
    },
    routes: app.routes.filter(({ method }) => method !== 'ALL'),
  }
}

function buildApp(door: Door, onBug: ((error: unknown) => void) | undefined): Hono<Env> {
  const app = new Hono<Env>()
  app.onError((error, c) => {
    const response = errorResponse(error, c.req.path)
    if (response.status === 500 && !isRefusal(error)) onBug?.(error)
    return response
  })
  if (door.config.corsOrigins.length > 0) app.use(corsFor(door.config))
  const resources = [
    produceRoutes,
    recordRoutes,
    deleteRecordRoutes,
    streamRoutes,
    consumerRoutes,
    groupRoutes,
    topicRoutes,
    clusterRoutes,
    v3TopicRoutes,
    v3PartitionRoutes,
    v3ConfigRoutes,
    v3RecordRoutes,
    v3GroupRoutes,
    healthRoutes,
    metricsRoutes,
    recoveryRoutes,
    indexRoutes,
  ]
  for (const routes of resources) app.route('/', routes(door))
  app.route('/', openApiRoutes(app))
  app.notFound((c) => {
    throw missing(app, c.req.raw.method, c.req.path)
  })
  return app
}

function isRefusal(error: unknown): boolean {
  return error instanceof HttpError || (error instanceof Error && error.name === 'KafkaError')
}

/** 405 where the path has other methods, else 404. */
function missing(app: Hono<Env>, method: string, path: string): HttpError {
  const router = new TrieRouter<string>()
  for (const route of app.routes) {
    if (route.method !== 'ALL') router.add('ALL', route.path, route.method)
  }
  const methods = [...new Set(router.match('ALL', path)[0].map(([name]) => name))]
  if (methods.length === 0) return new HttpError(404, `There is nothing at ${path}`)
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods
  return new HttpError(405, `${path} does not take ${method}`, { allow: allow.join(', ') })
}
