// Produce: REST v2's JSON and binary, plain JSON, NDJSON streamed, and any other body as one raw record.
import { type Context, Hono } from 'hono'
import type { Acks, ProducedRecord, ProducedResult } from '#src/broker/broker.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { bodyPieces, parseJson, readBytes, textOf } from './body.ts'
import { type Door, type Env, lostSignal, sessionOf } from './door.ts'
import { errorCodeOf, HttpError, recordError, statusOf } from './errors.ts'
import { scanRecord, scanRecords } from './json-scan.ts'
import { arrayElements, objectMembers } from './json-text.ts'
import { MEDIA, mediaType, negotiate } from './negotiate.ts'
import { acksOf, parseTimestamp, partitionOf, topicOf } from './parameters.ts'
import { type Outcome, produceStream } from './produce-stream.ts'
import { decodeRecord } from './produced-record.ts'
import type { RecordFormat } from './record-json.ts'
import { LineSplitter } from './split.ts'
import { textStream } from './stream/text-stream.ts'
import { answer, answerText, findPartition } from './topics.ts'

/** The most refused lines that the summary of a streamed produce lists. */
const MAX_LISTED_ERRORS = 100

/** `POST /topics/{topic}` and `POST /topics/{topic}/partitions/{partition}`. */
export function produceRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.post('/topics/:topic', (c) => produce(door, c, undefined))
  routes.post('/topics/:topic/partitions/:partition', (c) => produce(door, c, partitionOf(c)))
  return routes
}

interface Target {
  readonly topic: string
  readonly partition: number | undefined
  readonly acks: Acks
}

function produce(door: Door, c: Context<Env>, partition: number | undefined): Promise<Response> {
  const target = { topic: topicOf(c), partition, acks: acksOf(c) }
  const type = mediaType(c.req.header('content-type'))
  switch (type) {
    case MEDIA.json:
      return produceList(door, c, target, 'plain')
    case MEDIA.v2Json:
      return produceList(door, c, target, 'json')
    case MEDIA.v2Binary:
      return produceList(door, c, target, 'binary')
    case MEDIA.ndjson:
      return produceLines(door, c, target)
    default:
      if (!/^application\/vnd\.kafka\./.test(type)) return produceRaw(door, c, target)
      throw new HttpError(
        415,
        `${type} is not supported: ${MEDIA.v2Json} and ${MEDIA.v2Binary} are`,
      )
  }
}

async function produceList(
  door: Door,
  c: Context<Env>,
  target: Target,
  format: RecordFormat,
): Promise<Response> {
  const { maxRequestRecords } = door.config
  const bytes = await readBytes(door, c.req.raw)
  const records =
    (format === 'binary' ? undefined : scanRecords(bytes, format, maxRequestRecords)) ??
    decodeList(textOf(bytes), format, maxRequestRecords)
  const { partition } = target
  const here = partition === undefined ? records : records.map((each) => placed(each, partition))
  return append(door, c, target, here)
}

async function produceRaw(door: Door, c: Context<Env>, target: Target): Promise<Response> {
  const key = c.req.query('key')
  const timestamp = c.req.query('timestamp')
  const record: ProducedRecord = {
    partition: target.partition,
    key: key === undefined ? null : new TextEncoder().encode(key),
    value: await readBytes(door, c.req.raw),
    headers: [],
    timestamp: timestamp === undefined ? undefined : parseTimestamp(timestamp),
  }
  return append(door, c, target, [record])
}

async function append(
  door: Door,
  c: Context<Env>,
  target: Target,
  records: readonly ProducedRecord[],
): Promise<Response> {
  const session = sessionOf(door, c)
  if (target.partition !== undefined) {
    findPartition(await door.broker.ensureTopic(session, target.topic), target.partition)
  }
  const results = await door.gather.produce(session, target.topic, records, target.acks)
  return answerText(c, offsetsJson(results), deniedStatus(results) ?? 200)
}

/** A streamed body: a summary at its end, or a line per record while it arrives for clients that accept NDJSON. */
async function produceLines(door: Door, c: Context<Env>, target: Target): Promise<Response> {
  const session = sessionOf(door, c)
  const wantsLines =
    negotiate(c.req.header('accept'), [MEDIA.json, MEDIA.v2, MEDIA.ndjson]) === MEDIA.ndjson
  const description = await door.broker.ensureTopic(session, target.topic)
  if (target.partition !== undefined) findPartition(description, target.partition)
  const slot = door.streams.take()
  const outcomes = produceStream(door, session, {
    topic: target.topic,
    acks: target.acks,
    pieces: bodyPieces(c.req.raw, { signal: slot.signal }),
    splitter: new LineSplitter(door.config.maxRequestBytes),
    scan: (bytes) => placedIfAny(scanRecord(bytes, 'plain'), target.partition),
    decode: (text) => placed(decodeRecord(text, 'plain'), target.partition),
  })
  if (wantsLines) {
    const texts = outcomeLines(outcomes)
    const body = textStream(texts, { signal: lostSignal(c), onEnd: slot.release })
    return c.body(body, 200, { 'content-type': MEDIA.ndjson })
  }
  try {
    return answer(c, await summaryOf(outcomes, slot.signal))
  } finally {
    slot.release()
  }
}

