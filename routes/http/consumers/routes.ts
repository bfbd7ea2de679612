// REST v2 consumers: instances that join groups, read, commit and seek on behalf of their clients.
import { type Context, Hono } from 'hono'
import type { PartitionName } from '#src/broker/consumers/committed-offsets.ts'
import { anySignal } from '#storage/base/any-signal.ts'
import { parseJson, readText } from '../body.ts'
import { readChecked, readCheckedIfAny } from '../checked-body.ts'
import { type Door, type Env, lostSignal, sessionOf } from '../door.ts'
import { HttpError } from '../errors.ts'
import { MEDIA, negotiate } from '../negotiate.ts'
import { countOf, parseTimestamp } from '../parameters.ts'
import { recordJson } from '../record-json.ts'
import { parseInstanceConfig } from './instance-config.ts'
import type { ConsumerInstance } from './instances.ts'

const WRONG_FORMAT = 40601
const WRONG_STATE = 40903
const INVALID_CONFIG = 42204
const DEFAULT_BYTES = 1024 * 1024
const DEFAULT_RECORDS = 1_000
/** A subscription waits so long for partitions, so that the first read finds records and not just a group that is forming. */
const PATIENCE_MS = 2_000
const MAX_GROUP_LENGTH = 249

const INSTANCE = '/consumers/:group/instances/:instance'

/** Everything under `/consumers`. */
export function consumerRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.post('/consumers/:group', (c) => create(door, c))
  routes.delete(INSTANCE, async (c) => {
    await door.consumers.delete(...nameOf(c))
    return c.body(null, 204)
  })
  mountSubscription(door, routes)
  mountAssignments(door, routes)
  routes.get(`${INSTANCE}/records`, (c) => records(door, c))
  mountOffsets(door, routes)
  mountPositions(door, routes)
  return routes
}

async function create(door: Door, c: Context<Env>): Promise<Response> {
  const [group] = nameOf(c)
  if (group.trim() === '' || group.length > MAX_GROUP_LENGTH) {
    const detail = `The name of a group must have between 1 and ${MAX_GROUP_LENGTH} characters`
    throw new HttpError(INVALID_CONFIG, detail)
  }
  const text = await readText(door, c.req.raw)
  const config = parseInstanceConfig(text.trim() === '' ? {} : parseJson(text))
  const { name } = door.consumers.create(sessionOf(door, c), group, config)
  const path = `/consumers/${encodeURIComponent(group)}/instances/${encodeURIComponent(name)}`
  const base_uri = new URL(c.req.url).origin + path
  return answer(c, { instance_id: name, base_uri })
}

function mountSubscription(door: Door, routes: Hono<Env>): void {
  const path = `${INSTANCE}/subscription` as const
  routes.post(path, async (c) => {
    const { topics, topic_pattern } = await readChecked(door, c.req.raw, 'ConsumerSubscription')
    const pattern = topic_pattern ?? null
    const hasTopics = (topics ?? null) !== null
    if (hasTopics && pattern !== null) throw wrongState('Subscribe to topics or to a pattern')
    if (!hasTopics && pattern === null) throw new HttpError(422, 'Name topics or a topic_pattern')
    await door.consumers.use(...nameOf(c), async ({ consumer }) => {
      const known = consumer.subscription
      if (known === undefined && consumer.assignment().length > 0) {
        throw wrongState('The consumer has taken partitions by hand')
      }
      if (known !== undefined && (known.pattern === null) !== (pattern === null)) {
        throw wrongState('Delete the subscription before one of the other kind')
      }
      // As with Kafka's consumer: no topics, no subscription.
      if (hasTopics && topics?.length === 0) return await consumer.unsubscribe()
      await consumer.subscribe({ topics: topics ?? [], pattern }, { patienceMs: PATIENCE_MS })
    })
    return c.body(null, 204)
  })
  routes.get(path, (c) =>
    door.consumers.use(...nameOf(c), ({ consumer }) => {
      const { topics = [], pattern = null } = consumer.subscription ?? {}
      if (pattern === null) return answer(c, { topics })
      const matched = new Set(consumer.assignment().map(({ topic }) => topic))
      return answer(c, { topics: [...matched].sort(), topic_pattern: pattern })
    }),
  )
  routes.delete(path, async (c) => {
    await door.consumers.use(...nameOf(c), ({ consumer }) => consumer.unsubscribe())
    return c.body(null, 204)
  })
}

function mountAssignments(door: Door, routes: Hono<Env>): void {
  const path = `${INSTANCE}/assignments` as const
  routes.post(path, async (c) => {
    const { partitions } = await readChecked(door, c.req.raw, 'ConsumerPartitions')
    await door.consumers.use(...nameOf(c), async ({ consumer }) => {
      if (consumer.subscription !== undefined) {
        throw wrongState('A subscribed consumer gets its partitions by itself')
      }
      await consumer.assign(partitions)
    })
    return c.body(null, 204)
  })
  routes.get(path, (c) =>
    door.consumers.use(...nameOf(c), ({ consumer }) =>
      answer(c, { partitions: consumer.assignment().sort(byName) }),
    ),
  )
}

