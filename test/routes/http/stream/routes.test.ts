// Tails as SSE, NDJSON and WebSocket: begin, resume, lag, end.
import { expect, test } from 'vitest'
import { runningBroker } from '../running.ts'

const { ask, get, createTopic, cluster, door } = await runningBroker({
  heartbeatMs: 40,
  maxStreams: 20,
})
const full = await runningBroker({ maxStreams: 2 })
const SSE = { accept: 'text/event-stream' }

interface SseEvent {
  event: string
  id: string
  data: Record<string, unknown>
}

/** Reads a stream in blocks that end with a separator. */
class Blocks {
  readonly #reader: ReadableStreamDefaultReader<string>
  readonly #separator: string
  #text = ''

  constructor(response: Response, separator: string) {
    expect(response.status).toBe(200)
    const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>>
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader()
    this.#separator = separator
  }

  /** The next block, or undefined when the stream has ended. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf(this.#separator)
      if (end >= 0) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + this.#separator.length)
        return block
      }
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#text += value
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

class Events {
  readonly #blocks: Blocks

  private constructor(response: Response) {
    this.#blocks = new Blocks(response, '\n\n')
  }

  static async open(path: string, headers: Record<string, string> = {}): Promise<Events> {
    return new Events(await ask('GET', path, undefined, { ...SSE, ...headers }))
  }

  async next(): Promise<SseEvent | undefined> {
    const block = await this.#blocks.next()
    if (block === undefined) return undefined
    const fields = Object.fromEntries(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    )
    return {
      event: fields['event'] ?? '',
      id: fields['id'] ?? '',
      data: JSON.parse(fields['data'] ?? ''),
    }
  }

  /** The next event that is not a heartbeat. */
  async message(): Promise<SseEvent | undefined> {
    for (;;) {
      const event = await this.next()
      if (event?.event !== 'ping') return event
    }
  }

  async messages(count: number): Promise<SseEvent[]> {
    const found: SseEvent[] = []
    while (found.length < count) found.push((await this.message()) as SseEvent)
    return found
  }

  cancel(): Promise<void> {
    return this.#blocks.cancel()
  }
}

const produce = (topic: string, ...values: unknown[]) =>
  ask('POST', `/topics/${topic}`, { records: values.map((value) => ({ value })) })

test('A tail as SSE begins with its cursor, then hands out what is there and what comes', async () => {
  await createTopic('sse', 2)
  await ask('POST', '/topics/sse/partitions/0', { records: [{ key: 'k', value: 'old' }] })
  const events = await Events.open('/topics/sse/records?from=earliest')
  const first = await events.next()
  expect(first).toMatchObject({ event: 'ping', data: {} })
  expect(JSON.parse(first?.id ?? '')).toEqual([
    { topic: 'sse', partition: 0, offset: 0 },
    { topic: 'sse', partition: 1, offset: 0 },
  ])
  const old = await events.message()
  expect(old).toMatchObject({ event: 'message', data: { topic: 'sse', key: 'k', value: 'old' } })
  await ask('POST', '/topics/sse/partitions/1', { records: [{ value: 'new' }] })
  const fresh = await events.message()
  expect(fresh?.data).toMatchObject({ partition: 1, offset: 0, value: 'new' })
  expect(JSON.parse(fresh?.id ?? '')).toEqual([
    { topic: 'sse', partition: 0, offset: 1 },
    { topic: 'sse', partition: 1, offset: 1 },
  ])
  await events.cancel()
})

test('A tail begins at the latest record unless told otherwise', async () => {
  await createTopic('latest')
  await produce('latest', 'before')
  const events = await Events.open('/topics/latest/records')
  await events.next()
  await produce('latest', 'after')
  expect((await events.message())?.data).toMatchObject({ value: 'after', offset: 1 })
  await events.cancel()
})

test('A tail begins at a timestamp', async () => {
  await createTopic('timed')
  const records = [100, 200, 300].map((timestamp) => ({ value: timestamp, timestamp }))
  await ask('POST', '/topics/timed', { records })
  const events = await Events.open('/topics/timed/records?from=200')
  const found = await events.messages(2)
  expect(found.map(({ data }) => data['value'])).toEqual([200, 300])
  await events.cancel()
})

test.each([
  { way: 'the Last-Event-ID header', query: '', header: true },
  { way: '?lastEventId=', query: 'lastEventId', header: false },
  { way: '?from=', query: 'from', header: false },
])('A tail resumed by $way loses nothing and doubles nothing', async ({ query, header }) => {
  const topic = `resume-${query || 'header'}`
  await createTopic(topic, 3)
  await produce(topic, ...Array.from({ length: 30 }, (_, value) => value))
  const seen: unknown[] = []
  let id = ''
  for (const count of [1, 7, 13, 9]) {
    const parameter = id && query ? `&${query}=${encodeURIComponent(id)}` : ''
    const start = query === 'from' && id ? '' : 'from=earliest'
    const headers: Record<string, string> = header && id ? { 'last-event-id': id } : {}
    const events = await Events.open(`/topics/${topic}/records?${start}${parameter}`, headers)
    for (const event of await events.messages(count)) {
      seen.push(event.data['value'])
      id = event.id
    }
    await events.cancel()
  }
  expect(seen.toSorted((left, right) => Number(left) - Number(right))).toEqual(
    Array.from({ length: 30 }, (_, value) => value),
  )
})

test('A tail that was cut before its first record resumes from its first heartbeat', async () => {
  await createTopic('quiet')
  const events = await Events.open('/topics/quiet/records')
  const first = await events.next()
  await events.cancel()
  await produce('quiet', 'meanwhile')
  const resumed = await Events.open('/topics/quiet/records', { 'last-event-id': first?.id ?? '' })
  expect((await resumed.message())?.data).toMatchObject({ value: 'meanwhile' })
  await resumed.cancel()
})

