// The HTTP adapter of the runtime that runs this: real sockets, slow and silent peers, WebSockets, the stop.
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, expect, test } from 'vitest'
import { serve } from '#serve'
import { startBroker } from '../../mod.ts'
import { type HttpDoor, httpDoor } from '../../routes/http/app.ts'
import { ANONYMOUS } from '../../src/access/session.ts'
import type { HttpServer } from '../../src/platform/serve.ts'
import { systemClock } from '../../storage/base/world.ts'

const HEADER_TIMEOUT_MS = 1_000
const running = await startBroker({ http: false })
const { broker } = running
const { door, server, url } = await open()
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})
afterAll(async () => {
  await close(door, server)
  await running.stop()
})

async function open() {
  const config = { heartbeatMs: 200, maxRequestBytes: 1024 * 1024 }
  const door = httpDoor({ broker, clock: systemClock, config })
  const at = { host: '127.0.0.1', port: 0, headerTimeoutMs: HEADER_TIMEOUT_MS }
  const server = await serve(door, at)
  return { door, server, url: `http://127.0.0.1:${server.port}` }
}

async function close(door: HttpDoor, server: HttpServer): Promise<void> {
  door.endStreams()
  await server.stop({ drainMs: 500 })
}

/** A socket on which nothing is read until it is resumed. */
function raw(request: string, port = server.port): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(request)
      resolve(socket)
    })
    socket.pause()
    socket.on('error', reject)
    sockets.push(socket)
  })
}

function head(path: string, headers: readonly string[] = []): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')
}

/** Waits for a condition that other events make true. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Waits until a number has stopped growing, and returns it. */
async function settled(value: () => number): Promise<number> {
  for (let before = -1; before !== value(); ) {
    before = value()
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  return value()
}

async function openStreams(): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^millrace_http_streams (\d+)$/m.exec(text)?.[1])
}

/** Appends `count` records of `size` bytes. */
async function fill(topic: string, count: number, size: number): Promise<void> {
  const record = { key: null, value: new Uint8Array(size).fill(120), headers: [] }
  for (let done = 0; done < count; done += 16) {
    await broker.produceRecords(ANONYMOUS, topic, Array(16).fill(record), 1)
  }
}

test('serve() is the adapter of the runtime that runs it', async () => {
  const name = process.versions['bun'] ? 'bun' : 'Deno' in globalThis ? 'deno' : 'node'
  expect(server.runtime).toMatch(new RegExp(`^${name} \\d`))
  expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: 'live' })
})

test('serve() tells a door who asks', async () => {
  let address = ''
  const asked = await serve(
    {
      fetch: (_request, { clientAddress }) => {
        address = clientAddress()
        return new Response('')
      },
      mountWebSockets: () => undefined,
    },
    { host: '127.0.0.1', port: 0 },
  )
  await (await fetch(`http://127.0.0.1:${asked.port}/`)).text()
  await asked.stop({ drainMs: 0 })
  expect(address).toMatch(/127\.0\.0\.1$/)
})

test('serve() says in a sentence that a port is taken', async () => {
  const taken = serve(door, { host: '127.0.0.1', port: server.port })
  await expect(taken).rejects.toThrow(
    `Port ${server.port} on 127.0.0.1 is in use by another process`,
  )
})

test('A tail over a socket hands out records as they come, and a client that leaves frees it', async () => {
  await broker.createTopic(ANONYMOUS, { name: 'sse' })
  const abort = new AbortController()
  const response = await fetch(`${url}/topics/sse/records`, {
    headers: { accept: 'text/event-stream' },
    signal: abort.signal,
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  const first = await reader?.read()
  expect(first?.value).toContain('event: ping')
  await fetch(`${url}/topics/sse`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"records":[{"value":"here"}]}',
  })
  let text = ''
  while (!text.includes('"value":"here"')) text += (await reader?.read())?.value
  expect(await openStreams()).toBe(1)
  abort.abort()
  await reader?.read().catch(() => undefined)
  await until(async () => (await openStreams()) === 0)
})

test('A reader that stops reading stops its tail, and gets everything when it goes on', async () => {
  await fill('slow', 1024, 64 * 1024)
  const before = broker.counters.readRecords
  const socket = await raw(head('/topics/slow/records?from=earliest'))
  await until(() => broker.counters.readRecords > before)
  const read = await settled(() => broker.counters.readRecords - before)
  // Of 64 MiB no more was read than sockets and a few pieces hold.
  expect(read * 64).toBeLessThan(24 * 1024)
  let seen = 0
  socket.on('data', (chunk) => {
    seen += chunk.toString('latin1').split('"offset"').length - 1
  })
  socket.resume()
  // A name may be cut in two between chunks, which hides it from the count.
  await until(() => seen >= 1000)
  socket.destroy()
  await until(async () => (await openStreams()) === 0)
}, 60_000)

/** Sends these bytes and waits for an answer that begins so. */
async function answered(request: string, start: RegExp): Promise<void> {
  const socket = await raw(request)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.resume()
  await until(() => answer.includes('\r\n\r\n'))
  expect(answer).toMatch(start)
}

test('A Host that no URL can have is refused as any other', async () => {
  const request = 'GET /topics HTTP/1.1\r\nHost: 127.0.V.1\r\nConnection: close\r\n\r\n'
  // 400 where the runtime refuses it before any handler sees it.
  await answered(request, /^HTTP\/1\.1 40[03] /)
})

