// Members of groups over real sockets, on the runtime that runs this: REST v2 consumers, tails, acknowledgements.
import { connect } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { startBroker } from '../../mod.ts'

const broker = await startBroker({ http: '127.0.0.1:0', kafka: '127.0.0.1:0' })
const url = broker.url ?? ''
afterAll(() => broker.stop())

interface Row {
  event?: string
  topic: string
  partition: number
  offset: number
  value: unknown
  offsets?: { offset: number }[]
  error_code?: number
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { 'content-type': 'application/json' } }
  if (body !== undefined) init.body = JSON.stringify(body)
  const response = await fetch(url + path, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

async function produce(topic: string, ...values: string[]): Promise<void> {
  await broker.produce(
    topic,
    values.map((value) => ({ value, partition: 0 })),
  )
}

async function instance(group: string, topic: string): Promise<string> {
  const config = { format: 'json', 'auto.offset.reset': 'earliest', 'auto.commit.enable': 'false' }
  const { base_uri } = await ask<{ base_uri: string }>('POST', `/consumers/${group}`, config)
  expect(base_uri.startsWith(`${url}/consumers/${group}/instances/`)).toBe(true)
  const path = base_uri.slice(url.length)
  await ask('POST', `${path}/subscription`, { topics: [topic] })
  return path
}

const committed = async (group: string, topic: string) => {
  const config = { name: `look-${Math.random()}` }
  const { base_uri } = await ask<{ base_uri: string }>('POST', `/consumers/${group}`, config)
  const path = base_uri.slice(url.length)
  const { offsets } = await ask<{ offsets: { offset: number }[] }>(
    'GET',
    `${path}/offsets?partitions=${topic}:0`,
  )
  await ask('DELETE', path)
  return offsets[0]?.offset
}

test('A REST v2 consumer reads, commits and leaves', async () => {
  await produce('plain', 'a', 'b')
  const path = await instance('plain', 'plain')
  const records = await ask<Row[]>('GET', `${path}/records?timeout=5000`)
  expect(records.map(({ value }) => value)).toEqual(['a', 'b'])
  expect(await ask('GET', `${path}/records?timeout=50`)).toEqual([])
  await ask('POST', `${path}/offsets`)
  expect(await committed('plain', 'plain')).toBe(2)
  await ask('DELETE', path)
})

test('GET of offsets with a body is answered, also where the runtime drops the body', async () => {
  await produce('body', 'a')
  const path = await instance('body', 'body')
  await ask('GET', `${path}/records?timeout=5000`)
  await ask('POST', `${path}/offsets`)
  const body = '{"partitions":[{"topic":"body","partition":0}]}'
  const request = [
    `GET ${path}/offsets HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    'Content-Type: application/vnd.kafka.v2+json',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request))
    socket.on('data', (data) => {
      text += data
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
  expect(answer).toContain('{"offsets":[{"topic":"body","partition":0,"offset":1,"metadata":""}]}')
  await ask('DELETE', path)
})

/** A socket's messages, one by one. */
class Messages {
  readonly socket: WebSocket
  readonly #rows: Row[] = []
  #closed: number | undefined
  #wake: () => void = () => undefined

  constructor(path: string) {
    this.socket = new WebSocket(url.replace('http', 'ws') + path)
    this.socket.addEventListener('message', ({ data }) => {
      this.#rows.push(JSON.parse(String(data)))
      this.#wake()
    })
    this.socket.addEventListener('close', ({ code }) => {
      this.#closed = code
      this.#wake()
    })
  }

  /** The next message that passes; records where nothing else is asked for. */
  async find(wanted: (row: Row) => boolean = (row) => row.event === undefined): Promise<Row> {
    for (;;) {
      const row = this.#rows.shift()
      if (row !== undefined && wanted(row)) return row
      if (row === undefined && this.#closed !== undefined)
        throw new Error(`Closed: ${this.#closed}`)
      if (row === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async closed(): Promise<number> {
    while (this.#closed === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#closed
  }

  acknowledge({ topic, partition, offset }: Row): void {
    this.socket.send(JSON.stringify({ ack: { topic, partition, offset } }))
  }
}

test('A WebSocket with a group commits what its peer acknowledges, and tells when it has', async () => {
  await produce('acks', 'a', 'b', 'c')
  const path = '/topics/acks/records?group=acks&from=earliest'
  const first = new Messages(path)
  const rows = [await first.find(), await first.find(), await first.find()]
  expect(rows.map(({ value }) => value)).toEqual(['a', 'b', 'c'])
  first.acknowledge(rows[1] as Row)
  const isCommitted = (row: Row) => row.event === 'committed' && row.offsets?.[0]?.offset === 2
  await first.find(isCommitted)
  expect(await committed('acks', 'acks')).toBe(2)
  first.socket.close()
  await first.closed()
  const second = new Messages(path)
  expect((await second.find()).value).toBe('c')
  second.socket.close()
  await second.closed()
})

test('A WebSocket with a group commits at its end what its peer acknowledged last', async () => {
  await produce('last', 'a', 'b')
  const socket = new Messages('/topics/last/records?group=last&from=earliest')
  socket.acknowledge(await socket.find())
  socket.socket.close()
  await socket.closed()
  let offset: number | undefined
  while (offset !== 1) offset = await committed('last', 'last')
})

test.each(['x', '{"ack":1}', '{"ack":{"topic":"bad","partition":-1,"offset":0}}'])(
  'A WebSocket with a group whose peer says %s is told why and closed',
  async (text) => {
    await produce('bad', 'a')
    const socket = new Messages('/topics/bad/records?group=bad')
    await socket.find(({ event }) => event === 'ping')
    socket.socket.send(text)
    expect(await socket.find(({ event }) => event === 'error')).toMatchObject({ error_code: 400 })
    expect(await socket.closed()).toBe(1008)
  },
)

test('A tail whose client is lost gives its partitions to the next', async () => {
  await produce('lost', 'a')
  const abort = new AbortController()
  const path = `${url}/topics/lost/records?group=lost&from=earliest`
  const response = await fetch(path, { signal: abort.signal })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!text.includes('"value":"a"'))
    text += new TextDecoder().decode((await reader.read()).value)
  abort.abort()
  const next = await instance('lost', 'lost')
  await produce('lost', 'b')
  let rows: Row[] = []
  while (!rows.some(({ value }) => value === 'b')) {
    rows = await ask<Row[]>('GET', `${next}/records?timeout=1000`)
  }
  await ask('DELETE', next)
})
