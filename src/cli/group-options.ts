// Options of commands on groups: where to go, and which topics and partitions are meant.
import { usageError } from './command-error.ts'
import { parsePlace } from './places.ts'

/** The options of `groups reset`. */
export interface ResetFlags {
  readonly to?: string
  readonly shiftBy?: string
  readonly byDuration?: string
  readonly topic?: readonly string[]
  readonly execute?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
}

/** Topics and partitions as the broker wants to be told. */
export interface Scope {
  readonly topics?: readonly string[]
  readonly partitions?: readonly { readonly topic: string; readonly partition: number }[]
}

/** Where to go, and which partitions. Throws what the user has to mend. */
export function resetBody(flags: ResetFlags): Record<string, unknown> {
  const ways = [flags.to, flags.shiftBy, flags.byDuration].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    throw usageError('Say where to go: one of --to, --shift-by and --by-duration')
  }
  return { ...targetOf(flags), ...scopeOf(flags.topic ?? []) }
}

/** `orders` is a topic, `orders:0,3` are two of its partitions. */
export function scopeOf(texts: readonly string[]): Scope {
  const topics: string[] = []
  const partitions: { topic: string; partition: number }[] = []
  for (const text of texts) {
    const [topic = '', numbers, ...rest] = text.split(':')
    if (topic === '' || rest.length > 0) throw notTopic(text)
    if (numbers === undefined) topics.push(topic)
    else partitions.push(...numbersOf(numbers, text).map((partition) => ({ topic, partition })))
  }
  return {
    ...(topics.length > 0 ? { topics } : {}),
    ...(partitions.length > 0 ? { partitions } : {}),
  }
}

function targetOf({ to, shiftBy, byDuration }: ResetFlags): Record<string, unknown> {
  if (shiftBy !== undefined) return { to: 'shift', shift: wholeNumber(shiftBy) }
  if (byDuration !== undefined) return { to: 'duration', duration: byDuration }
  if (to === 'current') return { to }
  const place = parsePlace(to ?? '')
  if (place === undefined || ('offset' in place && place.offset.startsWith('-'))) {
    throw usageError(`--to ${to} is none of beginning, end, current, an offset, or a time`)
  }
  if ('timestamp' in place) return { to: 'timestamp', timestamp: place.timestamp }
  const { offset } = place
  if (offset === 'earliest' || offset === 'latest') return { to: offset }
  return { to: 'offset', offset: Number(offset) }
}

function wholeNumber(text: string): number {
  const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw usageError(`--shift-by ${text} is not a whole number`)
}

function numbersOf(numbers: string, text: string): number[] {
  return numbers.split(',').map((number) => {
    if (/^\d{1,10}$/.test(number)) return Number(number)
    throw notTopic(text)
  })
}

function notTopic(text: string) {
  return usageError(`--topic ${text} is neither a topic nor partitions such as orders:0,3`)
}
