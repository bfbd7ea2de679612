// The HTTP door under seeded attack: mutated paths, queries, headers, cursors and bodies; and bytes that are no HTTP.
// MILLRACE_SEED=n runs one seed, MILLRACE_SEEDS=n so many.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, startBroker } from '../../mod.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { openRawConnection } from './raw-connection.ts'

const only = process.env['MILLRACE_SEED']
const count = Number(process.env['MILLRACE_SEEDS'] ?? 1)
const seeds = only === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [Number(only)]
const REQUESTS = 1500
/** A request that has not been answered by then is stuck. */
const PATIENCE_MS = 25_000

let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker()
  await broker.produce('fuzzed', [{ key: 'k', value: 'v' }])
  await broker.produce('healthy', [{ value: 'stays' }])
})
afterAll(() => broker.stop())

const words = [
  'fuzzed',
  'none',
  '..',
  '%2e%2e',
  '%00',
  '%ff',
  'a b',
  'é',
  '__consumer_offsets',
  '-1',
  '0',
  '99999999999999999999',
  'x'.repeat(300),
  '{}',
  '',
]

function pathOf(random: SeededRandom): string {
  const topic = random.chance(0.6) ? 'fuzzed' : random.pick(words)
  const partition = random.chance(0.6) ? '0' : random.pick(words)
  const cluster = random.chance(0.7) ? broker.broker.clusterId : random.pick(words)
  const v3 = `/v3/clusters/${cluster}`
  const path = random.pick([
    `/topics/${topic}`,
    `/topics/${topic}/partitions/${partition}`,
    `/topics/${topic}/partitions/${partition}/records`,
    `/topics/${topic}/partitions/${partition}/offsets`,
    `/topics/${topic}/records`,
    '/records',
    '/topics',
    '/brokers',
    '/metrics',
    '/health/ready',
    '/openapi.json',
    '/v3/clusters',
    v3,
    `${v3}/brokers/${partition}`,
    `${v3}/topics`,
    `${v3}/topics/${topic}`,
    `${v3}/topics/${topic}/configs`,
    `${v3}/topics/${topic}/configs/${random.pick(words)}`,
    `${v3}/topics/${topic}/partitions/${partition}/replicas`,
    `${v3}/topics/${topic}/records`,
    `/${random.pick(words)}/${random.pick(words)}`,
  ])
  const names = [
    'offset',
    'from',
    'timestamp',
    'max_bytes',
    'max_records',
    'isolation_level',
    'acks',
    'key',
    'topics',
    'cursor',
    'last_event_id',
    'limit',
  ]
  const pairs = Array.from({ length: random.below(4) }, () => {
    const value = random.pick([
      ...words,
      'earliest',
      'latest',
      '-5',
      '1e9',
      '0x10',
      '[{"topic":"fuzzed","partition":0,"offset":0}]',
      '[[[[',
      'null',
    ])
    return `${random.pick(names)}=${random.chance(0.5) ? encodeURIComponent(value) : value.replaceAll(' ', '+')}`
  })
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

const bodies = [
  '{"records":[{"key":"a","value":{"n":1},"headers":[{"name":"h","value":"v"}],"timestamp":5}]}',
  '{"records":[{"value":"QUJD","value_encoding":"base64","partition":0}]}',
  '{"value":1}\n{"value":2}\n{"value":3}\n',
  '{"key":{"type":"STRING","data":"en"},"value":{"type":"JSON","data":{"n":2}}}',
  '{"topic_name":"fuzzed-new","partitions_count":1,"configs":[{"name":"retention.ms","value":"5"}]}',
  '{"data":[{"name":"retention.ms","operation":"SET","value":"1000"}]}',
]
const planted = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u0000',
  '\\ud800',
  '1e999',
  '-',
  '9'.repeat(40),
  'null',
  'true',
  '[]',
  '\n',
  '['.repeat(2000),
  '"__proto__":1,',
]

function bodyOf(random: SeededRandom): Uint8Array<ArrayBuffer> {
  if (random.chance(0.05)) return new Uint8Array(random.bytes(random.below(200)))
  let text = random.pick(bodies)
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(text.length + 1)
    const gone = random.below(4)
    text = text.slice(0, at) + random.pick([...planted, '']) + text.slice(at + gone)
  }
  const bytes = new TextEncoder().encode(text)
  if (random.chance(0.1) && bytes.length > 0) bytes[random.below(bytes.length)] = 0xff
  return bytes
}

