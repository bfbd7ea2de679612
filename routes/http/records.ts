// The stateless read: records of one partition from an offset or a timestamp on, waiting for them if asked to.
import { type Context, Hono } from 'hono'
import type { ReadResult, StoredRecord } from '#src/broker/reading.ts'
import { anySignal } from '#storage/base/any-signal.ts'
import { type Door, type Env, existingTopic, lostSignal, sessionOf } from './door.ts'
import { MEDIA, negotiate } from './negotiate.ts'
import { countOf, isolationOf, partitionOf, placeOf, topicOf } from './parameters.ts'
import { type RecordFormat, recordJson, timestampJson } from './record-json.ts'
import { findPartition } from './topics.ts'

const OFFERS = [MEDIA.json, MEDIA.v2Json, MEDIA.v2Binary, MEDIA.v2, MEDIA.ndjson, MEDIA.bytes]
const DEFAULT_BYTES = 1024 * 1024
const DEFAULT_RECORDS = 1_000

/** `GET /topics/{topic}/partitions/{partition}/records`. */
export function recordRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/topics/:topic/partitions/:partition/records', async (c) => {
    const type = negotiate(c.req.header('accept'), OFFERS)
    const result = await readPartition(door, c, type === MEDIA.bytes ? 1 : undefined)
    if (type === MEDIA.bytes) return rawAnswer(result)
    const headers = { ...positionHeaders(result), 'content-type': type }
    if (type === MEDIA.ndjson) {
      const lines = result.records.map((record) => `${recordJson(record)}\n`)
      return c.body(lines.join(''), 200, headers)
    }
    const records = result.records.map((record) => recordJson(record, formatOf(type)))
    return c.body(`[${records.join(',')}]`, 200, headers)
  })
  return routes
}

function formatOf(type: string): RecordFormat {
  if (type === MEDIA.v2Binary) return 'binary'
  return type === MEDIA.json ? 'plain' : 'json'
}

/** Reads at once, or waits up to `timeout` for the first record. A wait takes one of the door's stream slots. */
async function readPartition(
  door: Door,
  c: Context<Env>,
  recordCount: number | undefined,
): Promise<ReadResult> {
  const { broker, config } = door
  const session = sessionOf(door, c)
  const topic = topicOf(c)
  const description = await existingTopic(broker, session, topic)
  const { partition } = findPartition(description, partitionOf(c))
  const waitMs = countOf(c, 'timeout', { otherwise: 0, most: config.maxWaitMs })
  const request = {
    topic,
    partition,
    maxBytes: countOf(c, 'max_bytes', { otherwise: DEFAULT_BYTES, most: config.maxReadBytes }),
    maxRecords:
      recordCount ??
      countOf(c, 'max_records', { otherwise: DEFAULT_RECORDS, most: config.maxReadRecords }),
    isolation: isolationOf(c),
  }
  const spec = placeOf(c, { offset: 'offset', timestamp: 'timestamp' }) ?? 'earliest'
  const offset = broker.findOffset(session, { topic, partition, spec })
  const result = await broker.readRecords(session, { ...request, offset })
  if (result.records.length > 0 || waitMs === 0 || request.maxRecords === 0) return result
  const slot = door.streams.take()
  const { signal, release } = anySignal([slot.signal, lostSignal(c)])
  try {
    const positions = [{ topic, partition, offset: result.nextOffset }]
    const { isolation } = request
    const hasMore = await broker.waitForRecords(session, { positions, waitMs, isolation, signal })
    if (!hasMore) return result
    return await broker.readRecords(session, { ...request, offset: result.nextOffset })
  } finally {
    release()
    slot.release()
  }
}

/** The value of one record as it is stored; 204 when there is no record, or a tombstone. */
function rawAnswer(result: ReadResult): Response {
  const [record] = result.records
  const headers = record === undefined ? positionHeaders(result) : recordHeaders(result, record)
  const value = record?.value ?? null
  if (value === null) return new Response(null, { status: 204, headers })
  return new Response(new Uint8Array(value), {
    headers: { ...headers, 'content-type': MEDIA.bytes },
  })
}

function recordHeaders(result: ReadResult, record: StoredRecord): Record<string, string> {
  return {
    ...positionHeaders(result),
    'millrace-offset': String(record.offset),
    'millrace-timestamp': timestampJson(record.timestamp).replaceAll('"', ''),
  }
}

function positionHeaders(result: ReadResult): Record<string, string> {
  return {
    'millrace-next-offset': String(result.nextOffset),
    'millrace-high-watermark': String(result.highWatermark),
    'millrace-log-start-offset': String(result.logStartOffset),
  }
}
