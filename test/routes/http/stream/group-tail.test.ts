// Tails that are members of a group, on virtual time: they share, follow rebalances, and commit what was taken.
import { afterEach, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { type HttpDoor, httpDoor } from '../../../../routes/http/app.ts'
import type { HttpConfig } from '../../../../routes/http/door.ts'
import { held, Scene } from '../../../src/broker/consumers/scene.ts'

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

const ask = (path: string, headers: Record<string, string> = {}) =>
  scene.during(door.fetch(new Request(`http://127.0.0.1:8082${path}`, { headers })))

interface Event {
  event: string
  id: string
  data: Record<string, unknown>
}

/** A tail as SSE. Nothing is read of it but by `next()`. */
class Events {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor(response: Response) {
    expect(response.status).toBe(200)
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader()
  }

  static async open(path: string, headers: Record<string, string> = {}): Promise<Events> {
    return new Events(await ask(path, { accept: 'text/event-stream', ...headers }))
  }

  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split('\n')
        this.#text = this.#text.slice(end + 2)
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
        return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) }
      }
      const { done, value } = await scene.during(this.#reader.read())
      if (done) return undefined
      this.#text += this.#decoder.decode(value, { stream: true })
    }
  }

  /** The next event of a kind. */
  async find(kind: string): Promise<Event> {
    for (;;) {
      const event = await this.next()
      if (event === undefined) throw new Error(`The tail has ended without ${kind}`)
      if (event.event === kind) return event
    }
  }

  async values(count: number): Promise<unknown[]> {
    const values: unknown[] = []
    while (values.length < count) values.push((await this.find('message')).data['value'])
    return values
  }

  async cancel(): Promise<void> {
    await scene.during(this.#reader.cancel())
    await scene.pass(100)
  }
}

const TAIL = '/topics/orders/records?group=g&from=earliest'

test('A tail with a group begins where the group stands, and moves it on', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b')
  const first = await Events.open(TAIL)
  expect(await first.find('assigned')).toMatchObject({
    data: { partitions: [{ topic: 'orders', partition: 0 }] },
  })
  const [a, b] = [await first.find('message'), await first.find('message')]
  expect([a.data['value'], b.data['value']]).toEqual(['a', 'b'])
  expect(JSON.parse(b.id)).toEqual([{ topic: 'orders', partition: 0, offset: 2 }])
  // Asking for more says that the last is taken.
  void first.next().catch(() => undefined)
  await scene.pass(2_000)
  expect(await scene.committed('orders')).toEqual([2])
  await first.cancel()
  await scene.produce('orders', 0, 'c')
  // What the client says of its own place does not count.
  const id = '[{"topic":"orders","partition":0,"offset":0}]'
  const second = await Events.open(TAIL, { 'last-event-id': id })
  expect(await second.values(1)).toEqual(['c'])
})

test('A tail that ends has committed what was taken, and not what was on its way', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a')
  const first = await Events.open(TAIL)
  await first.values(1)
  await first.cancel()
  const { members } = await scene.during(scene.broker.groups.describeConsumer(ANONYMOUS, 'g'))
  expect(members).toEqual([])
  expect(await scene.committed('orders')).toEqual([-1])
  const second = await Events.open(TAIL)
  expect(await second.values(1)).toEqual(['a'])
})

test('A tail that is lost has committed what it took an interval ago, and nothing of what may be on its way', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a')
  const first = await Events.open(TAIL)
  await first.values(1)
  const b = first.values(1)
  await scene.pass(1_500)
  await scene.produce('orders', 0, 'b')
  await b
  // Asking for more says that the socket has b, not that anybody has read it.
  void first.next().catch(() => undefined)
  await scene.pass(700)
  await first.cancel()
  expect(await scene.committed('orders')).toEqual([1])
  const second = await Events.open(TAIL)
  expect(await second.values(1)).toEqual(['b'])
})

test('Two tails of a group share the partitions, and each record goes to one of them', async () => {
  await start()
  await scene.topic('orders', 2)
  const first = await Events.open(TAIL)
  expect((await first.find('assigned')).data['partitions']).toHaveLength(2)
  const revoked = first.find('revoked')
  const second = await Events.open(TAIL)
  const before = scene.clock.monotonic()
  expect((await revoked).data['partitions']).toHaveLength(1)
  // At once, and not with the next heartbeat of the tail.
  expect(scene.clock.monotonic() - before).toBeLessThan(3_000)
  expect((await second.find('assigned')).data['partitions']).toHaveLength(1)
  for (const partition of [0, 1]) await scene.produce('orders', partition, `p${partition}`)
  const values = [...(await first.values(1)), ...(await second.values(1))]
  expect(values.sort()).toEqual(['p0', 'p1'])
})