test('HTTP/1.0 without a Host is answered, and no page of elsewhere comes in by it', async () => {
  await answered('GET /health/live HTTP/1.0\r\n\r\n', /^HTTP\/1\.[01] 200 /)
  await answered('GET /health/live?at=once HTTP/1.0\r\n\r\n', /^HTTP\/1\.[01] 200 /)
  const origin = 'Origin: http://elsewhere.example'
  await answered(`GET /topics HTTP/1.0\r\n${origin}\r\n\r\n`, /^HTTP\/1\.[01] 403 /)
  const upload = 'POST /topics/old HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello'
  await answered(upload, /^HTTP\/1\.[01] 200 /)
  expect(await (await fetch(`${url}/topics/old/partitions/0/records`)).json()).toMatchObject([
    { value: 'hello' },
  ])
})

test('A WebSocket carries a tail', async () => {
  await broker.createTopic(ANONYMOUS, { name: 'ws' })
  const messages: Record<string, unknown>[] = []
  const socket = new WebSocket(`${url.replace('http', 'ws')}/topics/ws/records`)
  socket.onmessage = ({ data }) => messages.push(JSON.parse(data))
  await until(() => messages.length > 0)
  expect(messages[0]).toEqual({
    event: 'ping',
    cursor: [{ topic: 'ws', partition: 0, offset: 0 }],
  })
  const value = new TextEncoder().encode('"hello"')
  await broker.produceRecords(ANONYMOUS, 'ws', [{ key: null, value, headers: [] }], 1)
  await until(() => messages.some((message) => message['value'] === 'hello'))
  socket.close()
  await until(async () => (await openStreams()) === 0)
})

test('A WebSocket ends with an error message when its topic is deleted', async () => {
  await broker.createTopic(ANONYMOUS, { name: 'ws-doomed' })
  const messages: Record<string, unknown>[] = []
  const socket = new WebSocket(`${url.replace('http', 'ws')}/topics/ws-doomed/records`)
  socket.onmessage = ({ data }) => messages.push(JSON.parse(data))
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code)
  })
  await until(() => messages.length > 0)
  await broker.deleteTopic(ANONYMOUS, 'ws-doomed')
  expect(await closed).toBe(1011)
  expect(messages.at(-1)).toMatchObject({ event: 'error', error_code: 40401 })
})

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

test.each([
  {
    why: 'a page of another site',
    path: '/topics/ws/records',
    header: 'Origin: https://evil.example',
    status: 403,
  },
  {
    why: 'a topic that does not exist',
    path: '/topics/none/records',
    header: 'X-Nothing: 1',
    status: 404,
  },
  { why: 'a program', path: '/topics/ws/records', header: 'X-Nothing: 1', status: 101 },
])('A WebSocket handshake of $why is answered $status', async ({ path, header, status }) => {
  const socket = await raw(head(path, [...HANDSHAKE, header]))
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.resume()
  await until(() => answer.includes('\r\n'))
  expect(answer).toContain(`HTTP/1.1 ${status} `)
})

test('A WebSocket peer that stops reading stops its tail', async () => {
  await fill('ws-slow', 1024, 64 * 1024)
  const before = broker.counters.readRecords
  const socket = await raw(head('/topics/ws-slow/records?from=earliest', HANDSHAKE))
  await until(() => broker.counters.readRecords > before)
  const read = await settled(() => broker.counters.readRecords - before)
  expect(read * 64).toBeLessThan(24 * 1024)
  socket.destroy()
  await until(async () => (await openStreams()) === 0)
}, 60_000)

test('An upload may be longer than any body that is taken whole', async () => {
  const line = `{"value":"${'x'.repeat(4_000)}"}\n`
  const piece = new TextEncoder().encode(line.repeat(64))
  let pieces = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pieces++ < 64) controller.enqueue(piece)
      else controller.close()
    },
  })
  const response = await fetch(`${url}/topics/upload`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
    duplex: 'half',
  } as RequestInit)
  expect(await response.json()).toMatchObject({ records: 4096, failed: 0, complete: true })
  const whole = { method: 'POST', body: new Uint8Array(2 * 1024 * 1024) }
  expect((await fetch(`${url}/topics/upload`, whole)).status).toBe(413)
}, 60_000)

test.skipIf('Deno' in globalThis)(
  'A connection that does not finish its request head is closed (Deno.serve has no limit)',
  async () => {
    const socket = await raw('GET /topics HTTP/1.1\r\nHost: loc')
    let isClosed = false
    socket.on('close', () => {
      isClosed = true
    })
    socket.resume()
    await until(() => isClosed)
  },
  30_000,
)

test('A wait that is longer than the limit on silent connections is not cut', async () => {
  await broker.createTopic(ANONYMOUS, { name: 'patient' })
  const started = performance.now()
  const wait = `/topics/patient/partitions/0/records?timeout=${HEADER_TIMEOUT_MS * 3}`
  const response = await fetch(url + wait)
  expect(await response.json()).toEqual([])
  expect(performance.now() - started).toBeGreaterThan(HEADER_TIMEOUT_MS * 2)
}, 30_000)

test('stop() ends tails and waits at once, closes WebSockets, and frees the port', async () => {
  const { door, server, url } = await open()
  const tail = await fetch(`${url}/topics/ws/records`)
  const waiting = fetch(`${url}/topics/ws/partitions/0/records?offset=latest&timeout=60000`)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/topics/ws/records`)
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code)
  })
  await until(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    return metrics.includes('millrace_http_streams 3')
  })
  await close(door, server)
  expect(await tail.text()).toMatch(/^\n+$/)
  expect(await (await waiting).json()).toEqual([])
  expect(await closed).toBe(1001)
  const again = await serve(door, { host: '127.0.0.1', port: server.port })
  await again.stop({ drainMs: 0 })
}, 30_000)
