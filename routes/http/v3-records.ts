// REST v3 produce: JSON objects one behind another, answered one by one while they arrive.
import { Hono } from 'hono'
import type { ProducedRecord } from '#src/broker/broker.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { decodeBase64 } from './base64.ts'
import { bodyPieces } from './body.ts'
import { type Door, type Env, lostSignal, sessionOf } from './door.ts'
import { errorBody, HttpError } from './errors.ts'
import { objectMembers } from './json-text.ts'
import { MEDIA, mediaType } from './negotiate.ts'
import { acksOf, topicOf } from './parameters.ts'
import { type Outcome, produceStream } from './produce-stream.ts'
import { decodeRecord, parseInt64 } from './produced-record.ts'
import { JsonSplitter } from './split.ts'
import { textStream } from './stream/text-stream.ts'
import { Resources } from './v3-resource.ts'

const encoder = new TextEncoder()

/** `POST /v3/clusters/{id}/topics/{topic}/records`. */
export function v3RecordRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.post('/v3/clusters/:cluster/topics/:topic/records', async (c) => {
    const { clusterId } = new Resources(door, c)
    const type = mediaType(c.req.header('content-type'))
    if (type !== MEDIA.json) throw new HttpError(415, `The body must be ${MEDIA.json}, not ${type}`)
    const topic = topicOf(c)
    const acks = acksOf(c)
    const session = sessionOf(door, c)
    await door.broker.ensureTopic(session, topic)
    const slot = door.streams.take()
    const outcomes = produceStream(door, session, {
      topic,
      acks,
      pieces: bodyPieces(c.req.raw, { signal: slot.signal }),
      splitter: new JsonSplitter(door.config.maxRequestBytes),
      decode: decodeV3Record,
    })
    const body = textStream(reports(outcomes, { cluster_id: clusterId, topic_name: topic }), {
      signal: lostSignal(c),
      onEnd: slot.release,
    })
    return c.body(body, 200, { 'content-type': MEDIA.json })
  })
  return routes
}

/** A delivery report per record. What makes the rest of the body unreadable is the last report. */
async function* reports(
  outcomes: AsyncGenerator<readonly Outcome[]>,
  place: { cluster_id: string; topic_name: string },
): AsyncGenerator<string> {
  try {
    for await (const group of outcomes) {
      yield group.map((outcome) => `${JSON.stringify(reportOf(outcome, place))}\n`).join('')
    }
  } catch (error) {
    yield `${JSON.stringify(errorBody(error, 'v3'))}\n`
  }
}

function reportOf({ record, placed, error }: Outcome, place: object): object {
  if (placed === undefined || record === undefined) return errorBody(error, 'v3')
  return {
    error_code: 200,
    ...place,
    partition_id: placed.partition,
    offset: placed.offset,
    timestamp: isoTime(placed.timestamp),
    ...(record.key === null ? {} : { key: { size: record.key.length } }),
    ...(record.value === null ? {} : { value: { size: record.value.length } }),
  }
}

/** Years that ISO 8601 has no room for are shown as the integer they are. */
function isoTime(timestamp: Int64): string {
  const date = new Date(Number(timestamp))
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString()
}

function decodeV3Record(text: string): ProducedRecord {
  if (text[0] !== '{') throw new HttpError(42206, 'A record is a JSON object')
  const members = objectMembers(text)
  const partition = members.get('partition_id')
  const headers = members.get('headers')
  // partition_id and headers are as in v2's binary format but for the name.
  const shared = decodeRecord(
    `{"partition":${partition ?? 'null'},"headers":${headers ?? 'null'}}`,
    'binary',
  )
  return {
    ...shared,
    key: dataOf('key', members.get('key')),
    value: dataOf('value', members.get('value')),
    timestamp: timestampOf(members.get('timestamp')),
  }
}

/** `{"type": "BINARY" | "JSON" | "STRING", "data": …}`, where data may be null. */
function dataOf(name: string, text: string | undefined): Uint8Array | null {
  if (text === undefined || text === 'null') return null
  if (text[0] !== '{') throw new HttpError(42206, `The ${name} must be {"type", "data"}`)
  const members = objectMembers(text)
  const data = members.get('data')
  if (data === undefined || data === 'null') return null
  const type: unknown = JSON.parse(members.get('type') ?? 'null')
  if (type === 'JSON') return encoder.encode(data)
  if (type !== 'BINARY' && type !== 'STRING') {
    throw new HttpError(42206, `The type of the ${name} is none of BINARY, JSON, STRING`)
  }
  const content: unknown = JSON.parse(data)
  if (typeof content !== 'string') throw new HttpError(42206, `The data of the ${name} is a string`)
  return type === 'STRING' ? encoder.encode(content) : decodeBase64(content, name)
}

function timestampOf(text: string | undefined): Int64 | undefined {
  if (text === undefined || text === 'null') return undefined
  const milliseconds = text.startsWith('"') ? Date.parse(String(JSON.parse(text))) : Number.NaN
  return Number.isNaN(milliseconds) ? parseInt64(text) : milliseconds
}
