// REST v2 consumers over the door, on virtual time: shapes, codes, groups, idle instances.
import { afterEach, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { type HttpDoor, httpDoor } from '../../../../routes/http/app.ts'
import type { HttpConfig } from '../../../../routes/http/door.ts'
import { Scene } from '../../../src/broker/consumers/scene.ts'

const V2 = 'application/vnd.kafka.v2+json'
const JSON_V2 = 'application/vnd.kafka.json.v2+json'
const BINARY_V2 = 'application/vnd.kafka.binary.v2+json'

let scene: Scene
let door: HttpDoor

async function start(config: Partial<HttpConfig> = {}): Promise<void> {
  scene = await Scene.start()
  door = httpDoor({ broker: scene.broker, clock: scene.clock, config })
}

afterEach(async () => {
  door.endStreams()
  await scene.stop()
})

interface Answer {
  status: number
  type: string | null
  // biome-ignore lint/suspicious/noExplicitAny: whatever the door answers
  body: any
}

/** Asks without letting time pass. */
async function asked(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init: RequestInit = { method, headers: { 'content-type': V2, ...headers } }
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await door.fetch(new Request(`http://127.0.0.1:8082${path}`, init))
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: text === '' ? undefined : JSON.parse(text),
  }
}

const ask = (...request: Parameters<typeof asked>) => scene.during(asked(...request))

/** The path of a new instance of group `g`. */
async function create(config: object = {}, group = 'g'): Promise<string> {
  const { status, body } = await ask('POST', `/consumers/${group}`, {
    format: 'json',
    'auto.offset.reset': 'earliest',
    ...config,
  })
  expect(status).toBe(200)
  return new URL(body.base_uri).pathname
}

async function subscribed(config: object = {}, topics = ['orders']): Promise<string> {
  const path = await create(config)
  const { status, body } = await ask('POST', `${path}/subscription`, { topics })
  expect([status, body]).toEqual([204, undefined])
  return path
}

const read = (path: string, query = 'timeout=0', accept = JSON_V2) =>
  ask('GET', `${path}/records?${query}`, undefined, { accept })

const valuesIn = ({ body }: Answer) => body.map(({ value }: { value: unknown }) => value)

test('A consumer is created, subscribed, read, committed and deleted in REST Proxy’s shapes', async () => {
  await start()
  await scene.topic('orders')
  const records = [{ key: 'k', value: '{"n":1}' }]
  await scene.during(scene.running.produce('orders', records))
  const created = await ask('POST', '/consumers/g', {
    name: 'i',
    format: 'json',
    'auto.offset.reset': 'earliest',
  })
  expect(created).toEqual({
    status: 200,
    type: V2,
    body: { instance_id: 'i', base_uri: 'http://127.0.0.1:8082/consumers/g/instances/i' },
  })
  const path = '/consumers/g/instances/i'
  expect((await ask('GET', `${path}/subscription`)).body).toEqual({ topics: [] })
  await ask('POST', `${path}/subscription`, { topics: ['orders'] })
  expect((await ask('GET', `${path}/subscription`)).body).toEqual({ topics: ['orders'] })
  expect((await ask('GET', `${path}/assignments`)).body).toEqual({
    partitions: [{ topic: 'orders', partition: 0 }],
  })
  expect(await read(path)).toEqual({
    status: 200,
    type: JSON_V2,
    body: [{ topic: 'orders', key: 'k', value: { n: 1 }, partition: 0, offset: 0 }],
  })
  expect(await ask('POST', `${path}/offsets`)).toEqual({ status: 200, type: V2, body: [] })
  expect((await ask('GET', `${path}/offsets?partitions=orders:0`)).body).toEqual({
    offsets: [{ topic: 'orders', partition: 0, offset: 1, metadata: '' }],
  })
  expect((await ask('DELETE', path)).status).toBe(204)
  expect(await ask('DELETE', path)).toMatchObject({ status: 404, body: { error_code: 40403 } })
  const { members } = await scene.during(scene.broker.groups.describeConsumer(ANONYMOUS, 'g'))
  expect(members).toEqual([])
})