/** Waits for a first record, up to `timeout`. A wait takes one of the door's stream slots. */
async function records(door: Door, c: Context<Env>): Promise<Response> {
  const { config } = door
  return await door.consumers.useInTurn(...nameOf(c), async ({ consumer, config: own }) => {
    const type = formatOf(c, own.format)
    const waitMs = countOf(c, 'timeout', {
      otherwise: own.requestTimeoutMs,
      most: config.maxWaitMs,
    })
    const limits = {
      maxBytes: countOf(c, 'max_bytes', { otherwise: DEFAULT_BYTES, most: config.maxReadBytes }),
      maxRecords: countOf(c, 'max_records', {
        otherwise: DEFAULT_RECORDS,
        most: config.maxReadRecords,
      }),
      waitMs,
    }
    if (consumer.subscription === undefined && consumer.assignment().length === 0) {
      throw wrongState('The consumer is not subscribed to anything')
    }
    const slot = door.streams.take()
    const { signal, release } = anySignal([slot.signal, lostSignal(c)])
    try {
      const found = await consumer.poll({ ...limits, signal })
      const format = type === MEDIA.json ? 'plain' : own.format
      const texts = found.map((record) => recordJson(record, format))
      return c.body(`[${texts.join(',')}]`, 200, { 'content-type': type })
    } finally {
      release()
      slot.release()
    }
  })
}

/** The instance's format in REST v2's shape, or our own shape for `application/json`. Throws 406 (40601). */
function formatOf(c: Context<Env>, format: 'json' | 'binary'): string {
  const own = format === 'json' ? MEDIA.v2Json : MEDIA.v2Binary
  try {
    return negotiate(c.req.header('accept'), [own, MEDIA.v2, MEDIA.json])
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw new HttpError(WRONG_FORMAT, `This consumer was made for the format ${format}: ${own}`)
  }
}

function mountOffsets(door: Door, routes: Hono<Env>): void {
  const path = `${INSTANCE}/offsets` as const
  routes.post(path, async (c) => {
    const body = await readCheckedIfAny(door, c.req.raw, 'ConsumerOffsets')
    await door.consumers.use(...nameOf(c), async ({ consumer }) => {
      // REST Proxy's clients say the last record that they have dealt with, Kafka keeps the next.
      const offsets = body?.offsets.map(({ topic, partition, offset, metadata }) => ({
        topic,
        partition,
        offset: offset + 1,
        metadata: metadata ?? '',
      }))
      await consumer.commit(offsets)
    })
    return answer(c, [])
  })
  routes.get(path, (c) =>
    door.consumers.use(...nameOf(c), async ({ consumer }) => {
      const asked = await askedPartitions(door, c)
      return answer(c, { offsets: await consumer.committed(asked ?? consumer.assignment()) })
    }),
  )
}

/** `?partitions=orders:0,orders:1`, or a body, which not every client can send with a GET. */
async function askedPartitions(
  door: Door,
  c: Context<Env>,
): Promise<readonly PartitionName[] | undefined> {
  const text = c.req.query('partitions')
  if (text === undefined) {
    return (await readCheckedIfAny(door, c.req.raw, 'ConsumerPartitions'))?.partitions
  }
  return text.split(',').map((each) => {
    const [, topic, partition] = /^([^:]+):(\d{1,10})$/.exec(each) ?? []
    if (topic !== undefined) return { topic, partition: Number(partition) }
    throw new HttpError(400, `partitions=${text} must be as orders:0,orders:1`)
  })
}

function mountPositions(door: Door, routes: Hono<Env>): void {
  const path = `${INSTANCE}/positions` as const
  routes.post(path, async (c) => {
    const body = await readChecked(door, c.req.raw, 'ConsumerPositions')
    const timed = (body.timestamps ?? []).map(({ timestamp, ...at }) => ({
      ...at,
      spec: { timestamp: parseTimestamp(String(timestamp)) },
    }))
    const placed = (body.offsets ?? []).map(({ offset, ...at }) => ({ ...at, spec: offset }))
    await door.consumers.use(...nameOf(c), (instance) => {
      const places = [...placed, ...timed]
      checkHeld(instance, places)
      for (const { topic, partition, spec } of places) {
        instance.consumer.seek({ topic, partition }, spec)
      }
    })
    return c.body(null, 204)
  })
  for (const [end, spec] of [
    ['beginning', 'earliest'],
    ['end', 'latest'],
  ] as const) {
    routes.post(`${path}/${end}`, async (c) => {
      const { partitions } = await readChecked(door, c.req.raw, 'ConsumerPartitions')
      await door.consumers.use(...nameOf(c), (instance) => {
        checkHeld(instance, partitions)
        for (const at of partitions) instance.consumer.seek(at, spec)
      })
      return c.body(null, 204)
    })
  }
}

/** All or none: a partition that the consumer does not have moves no other. */
function checkHeld({ consumer, name }: ConsumerInstance, asked: readonly PartitionName[]): void {
  const held = new Set(consumer.assignment().map(({ topic, partition }) => `${topic}:${partition}`))
  for (const { topic, partition } of asked) {
    if (held.has(`${topic}:${partition}`)) continue
    throw wrongState(`Consumer ${name} does not have partition ${topic}-${partition}`)
  }
}

function nameOf(c: Context<Env>): [group: string, name: string] {
  return [c.req.param('group') ?? '', c.req.param('instance') ?? '']
}

function answer(c: Context<Env>, content: object): Response {
  return c.body(JSON.stringify(content), 200, { 'content-type': MEDIA.v2 })
}

function wrongState(detail: string): HttpError {
  return new HttpError(WRONG_STATE, detail)
}

function byName(left: PartitionName, right: PartitionName): number {
  if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1
  return left.partition - right.partition
}