test('A tail and a consumer of the same group hand partitions to each other without loss or doubles', async () => {
  await start()
  await scene.topic('orders', 2)
  for (const partition of [0, 1]) await scene.produce('orders', partition, 'a', 'b')
  const tail = await Events.open(TAIL)
  expect(await tail.values(4)).toHaveLength(4)
  const consumer = await scene.consumer()
  await scene.during(consumer.subscribe({ topics: ['orders'], pattern: null }))
  await tail.find('revoked')
  await scene.pass(2_000)
  expect(held(consumer)).toHaveLength(1)
  for (const partition of [0, 1]) await scene.produce('orders', partition, 'c')
  expect([...(await tail.values(1)), ...(await scene.poll(consumer))]).toEqual(['c', 'c'])
})

test('A tail with a group as NDJSON has the same events as lines', async () => {
  await start({ heartbeatMs: 500 })
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a')
  const response = await ask(TAIL)
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!text.includes('"value":"a"')) {
    const { value } = await scene.during(reader.read())
    text += new TextDecoder().decode(value)
  }
  const lines = text.split('\n').filter((line) => line !== '')
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    event: 'assigned',
    partitions: [{ topic: 'orders', partition: 0 }],
  })
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ offset: 0, value: 'a' })
  await scene.during(reader.cancel())
})

test('A tail with a group tells of the gap that retention made', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const consumer = await scene.joined(['orders'])
  await scene.poll(consumer, { maxRecords: 1 })
  await scene.during(consumer.close())
  await scene.broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 2 })
  const tail = await Events.open('/topics/orders/records?group=g&from=latest')
  expect((await tail.find('gap')).data).toEqual({ topic: 'orders', partition: 0, from: 1, to: 2 })
  expect(await tail.values(1)).toEqual(['c'])
})

test('A tail without a group tells of the gap that retention made, and goes on at the log’s start', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'a', 'b', 'c')
  const tail = await Events.open('/topics/orders/records?from=earliest')
  await tail.find('ping')
  await scene.broker.deleteRecords(ANONYMOUS, { topic: 'orders', partition: 0, offset: 2 })
  const gap = await tail.next()
  expect(gap).toMatchObject({
    event: 'gap',
    data: { topic: 'orders', partition: 0, from: 0, to: 2 },
  })
  expect(JSON.parse(gap?.id ?? '')).toEqual([{ topic: 'orders', partition: 0, offset: 2 }])
  expect(await tail.values(1)).toEqual(['c'])
})

test('A tail with a group that begins at the latest record loses nothing between two connections', async () => {
  await start()
  await scene.topic('orders')
  await scene.produce('orders', 0, 'before')
  const path = '/topics/orders/records?group=g'
  const first = await Events.open(path)
  await first.find('assigned')
  const waiting = first.next()
  await scene.pass(2_000)
  await first.cancel()
  await waiting.catch(() => undefined)
  await scene.produce('orders', 0, 'between')
  const second = await Events.open(path)
  expect(await second.values(1)).toEqual(['between'])
})

test.each([
  { path: '/topics/none/records?group=g', status: 404 },
  { path: '/topics/orders/records?group=', status: 400 },
  { path: `/topics/orders/records?group=${'g'.repeat(1_000)}`, status: 400 },
  { path: '/topics/orders/records?group=g&from=soon', status: 400 },
])('A tail of $path is refused with $status', async ({ path, status }) => {
  await start({ maxStreams: 1 })
  await scene.topic('orders')
  expect((await ask(path)).status).toBe(status)
  await scene.pass(100)
  // And keeps no slot.
  const tail = await Events.open(TAIL)
  await tail.cancel()
})

test('HEAD of a tail with a group joins no group', async () => {
  await start()
  await scene.topic('orders')
  const head = new Request(`http://127.0.0.1:8082${TAIL}`, { method: 'HEAD' })
  expect((await scene.during(door.fetch(head))).status).toBe(200)
  const groups = await scene.during(scene.broker.groups.list(ANONYMOUS, { states: [], types: [] }))
  expect(groups).toEqual([])
})

test('The door’s stop ends a tail with a group', async () => {
  await start()
  await scene.topic('orders')
  const tail = await Events.open(TAIL)
  await tail.find('assigned')
  door.endStreams()
  expect(await tail.next()).toBeUndefined()
})