function requestOf(random: SeededRandom, signal: AbortSignal): Request {
  // Deleting is left out: what is asserted in the end has to be there.
  const method = random.pick([
    'GET',
    'GET',
    'GET',
    'POST',
    'POST',
    'POST',
    'PUT',
    'PATCH',
    'HEAD',
    'OPTIONS',
  ])
  const headers = new Headers()
  const types = [
    'application/json',
    'application/x-ndjson',
    'application/vnd.kafka.binary.v2+json',
    'application/vnd.kafka.json.v2+json',
    'application/vnd.kafka.avro.v2+json',
    'text/plain',
    ';;;',
    'application/json; charset=latin1',
  ]
  headers.set('content-type', random.pick(types))
  if (random.chance(0.5)) {
    headers.set(
      'accept',
      random.pick([
        'application/json',
        'text/event-stream',
        'application/x-ndjson',
        '*/*;q=9',
        ',,',
        'application/vnd.kafka.binary.v2+json',
      ]),
    )
  }
  if (random.chance(0.2))
    headers.set(
      'last-event-id',
      random.pick([
        ...words.filter((word) => /^[!-~ ]*$/.test(word)),
        '[{"topic":"fuzzed","partition":0,"offset":"x"}]',
      ]),
    )
  if (random.chance(0.1)) headers.set('origin', 'https://elsewhere.example')
  const init: RequestInit = { method, headers, signal }
  if (!['GET', 'HEAD', 'OPTIONS'].includes(method)) init.body = bodyOf(random)
  return new Request(`http://127.0.0.1${pathOf(random)}`, init)
}

/** Answered in time, with no failure of the broker's own, and with the error's own shape. */
async function check(random: SeededRandom): Promise<number> {
  const ending = new AbortController()
  const request = requestOf(random, ending.signal)
  const what = `${request.method} ${request.url}`
  const timer = setTimeout(() => ending.abort(new Error(`No answer: ${what}`)), PATIENCE_MS)
  const late = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason))
  })
  try {
    const response = await Promise.race([broker.fetch(request), late])
    if (response.ok && /event-stream|ndjson/.test(response.headers.get('content-type') ?? '')) {
      // It may never end.
      await response.body?.cancel()
      return response.status
    }
    const text = await Promise.race([response.text(), late])
    if (response.status >= 500)
      throw new Error(`${what} was answered with ${response.status} ${text}`)
    if (response.status >= 400 && request.method !== 'HEAD' && text !== '') {
      const { error_code, message } = JSON.parse(text)
      expect({ what, error_code, message }).toEqual({
        what,
        error_code: expect.any(Number),
        message: expect.any(String),
      })
    }
    return response.status
  } finally {
    clearTimeout(timer)
  }
}

test.each(seeds)('The HTTP door answers every mutated request of seed %i', async (seed) => {
  const random = new SeededRandom(seed)
  const seen = { good: 0, bad: 0 }
  for (let round = 0; round < REQUESTS; round++) {
    try {
      const status = await check(random)
      if (status < 300) seen.good++
      else seen.bad++
    } catch (cause) {
      throw new Error(`MILLRACE_SEED=${seed}, request ${round}: ${cause}`, { cause })
    }
  }
  // A run in which nearly everything is refused, or nothing, tests nothing.
  expect(seen.good).toBeGreaterThan(REQUESTS / 10)
  expect(seen.bad).toBeGreaterThan(REQUESTS / 10)
  const { records } = await broker.read('healthy')
  expect(records.map(({ offset }) => offset)).toEqual([0])
})

test.each(seeds)('The HTTP door outlives bytes that are no HTTP, of seed %i', async (seed) => {
  const random = new SeededRandom(seed)
  const port = Number(new URL(broker.url ?? '').port)
  const good = Buffer.from(
    'POST /topics/fuzzed HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 28\r\n\r\n{"records":[{"value":"ok"}]}',
  )
  for (let round = 0; round < 60; round++) {
    const bytes = random.chance(0.2) ? random.bytes(random.below(500)) : new Uint8Array(good)
    for (let changes = 1 + random.below(3); changes > 0; changes--) {
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.uint32()
    }
    const connection = await openRawConnection(port)
    connection.send(bytes)
    connection.end()
    await connection.rest(200)
    connection.destroy()
    if (round % 10 === 9) {
      const answer = await fetch(`${broker.url}/topics/healthy`)
      expect(answer.status, `MILLRACE_SEED=${seed}, round ${round}`).toBe(200)
      await answer.text()
    }
  }
})