test('A name that the door makes is another each time, and odd names come back in base_uri', async () => {
  await start()
  const [one, other] = [await create(), await create()]
  expect(one).toMatch(/^\/consumers\/g\/instances\/rest-consumer-[\w-]{22}$/)
  expect(other).not.toBe(one)
  const odd = await create({ name: 'a b/ü' }, encodeURIComponent('g/ö'))
  expect((await ask('GET', `${odd}/assignments`)).body).toEqual({ partitions: [] })
  expect((await ask('DELETE', odd)).status).toBe(204)
})

test.each([
  { why: 'an unknown setting', body: { 'auto.ofset.reset': 'earliest' }, code: 42204 },
  { why: 'another format', body: { format: 'avro' }, code: 42204 },
  { why: 'another reset', body: { 'auto.offset.reset': 'soon' }, code: 42204 },
  { why: 'a timeout that is no count', body: { 'consumer.request.timeout.ms': 'x' }, code: 42204 },
  { why: 'an empty name', body: { name: ' ' }, code: 42204 },
  { why: 'a name without end', body: { name: 'x'.repeat(1_000) }, code: 42204 },
  { why: 'a name that is a list', body: { name: [] }, code: 42204 },
  { why: 'a list', body: [1], code: 42204 },
  { why: 'no JSON', body: '{', code: 400 },
])('A consumer with $why is refused with $code', async ({ body, code }) => {
  await start()
  const refused = await ask('POST', '/consumers/g', body)
  expect(refused.body.error_code).toBe(code)
  expect(refused.status).toBe(Number(String(code).slice(0, 3)))
})

test('A consumer of a name that is there is refused, and so is one too many', async () => {
  await start({ maxConsumers: 2 })
  const first = await create({ name: 'i' })
  expect(await ask('POST', '/consumers/g', { name: 'i' })).toMatchObject({
    status: 409,
    body: { error_code: 40902 },
  })
  await create({ name: 'i' }, 'other')
  expect(await ask('POST', '/consumers/g', {})).toMatchObject({
    status: 503,
    body: { error_code: 50302 },
  })
  await ask('DELETE', first)
  await create({ name: 'i' })
})

test.each([
  {
    method: 'POST',
    path: 'subscription',
    body: { topics: ['t'], topic_pattern: 't.*' },
    code: 40903,
  },
  { method: 'POST', path: 'subscription', body: {}, code: 422 },
  { method: 'POST', path: 'subscription', body: { topics: 't' }, code: 422 },
  { method: 'POST', path: 'subscription', body: { topic_pattern: '(' }, code: 42204 },
  {
    method: 'POST',
    path: 'assignments',
    body: { partitions: [{ topic: 'none', partition: 0 }] },
    code: 40401,
  },
  {
    method: 'POST',
    path: 'assignments',
    body: { partitions: [{ topic: 'orders', partition: -1 }] },
    code: 422,
  },
  { method: 'GET', path: 'records', code: 40903 },
  { method: 'GET', path: 'records?timeout=x', code: 400 },
  { method: 'GET', path: 'offsets?partitions=orders', code: 400 },
  {
    method: 'POST',
    path: 'offsets',
    body: { offsets: [{ topic: 'none', partition: 0, offset: 1 }] },
    code: 40401,
  },
  {
    method: 'POST',
    path: 'offsets',
    body: { offsets: [{ topic: 'orders', partition: 0, offset: 1e300 }] },
    code: 422,
  },
  { method: 'POST', path: 'offsets', body: 'null', code: 422 },
  {
    method: 'POST',
    path: 'positions',
    body: { offsets: [{ topic: 'orders', partition: 0, offset: 1 }] },
    code: 40903,
  },
  {
    method: 'POST',
    path: 'positions',
    body: { timestamps: [{ topic: 'orders', partition: 0, timestamp: 'soon' }] },
    code: 400,
  },
  {
    method: 'POST',
    path: 'positions/end',
    body: { partitions: [{ topic: 'orders', partition: 0 }] },
    code: 40903,
  },
])(
  '$method $path of a consumer without partitions is refused with $code',
  async ({ method, path, body, code }) => {
    await start()
    await scene.topic('orders')
    const instance = await create()
    expect((await ask(method, `${instance}/${path}`, body)).body).toMatchObject({
      error_code: code,
    })
  },
)

test.each(['records', 'subscription', 'assignments', 'offsets'])(
  'GET %s of an unknown consumer is 404',
  async (path) => {
    await start()
    expect(await ask('GET', `/consumers/g/instances/none/${path}`)).toMatchObject({
      status: 404,
      body: { error_code: 40403 },
    })
  },
)

