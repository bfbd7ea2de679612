// The body of a reset: `to` says which way, and one further member says where.
import type { OffsetResetCall } from '#src/broker/group-admin/offset-resets.ts'
import type { ResetTarget } from '#src/broker/group-admin/reset-target.ts'
import { HttpError } from './errors.ts'
import { parseTimestamp } from './parameters.ts'
import type { Body } from './schemas.ts'

type Reset = Body<'ResetOffsets'>

/** The member that each way needs, and no other may have. */
const VALUES = {
  earliest: undefined,
  latest: undefined,
  current: undefined,
  offset: 'offset',
  timestamp: 'timestamp',
  duration: 'duration',
  shift: 'shift',
} as const satisfies Record<Reset['to'], keyof Reset | undefined>

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const SECOND_MS = 1_000

/** What the body asks for. `now` is what durations count back from. Throws 422, and 400 for what is no time. */
export function resetCall(groupId: string, body: Reset, now: number): OffsetResetCall {
  checkValues(body)
  const scope = scopeOf(body)
  return {
    groupId,
    to: targetOf(body, now),
    scope: scope?.map(({ offset, ...at }) => ({
      ...at,
      ...(offset === undefined ? {} : { to: { offset } }),
    })),
    isDryRun: body.dry_run ?? false,
    isForced: body.force ?? false,
  }
}

/** The topics and partitions of a body; undefined when it names none. */
export function scopeOf({
  topics,
  partitions,
}: Pick<Reset, 'topics' | 'partitions'>):
  | { readonly topic: string; readonly partition?: number; readonly offset?: number }[]
  | undefined {
  if (!topics && !partitions) return undefined
  const entries = (partitions ?? []).map(({ topic, partition, offset }) => ({
    topic,
    partition,
    ...(offset === undefined || offset === null ? {} : { offset }),
  }))
  return [...(topics ?? []).map((topic) => ({ topic })), ...entries]
}

function checkValues(body: Reset): void {
  const { to, topics, partitions } = body
  const needed = VALUES[to]
  for (const value of Object.values(VALUES)) {
    if (value === undefined || value === needed || !isGiven(body[value])) continue
    throw new HttpError(422, `${value} goes with "to": "${value}", not with "to": "${to}"`)
  }
  const own = partitions ?? []
  if (to !== 'offset' && own.some(({ offset }) => isGiven(offset))) {
    throw new HttpError(422, `The offset of a partition goes with "to": "offset", not "${to}"`)
  }
  if (needed === undefined || isGiven(body[needed])) return
  const isEachItsOwn = to === 'offset' && !topics && own.every(({ offset }) => isGiven(offset))
  if (isEachItsOwn && own.length > 0) return
  throw new HttpError(422, `"to": "${to}" needs ${needed}`)
}

function targetOf({ to, offset, timestamp, duration, shift }: Reset, now: number): ResetTarget {
  switch (to) {
    case 'offset':
      return { offset: offset ?? 0 }
    case 'timestamp':
      return { timestamp: parseTimestamp(String(timestamp)) }
    case 'duration':
      return { timestamp: now - parseDuration(duration ?? '') }
    case 'shift':
      return { shiftBy: shift ?? 0 }
    default:
      return to
  }
}

/** Milliseconds of a duration as ISO 8601 writes it, without months, whose length varies. Throws 422. */
function parseDuration(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/i.exec(text)
  if (!parts || /[PT]$/i.test(text)) {
    throw new HttpError(422, `duration=${text} is not of the form P1DT2H3M4S`)
  }
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts
  const ms =
    Number(days) * DAY_MS +
    Number(hours) * HOUR_MS +
    Number(minutes) * MINUTE_MS +
    Math.round(Number(seconds) * SECOND_MS)
  if (Number.isSafeInteger(ms)) return ms
  throw new HttpError(422, `duration=${text} is longer than time itself`)
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null
