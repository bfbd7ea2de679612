// What stands in a request's path and query.
import type { Context } from 'hono'
import type { Acks } from '#src/broker/broker.ts'
import type { IsolationLevel, OffsetSpec } from '#src/broker/reading.ts'
import { canonicalInt64, type Int64 } from '#storage/bytes/int64.ts'
import type { Env } from './door.ts'
import { HttpError } from './errors.ts'

const MAX_INT32 = 2_147_483_647

/** The topic's name in the path. */
export function topicOf(c: Context<Env>): string {
  return c.req.param('topic') ?? ''
}

/** The partition in the path. Throws 404 when it is not a number. */
export function partitionOf(c: Context<Env>): number {
  const text = c.req.param('partition') ?? ''
  const partition = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (partition >= 0 && partition <= MAX_INT32) return partition
  throw new HttpError(40402, `There is no partition ${text}`)
}

/** A count or duration in the query; larger than `most` is taken as `most`. Throws 400. */
export function countOf(
  c: Context<Env>,
  name: string,
  { otherwise, most }: { otherwise: number; most: number },
): number {
  const text = c.req.query(name)
  if (text === undefined) return Math.min(otherwise, most)
  if (!/^\d{1,15}$/.test(text)) throw new HttpError(400, `${name}=${text} is not a count`)
  return Math.min(Number(text), most)
}

/** `?acks=0|1|all`, `-1` being all; all when it is missing. Throws 400. */
export function acksOf(c: Context<Env>): Acks {
  const text = c.req.query('acks') ?? 'all'
  if (text === '0') return 0
  if (text === '1') return 1
  if (text === 'all' || text === '-1') return -1
  throw new HttpError(400, `acks=${text} is none of 0, 1, all`)
}

/** `?isolation_level=`; read_uncommitted when it is missing, as with Kafka's consumers. Throws 400. */
export function isolationOf(c: Context<Env>): IsolationLevel {
  const text = c.req.query('isolation_level') ?? 'read_uncommitted'
  if (text === 'read_committed' || text === 'read_uncommitted') return text
  throw new HttpError(400, `isolation_level=${text} is none of read_uncommitted, read_committed`)
}

/**
 * A place in a partition, from two parameters of which at most one may be given: an offset, or a time. Undefined when
 * neither is. Throws 400.
 */
export function placeOf(
  c: Context<Env>,
  names: { readonly offset: string; readonly timestamp: string },
): OffsetSpec | undefined {
  const offset = c.req.query(names.offset)
  const timestamp = c.req.query(names.timestamp)
  if (offset !== undefined && timestamp !== undefined) {
    throw new HttpError(400, `Give either ${names.offset} or ${names.timestamp}, not both`)
  }
  if (timestamp !== undefined) return { timestamp: parseTimestamp(timestamp, names.timestamp) }
  return offset === undefined ? undefined : parseOffset(offset, names.offset)
}

/** `earliest`, `latest`, an offset, or `-N` for N before the end. Throws 400. */
export function parseOffset(text: string, name = 'offset'): OffsetSpec {
  if (text === 'earliest' || text === 'latest') return text
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) {
    throw new HttpError(400, `${name}=${text} is none of earliest, latest, N, -N`)
  }
  return text.startsWith('-') ? { fromEnd: -value } : value
}

/** Milliseconds since the epoch, or a date and time as ISO 8601 writes it. Throws 400. */
export function parseTimestamp(text: string, name = 'timestamp'): Int64 {
  if (/^-?\d{1,18}$/.test(text)) return canonicalInt64(BigInt(text))
  const parsed = Date.parse(text)
  if (!Number.isNaN(parsed) && /^\d{4}-/.test(text)) return parsed
  throw new HttpError(400, `${name}=${text} is neither milliseconds nor an ISO 8601 time`)
}