test('Records come in the format of the consumer, in our own shape for JSON, and in no other', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const path = await subscribed({ format: 'binary' })
  expect(await read(path, 'timeout=0&max_records=1', '*/*')).toMatchObject({
    type: BINARY_V2,
    body: [{ value: 'YQ==' }],
  })
  expect(await read(path, 'timeout=0&max_records=1', V2)).toMatchObject({
    type: V2,
    body: [{ value: 'Yg==' }],
  })
  const plain = await read(path, 'timeout=0', 'application/json')
  expect(plain).toMatchObject({ type: 'application/json', body: [{ value: 'c', headers: [] }] })
  expect(plain.body[0].timestamp).toBeTypeOf('number')
  expect(await read(path, '', JSON_V2)).toMatchObject({ status: 406, body: { error_code: 40601 } })
})

test('A read waits for its timeout, and a second one for the first', async () => {
  await start()
  await scene.topic('orders')
  const path = await subscribed({ 'consumer.request.timeout.ms': '3000' })
  const before = scene.clock.monotonic()
  expect((await read(path, '')).body).toEqual([])
  expect(scene.clock.monotonic() - before).toBeGreaterThanOrEqual(3_000)
  const reads = [1, 2].map(() =>
    asked('GET', `${path}/records?timeout=5000`, undefined, { accept: JSON_V2 }),
  )
  await scene.pass(100)
  await scene.produce('orders', 0, 'a')
  await scene.produce('orders', 0, 'b')
  const [first, second] = await scene.during(Promise.all(reads))
  expect([first && valuesIn(first), second && valuesIn(second)]).toEqual([['a'], ['b']])
})

test('A read that waits is answered with 404 when the consumer is deleted', async () => {
  await start()
  await scene.topic('orders')
  const path = await subscribed()
  const reading = asked('GET', `${path}/records?timeout=30000`, undefined, { accept: JSON_V2 })
  await scene.pass(100)
  const [read] = await scene.during(Promise.all([reading, asked('DELETE', path)]))
  expect(read).toMatchObject({ status: 404, body: { error_code: 40403 } })
})

test('The door’s stop ends a read that waits', async () => {
  await start()
  await scene.topic('orders')
  const path = await subscribed()
  const reading = asked('GET', `${path}/records?timeout=30000`, undefined, { accept: JSON_V2 })
  await scene.pass(100)
  door.endStreams()
  expect(await scene.during(reading)).toMatchObject({ status: 200, body: [] })
})

test('Two consumers of a group share its records', async () => {
  await start()
  await scene.topic('orders', 4)
  const one = await subscribed()
  const other = await subscribed()
  for (const partition of [0, 1, 2, 3]) await scene.produce('orders', partition, `p${partition}`)
  const [first, second] = [await read(one), await read(other)]
  expect([first.body.length, second.body.length]).toEqual([2, 2])
  expect([...valuesIn(first), ...valuesIn(second)].sort()).toEqual(['p0', 'p1', 'p2', 'p3'])
})

test('A consumer that commits by itself commits what earlier reads gave', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const path = await subscribed({ 'auto.commit.interval.ms': '1000' })
  await read(path, 'timeout=0&max_records=1')
  await scene.pass(2_000)
  expect(await scene.committed('orders')).toEqual([-1])
  await read(path)
  await scene.pass(2_000)
  expect(await scene.committed('orders')).toEqual([1])
})

test('A consumer commits the record that its client names, and shows the next', async () => {
  await start()
  await scene.topic('orders', 2)
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const path = await subscribed({ 'auto.commit.enable': false })
  await read(path)
  const offsets = [{ topic: 'orders', partition: 0, offset: 1, metadata: 'm' }]
  expect((await ask('POST', `${path}/offsets`, { offsets })).status).toBe(200)
  expect((await ask('GET', `${path}/offsets`)).body).toEqual({
    offsets: [{ topic: 'orders', partition: 0, offset: 2, metadata: 'm' }],
  })
  await ask('DELETE', path)
  expect(await scene.committed('orders', 2)).toEqual([2, -1])
})

