// `GET /topics/{topic}/records` and `GET /records?topics=a,b`: tails as SSE, NDJSON or WebSocket.
import { type Context, Hono, type Next } from 'hono'
import type { OffsetSpec } from '#src/broker/reading.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { type Door, type Env, lostSignal, sessionOf } from '../door.ts'
import { HttpError } from '../errors.ts'
import { MEDIA, negotiate } from '../negotiate.ts'
import { isolationOf, parseTimestamp, topicOf } from '../parameters.ts'
import { type CursorEntry, parseCursor } from './cursor.ts'
import { feedStream } from './feed-stream.ts'
import { Feeds } from './feeds.ts'
import { NDJSON, SSE, textsOf } from './format.ts'
import { GroupTail } from './group-tail.ts'
import { Tail, type TailStart } from './tail.ts'
import type { TailSource } from './tail-step.ts'
import { textStream } from './text-stream.ts'
import { webSocketEvents } from './websocket.ts'

const MAX_TOPICS = 100
const MAX_GROUP_LENGTH = 249

/** Tails of one topic or several. */
export function streamRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  const feeds = new Feeds()
  routes.get('/topics/:topic/records', (c, next) =>
    follow({ door, feeds, c, next, topics: [topicOf(c)] }),
  )
  routes.get('/records', (c, next) => follow({ door, feeds, c, next, topics: topicsOf(c) }))
  return routes
}

interface Follow {
  readonly door: Door
  readonly feeds: Feeds
  readonly c: Context<Env>
  readonly next: Next
  readonly topics: readonly string[]
}

async function follow({ door, feeds, c, next, topics }: Follow): Promise<Response> {
  if (c.req.header('upgrade')?.toLowerCase() === 'websocket') {
    return await upgrade(door, c, next, topics)
  }
  const type = negotiate(c.req.header('accept'), [MEDIA.ndjson, MEDIA.sse])
  const isHead = c.req.raw.method === 'HEAD'
  const format = type === MEDIA.sse ? SSE : NDJSON
  const headers = {
    'content-type': type,
    'cache-control': 'no-store',
    // Asks proxies not to hold events back.
    'x-accel-buffering': 'no',
  }
  if (isHead) {
    const tail = await openTail(door, c, topics, { group: undefined, isAcknowledged: false })
    tail.close()
    return new Response(null, { headers })
  }
  const group = groupOf(c)
  const lost = lostSignal(c)
  if (group === undefined) {
    const { slot, ...start } = startOfTail(door, c, topics)
    const feedSlot = { signal: slot.signal, release: () => undefined }
    const body = await feedStream({
      feeds,
      slot,
      lost,
      start: { ...start, slot: feedSlot, format },
    })
    return new Response(body, { headers })
  }
  const tail = await openTail(door, c, topics, { group, isAcknowledged: false })
  const body = textStream(textsOf(format, tail), { signal: lost, onEnd: tail.close })
  return new Response(body, { headers })
}

/** What a tail without a group begins with. It has taken a slot. */
function startOfTail(door: Door, c: Context<Env>, topics: readonly string[]): TailStart {
  const { broker, config, streams } = door
  const cursor = cursorOf(c)
  const isolation = isolationOf(c)
  const session = sessionOf(door, c)
  const from = fromOf(c, cursor)
  const { heartbeatMs } = config
  return { broker, session, topics, from, cursor, isolation, heartbeatMs, slot: streams.take() }
}

async function upgrade(
  door: Door,
  c: Context<Env>,
  next: Next,
  topics: readonly string[],
): Promise<Response> {
  if (door.upgrade === undefined) {
    throw new HttpError(501, 'A WebSocket needs a socket, and this door is served without one')
  }
  const upgradeWebSocket = await door.upgrade()
  const tail = await openTail(door, c, topics, { group: groupOf(c), isAcknowledged: true })
  const response = await upgradeWebSocket(() => webSocketEvents(tail, door.clock))(c, next)
  if (response instanceof Response) return response
  tail.close()
  throw new HttpError(400, 'This is not a WebSocket handshake')
}

function openTail(
  door: Door,
  c: Context<Env>,
  topics: readonly string[],
  { group, isAcknowledged }: { group: string | undefined; isAcknowledged: boolean },
): Promise<TailSource> {
  if (group === undefined) return Tail.open(startOfTail(door, c, topics))
  // The group knows better where it stands than a client that was cut off: no cursor.
  const { broker, config, streams } = door
  const isolation = isolationOf(c)
  const session = sessionOf(door, c)
  const { heartbeatMs } = config
  const from = startOf(c)
  const slot = streams.take()
  const start = { broker, session, slot, groupId: group, topics, from, isolation, heartbeatMs }
  return GroupTail.open({ ...start, isAcknowledged })
}

/** `?group=`. Throws 400 for a name that is none. */
function groupOf(c: Context<Env>): string | undefined {
  const group = c.req.query('group')
  if (group === undefined || (group.trim() !== '' && group.length <= MAX_GROUP_LENGTH)) return group
  throw new HttpError(400, `group must have between 1 and ${MAX_GROUP_LENGTH} characters`)
}

/** `Last-Event-ID` of a client that returns wins over the parameters it first came with. */
function cursorOf(c: Context<Env>): readonly CursorEntry[] {
  const from = c.req.query('from')
  const text =
    c.req.header('last-event-id') ??
    c.req.query('lastEventId') ??
    (from?.trimStart().startsWith('[') ? from : undefined)
  return text === undefined || text === '' ? [] : parseCursor(text)
}

/**
 * Where partitions begin that the cursor does not name: at their start when there is a cursor, since they came after
 * it; otherwise where `from` says, `latest` when it says nothing.
 */
function fromOf(c: Context<Env>, cursor: readonly CursorEntry[]): OffsetSpec {
  return cursor.length > 0 ? 'earliest' : startOf(c)
}

function startOf(c: Context<Env>): 'earliest' | 'latest' | { timestamp: Int64 } {
  const from = c.req.query('from') ?? 'latest'
  return from === 'earliest' || from === 'latest' ? from : { timestamp: parseTimestamp(from) }
}

function topicsOf(c: Context<Env>): readonly string[] {
  const names = (c.req.query('topics') ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0) throw new HttpError(400, 'Name topics: /records?topics=a,b')
  if (names.length > MAX_TOPICS) {
    throw new HttpError(400, `A tail follows at most ${MAX_TOPICS} topics, not ${names.length}`)
  }
  return [...new Set(names)]
}
