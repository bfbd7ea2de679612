// `GET /topics/{topic}/records` and `GET /records?topics=a,b`: tails as SSE, NDJSON or WebSocket.
import { type Context, Hono, type Next } from 'hono'
import type { OffsetSpec } from '#src/broker/reading.ts'
import { type Door, type Env, lostSignal, sessionOf } from '../door.ts'
import { HttpError } from '../errors.ts'
import { MEDIA, negotiate } from '../negotiate.ts'
import { isolationOf, parseOffset, parseTimestamp, topicOf } from '../parameters.ts'
import { type CursorEntry, parseCursor } from './cursor.ts'
import { ndjsonTexts } from './ndjson.ts'
import { sseTexts } from './sse.ts'
import { Tail } from './tail.ts'
import { textStream } from './text-stream.ts'
import { webSocketEvents } from './websocket.ts'

const MAX_TOPICS = 100

/** Tails of one topic or several. */
export function streamRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/topics/:topic/records', (c, next) => follow(door, c, next, [topicOf(c)]))
  routes.get('/records', (c, next) => follow(door, c, next, topicsOf(c)))
  return routes
}

async function follow(
  door: Door,
  c: Context<Env>,
  next: Next,
  topics: readonly string[],
): Promise<Response> {
  if (c.req.header('upgrade')?.toLowerCase() === 'websocket') {
    return await upgrade(door, c, next, topics)
  }
  const type = negotiate(c.req.header('accept'), [MEDIA.ndjson, MEDIA.sse])
  const tail = await openTail(door, c, topics)
  const headers = {
    'content-type': type,
    'cache-control': 'no-store',
    // Asks proxies not to hold events back.
    'x-accel-buffering': 'no',
  }
  if (c.req.raw.method === 'HEAD') {
    tail.close()
    return new Response(null, { headers })
  }
  const texts = type === MEDIA.sse ? sseTexts(tail) : ndjsonTexts(tail)
  const body = textStream(texts, { signal: lostSignal(c), onEnd: tail.close })
  return new Response(body, { headers })
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
  const tail = await openTail(door, c, topics)
  const response = await door.upgrade(() => webSocketEvents(tail, door.clock))(c, next)
  if (response instanceof Response) return response
  tail.close()
  throw new HttpError(400, 'This is not a WebSocket handshake')
}

function openTail(door: Door, c: Context<Env>, topics: readonly string[]): Promise<Tail> {
  const { broker, config, streams } = door
  const cursor = cursorOf(c)
  const from = fromOf(c, cursor)
  const isolation = isolationOf(c)
  const session = sessionOf(door, c)
  const { heartbeatMs } = config
  const slot = streams.take()
  return Tail.open({ broker, session, slot, topics, from, cursor, isolation, heartbeatMs })
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
  if (cursor.length > 0) return 'earliest'
  const from = c.req.query('from') ?? 'latest'
  if (from === 'earliest' || from === 'latest') return parseOffset(from)
  return { timestamp: parseTimestamp(from) }
}

function topicsOf(c: Context<Env>): readonly string[] {
  const names = (c.req.query('topics') ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0) throw new HttpError(400, 'Name topics: /records?topics=a,b')
  if (names.length > MAX_TOPICS) {
    throw new HttpError(400, `A tail follows at most ${MAX_TOPICS} topics, not ${names.length}`)
  }
  return [...new Set(names)]
}