test('A consumer seeks by offset, by time, to the beginning and to the end, in all partitions or none', async () => {
  await start()
  await scene.topic('orders', 2)
  const records = [100, 200, 300].map((timestamp) => ({
    value: `${timestamp}`,
    timestamp,
    partition: 0,
  }))
  await scene.during(scene.running.produce('orders', records))
  const path = await subscribed()
  const at = { topic: 'orders', partition: 0 }
  const seek = async (where: string, body: object) => {
    expect((await ask('POST', `${path}/positions${where}`, body)).status).toBe(204)
    return valuesIn(await read(path))
  }
  expect(await seek('', { offsets: [{ ...at, offset: 2 }] })).toEqual([300])
  expect(await seek('', { timestamps: [{ ...at, timestamp: 150 }] })).toEqual([200, 300])
  const iso = '1970-01-01T00:00:00.300Z'
  expect(await seek('', { timestamps: [{ ...at, timestamp: iso }] })).toEqual([300])
  expect(await seek('/beginning', { partitions: [at] })).toEqual([100, 200, 300])
  await seek('', { offsets: [{ ...at, offset: 0 }] })
  expect(await seek('/end', { partitions: [at] })).toEqual([])
  const partitions = [at, { topic: 'orders', partition: 9 }]
  expect((await ask('POST', `${path}/positions/beginning`, { partitions })).body.error_code).toBe(
    40903,
  )
  expect(valuesIn(await read(path))).toEqual([])
})

test('A consumer takes partitions by hand, and can’t then subscribe before it has let go of them', async () => {
  await start()
  await scene.topic('orders', 2)
  await scene.produce('orders', 1, 'x')
  const path = await create()
  const partitions = [{ topic: 'orders', partition: 1 }]
  expect((await ask('POST', `${path}/assignments`, { partitions })).status).toBe(204)
  expect(valuesIn(await read(path))).toEqual(['x'])
  expect((await ask('POST', `${path}/subscription`, { topics: ['orders'] })).body.error_code).toBe(
    40903,
  )
  expect((await ask('DELETE', `${path}/subscription`)).status).toBe(204)
  expect((await ask('GET', `${path}/assignments`)).body).toEqual({ partitions: [] })
  expect((await ask('POST', `${path}/subscription`, { topics: ['orders'] })).status).toBe(204)
  expect((await ask('POST', `${path}/assignments`, { partitions })).body.error_code).toBe(40903)
})

test('A consumer subscribes to a pattern, and to topics only after it has taken the pattern back', async () => {
  await start()
  await scene.topic('orders-eu')
  await scene.topic('users')
  await scene.produce('orders-eu', 0, 'x')
  const path = await create()
  expect((await ask('POST', `${path}/subscription`, { topic_pattern: 'orders-.*' })).status).toBe(
    204,
  )
  expect((await ask('GET', `${path}/subscription`)).body).toEqual({
    topics: ['orders-eu'],
    topic_pattern: 'orders-.*',
  })
  expect(valuesIn(await read(path))).toEqual(['x'])
  expect((await ask('POST', `${path}/subscription`, { topics: ['users'] })).body.error_code).toBe(
    40903,
  )
  await ask('DELETE', `${path}/subscription`)
  expect((await ask('POST', `${path}/subscription`, { topics: ['users'] })).status).toBe(204)
})

test('A consumer that nobody uses leaves its group when its time has passed, with what is settled committed', async () => {
  await start({ consumerTimeoutMs: 60_000 })
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const path = await subscribed({ 'auto.commit.interval.ms': '600000' })
  await read(path, 'timeout=0&max_records=1')
  await scene.pass(50_000)
  await read(path, 'timeout=0&max_records=1')
  await scene.pass(59_000)
  expect((await ask('GET', `${path}/assignments`)).status).toBe(200)
  await scene.pass(61_000)
  expect((await ask('GET', `${path}/assignments`)).status).toBe(404)
  const { members } = await scene.during(scene.broker.groups.describeConsumer(ANONYMOUS, 'g'))
  expect(members).toEqual([])
  expect(await scene.committed('orders')).toEqual([1])
})

test('A read under way keeps a consumer from being idle', async () => {
  await start({ consumerTimeoutMs: 5_000, maxWaitMs: 20_000 })
  await scene.topic('orders')
  const path = await subscribed()
  expect((await read(path, 'timeout=20000')).body).toEqual([])
  expect((await ask('GET', `${path}/assignments`)).status).toBe(200)
})
