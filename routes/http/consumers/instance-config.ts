// What `POST /consumers/{group}` says of the consumer to be: REST Proxy's names, and Kafka's where it has none.
import type { ConsumerOptions } from '#src/broker/consumers/consumer-options.ts'
import { HttpError } from '../errors.ts'

/** How a consumer instance was asked to be. */
export interface InstanceConfig {
  /** Undefined: the door makes one. */
  readonly name: string | undefined
  readonly format: 'json' | 'binary'
  /** How long a read waits that does not say so itself. */
  readonly requestTimeoutMs: number
  readonly options: Omit<ConsumerOptions, 'groupId'>
}

const INVALID_CONFIG = 42204
const REQUEST_TIMEOUT_MS = 1_000
const AUTO_COMMIT_INTERVAL_MS = 5_000
/** A client says by its next read that it is done; one that reads more seldom than this reads some records twice. */
const HANDOVER_MS = 30_000
const REBALANCE_TIMEOUT_MS = 60_000
const MAX_NAME_LENGTH = 249

type Reset = 'earliest' | 'latest' | 'none'
const RESETS: readonly Reset[] = ['earliest', 'latest', 'none']

const NAMES = [
  'name',
  'id',
  'format',
  'auto.offset.reset',
  'auto.commit.enable',
  'enable.auto.commit',
  'auto.commit.interval.ms',
  'isolation.level',
  'group.instance.id',
  'consumer.request.timeout.ms',
  // Taken and of no effect: a read answers as soon as there is a record.
  'fetch.min.bytes',
]

/** Reads the body, nothing in it being required. Throws 422 (42204). */
export function parseInstanceConfig(body: unknown): InstanceConfig {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('The configuration of a consumer is a JSON object')
  }
  const config = new Texts(body as Record<string, unknown>)
  const autoCommit = config.one('auto.commit.enable', ['true', 'false'])
  const isAutomatic =
    (autoCommit ?? config.one('enable.auto.commit', ['true', 'false'])) !== 'false'
  const intervalMs = config.count('auto.commit.interval.ms') ?? AUTO_COMMIT_INTERVAL_MS
  config.count('fetch.min.bytes')
  return {
    name: config.name('id') ?? config.name('name'),
    format: config.one('format', ['json', 'binary']) ?? 'binary',
    requestTimeoutMs: config.count('consumer.request.timeout.ms') ?? REQUEST_TIMEOUT_MS,
    options: {
      instanceId: config.name('group.instance.id') ?? null,
      autoOffsetReset: config.one<Reset>('auto.offset.reset', RESETS) ?? 'latest',
      autoCommitIntervalMs: isAutomatic ? intervalMs : undefined,
      settledBy: 'poll',
      isolation:
        config.one('isolation.level', ['read_uncommitted', 'read_committed']) ?? 'read_uncommitted',
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      handoverMs: HANDOVER_MS,
    },
  }
}

/** Settings as texts; numbers and booleans count as their text, null as nothing. */
class Texts {
  readonly #values = new Map<string, string>()

  constructor(body: Record<string, unknown>) {
    for (const [name, value] of Object.entries(body)) {
      if (!NAMES.includes(name)) {
        throw invalid(`A consumer has no setting ${name}; there are ${NAMES.join(', ')}`)
      }
      if (value === null) continue
      if (typeof value === 'object') throw invalid(`${name} must be a text`)
      this.#values.set(name, String(value))
    }
  }

  one<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    const found = allowed.find((value) => value === text.toLowerCase())
    if (found === undefined) throw invalid(`${name}=${text} is none of ${allowed.join(', ')}`)
    return found
  }

  /** -1 is nothing said. */
  count(name: string): number | undefined {
    const text = this.#values.get(name)
    if (text === undefined || text === '-1') return undefined
    if (!/^\d{1,9}$/.test(text)) throw invalid(`${name}=${text} is not a count`)
    return Number(text)
  }

  name(name: string): string | undefined {
    const text = this.#values.get(name)
    if (text === undefined) return undefined
    if (text.trim() !== '' && text.length <= MAX_NAME_LENGTH) return text
    throw invalid(`${name} must have between 1 and ${MAX_NAME_LENGTH} characters`)
  }
}

function invalid(detail: string): HttpError {
  return new HttpError(INVALID_CONFIG, detail)
}