test('A tail that is idle shows that it lives', async () => {
  await createTopic('idle')
  const events = await Events.open('/topics/idle/records')
  await events.next()
  expect(await events.next()).toMatchObject({ event: 'ping' })
  await events.cancel()
  const lines = new Blocks(await ask('GET', '/topics/idle/records'), '\n')
  expect([await lines.next(), await lines.next()]).toEqual(['', ''])
  await lines.cancel()
})

test('A tail follows several topics', async () => {
  await createTopic('first')
  await createTopic('second')
  await produce('first', 'a')
  await produce('second', 'b')
  const events = await Events.open('/records?topics=first,second&from=earliest')
  const found = await events.messages(2)
  expect(found.map(({ data }) => [data['topic'], data['value']]).toSorted()).toEqual([
    ['first', 'a'],
    ['second', 'b'],
  ])
  await events.cancel()
})

test('A tail reads partitions that are added, from their start', async () => {
  await createTopic('growing')
  const events = await Events.open('/topics/growing/records')
  await events.next()
  await ask('PATCH', `${cluster}/topics/growing`, { partitions_count: 2 })
  await ask('POST', '/topics/growing/partitions/1', { records: [{ value: 'there' }] })
  const event = await events.message()
  expect(event?.data).toMatchObject({ partition: 1, value: 'there' })
  expect(JSON.parse(event?.id ?? '')).toHaveLength(2)
  await events.cancel()
})

test('A tail ends with an error when its topic is deleted', async () => {
  await createTopic('doomed')
  const events = await Events.open('/topics/doomed/records')
  await events.next()
  await ask('DELETE', `${cluster}/topics/doomed`)
  const last = await events.message()
  expect(last).toMatchObject({ event: 'error', data: { error_code: 40401 } })
  expect(await events.next()).toBeUndefined()
})

test('A tail as NDJSON is a record a line, and is the default', async () => {
  await createTopic('lines')
  await produce('lines', { n: 1 }, 'two')
  const response = await ask('GET', '/topics/lines/records?from=earliest')
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const lines = new Blocks(response, '\n')
  expect(await lines.next()).toBe('')
  expect(JSON.parse((await lines.next()) ?? '')).toMatchObject({ offset: 0, value: { n: 1 } })
  expect(JSON.parse((await lines.next()) ?? '')).toMatchObject({ offset: 1, value: 'two' })
  await ask('DELETE', `${cluster}/topics/lines`)
  let line = await lines.next()
  while (line === '') line = await lines.next()
  expect(JSON.parse(line ?? '')).toMatchObject({ event: 'error', error_code: 40401 })
  expect(await lines.next()).toBeUndefined()
})

test.each([
  { path: '/topics/none/records', status: 404 },
  { path: '/records', status: 400 },
  { path: '/topics/t/records?from=soon', status: 400 },
  { path: '/topics/t/records?lastEventId=x', status: 400 },
  {
    path: '/topics/t/records?lastEventId=%5B%7B%22topic%22:%22t%22,%22partition%22:0,%22offset%22:9%7D%5D',
    status: 416,
  },
])('A tail of $path is refused with $status', async ({ path, status }) => {
  await createTopic('t').catch(() => undefined)
  expect((await ask('GET', path, undefined, SSE)).status).toBe(status)
})

test('A tail refuses other types with 406, and a WebSocket without a socket with 501', async () => {
  const path = '/topics/t/records'
  expect((await ask('GET', path, undefined, { accept: 'text/html' })).status).toBe(406)
  expect((await ask('GET', path, undefined, { upgrade: 'websocket' })).status).toBe(501)
})

test('HEAD of a tail answers its headers and keeps nothing open', async () => {
  const before = openStreams(await (await ask('GET', '/metrics')).text())
  const response = await ask('HEAD', '/topics/t/records', undefined, SSE)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(openStreams(await (await ask('GET', '/metrics')).text())).toBe(before)
})

test('The number of streams is bounded, and a slot that is given back can be had again', async () => {
  await full.createTopic('t')
  const first = await full.ask('GET', '/topics/t/records')
  const second = await full.ask('GET', '/topics/t/records')
  const third = await full.ask('GET', '/topics/t/records')
  expect([first.status, second.status, third.status]).toEqual([200, 200, 503])
  expect(third.headers.get('retry-after')).toBe('5')
  await first.body?.cancel()
  const fourth = await full.ask('GET', '/topics/t/records')
  expect(fourth.status).toBe(200)
  await Promise.all([second.body?.cancel(), fourth.body?.cancel()])
  expect(openStreams(await (await full.ask('GET', '/metrics')).text())).toBe(0)
})

test('Streams that ended left nothing open', async () => {
  expect(openStreams(await (await ask('GET', '/metrics')).text())).toBe(0)
})

test('endStreams() ends a tail that waits, and refuses new ones', async () => {
  await createTopic('last')
  const events = await Events.open('/topics/last/records')
  await events.next()
  const waiting = get<object[]>('/topics/last/partitions/0/records?timeout=30000')
  while (openStreams(await (await ask('GET', '/metrics')).text()) < 2);
  door.endStreams()
  expect(await events.message()).toBeUndefined()
  expect(await waiting).toEqual([])
  expect((await ask('GET', '/topics/last/records')).status).toBe(503)
})

function openStreams(metrics: string): number {
  return Number(/^millrace_http_streams (\d+)$/m.exec(metrics)?.[1])
}