async function* outcomeLines(outcomes: AsyncGenerator<readonly Outcome[]>): AsyncGenerator<string> {
  for await (const group of outcomes) {
    yield group.map((outcome) => `${JSON.stringify(outcomeLine(outcome))}\n`).join('')
  }
}

function outcomeLine({ item, placed: place, error }: Outcome): object {
  if (place === undefined)
    return { line: item, partition: null, offset: null, ...recordError(error) }
  const { partition, offset } = place
  return { line: item, partition, offset, error_code: null, error: null }
}

async function summaryOf(
  outcomes: AsyncGenerator<readonly Outcome[]>,
  stopping: AbortSignal,
): Promise<object> {
  const partitions = new Map<number, { first: number; last: number; records: number }>()
  const errors: object[] = []
  let failed = 0
  let records = 0
  for await (const group of outcomes) {
    for (const { item, placed: place, error } of group) {
      if (place === undefined) {
        failed += 1
        if (errors.length < MAX_LISTED_ERRORS) errors.push({ line: item, ...recordError(error) })
        continue
      }
      records += 1
      const entry = partitions.get(place.partition)
      if (entry === undefined) {
        partitions.set(place.partition, { first: place.offset, last: place.offset, records: 1 })
      } else {
        entry.last = place.offset
        entry.records += 1
      }
    }
  }
  const list = [...partitions].toSorted(([left], [right]) => left - right)
  return {
    records,
    failed,
    complete: !stopping.aborted,
    partitions: list.map(([partition, { first, last, records }]) => ({
      partition,
      first_offset: first,
      last_offset: last,
      records,
    })),
    errors,
  }
}

/** The records of a REST v2 body, each from its own text. */
function decodeList(text: string, format: RecordFormat, maxRecords: number): ProducedRecord[] {
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null || !('records' in parsed)) {
    throw new HttpError(42206, 'The body must be {"records": [{"value": …}, …]}')
  }
  if (!Array.isArray(parsed.records)) throw new HttpError(42206, 'records must be a list')
  const count = parsed.records.length
  if (count === 0) throw new HttpError(42206, 'records is empty')
  if (count > maxRecords) {
    throw new HttpError(
      41301,
      `${count} records are more than the ${maxRecords} that one body may hold`,
    )
  }
  return arrayElements(objectMembers(text).get('records') ?? '[]').map((element, index) => {
    try {
      return decodeRecord(element, format)
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      throw new HttpError(error.errorCode, `records[${index}]: ${error.message}`)
    }
  })
}

/** A record for the partition in the path. Throws 422 when it asks for another. */
function placed(record: ProducedRecord, partition: number | undefined): ProducedRecord {
  if (partition === undefined) return record
  if (record.partition !== undefined && record.partition !== partition) {
    throw new HttpError(
      42206,
      `A record asks for partition ${record.partition}, the path for ${partition}`,
    )
  }
  return { ...record, partition }
}

function placedIfAny(record: ProducedRecord | undefined, partition: number | undefined) {
  return record === undefined ? undefined : placed(record, partition)
}

function offsetsJson(results: readonly ProducedResult[]): string {
  let entries = ''
  for (const result of results) entries += `${entries === '' ? '' : ','}${offsetJson(result)}`
  return `{"offsets":[${entries}],"key_schema_id":null,"value_schema_id":null}`
}

function offsetJson(result: ProducedResult): string {
  if ('error' in result) {
    const error = new KafkaError(result.error, result.message)
    return JSON.stringify({ partition: null, offset: null, ...recordError(error) })
  }
  const { partition, offset } = result
  return `{"partition":${partition},"offset":${offset},"error_code":null,"error":null}`
}

/** 401 or 403 when every record was refused for want of rights, as REST Proxy does. */
function deniedStatus(results: readonly ProducedResult[]): number | undefined {
  if (results.some((result) => !('error' in result))) return undefined
  const statuses = new Set(
    results.map((result) => ('error' in result ? statusOf(errorCodeOf(result.error)) : 200)),
  )
  const [status] = statuses
  return statuses.size === 1 && (status === 401 || status === 403) ? status : undefined
}
