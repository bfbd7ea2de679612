// Tails that share a reader: what each of them gets is what it would have got alone.
import { afterAll, expect, test } from 'vitest'
import { startBroker } from '../../../../mod.ts'
import type { StreamSlot } from '../../../../routes/http/door.ts'
import { feedStream } from '../../../../routes/http/stream/feed-stream.ts'
import { type FeedStart, Feeds } from '../../../../routes/http/stream/feeds.ts'
import { NDJSON, SSE } from '../../../../routes/http/stream/format.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import { SeededRandom } from '../../../simulation/seeded-random.ts'

const running = await startBroker({ http: false })
const { broker } = running
afterAll(() => running.stop())

const encoder = new TextEncoder()
const decoder = new TextDecoder()
let topics = 0

async function newTopic(partitionCount = 1): Promise<string> {
  const name = `feed-${++topics}`
  await broker.createTopic(ANONYMOUS, { name, partitionCount })
  return name
}

async function produce(topic: string, texts: readonly string[], partition = 0): Promise<void> {
  const records = texts.map((text) => {
    return { partition, key: null, value: encoder.encode(JSON.stringify(text)), headers: [] }
  })
  await broker.produceRecords(ANONYMOUS, topic, records, 1)
}

/** A slot that says whether it was given back. */
function openSlot(): StreamSlot & { isFree: boolean; stop: AbortController } {
  const stop = new AbortController()
  const slot = {
    signal: stop.signal,
    stop,
    isFree: false,
    release: () => {
      slot.isFree = true
    },
  }
  return slot
}

interface Seen {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** One tail as its client sees it. */
class Client {
  readonly slot: ReturnType<typeof openSlot>
  readonly lost = new AbortController()
  readonly pieces: Uint8Array[] = []
  readonly seen: Seen[] = []
  /** The id of the last event. */
  cursor = ''
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #text = ''

  private constructor(slot: ReturnType<typeof openSlot>) {
    this.slot = slot
  }

  static async open(feeds: Feeds, options: Partial<FeedStart> & { topics: string[] }) {
    const slot = openSlot()
    const client = new Client(slot)
    const start: FeedStart = {
      ...{ broker, session: ANONYMOUS, from: 'latest', cursor: [], format: SSE },
      ...{ isolation: 'read_uncommitted', heartbeatMs: 60_000 },
      slot: { signal: slot.signal, release: () => undefined },
      ...options,
    }
    const stream = await feedStream({ feeds, start, slot, lost: client.lost.signal })
    client.#reader = stream.getReader()
    return client
  }

  /** Takes one piece; false when there are no more. */
  async take(): Promise<boolean> {
    const { done, value } = await (this.#reader as ReadableStreamDefaultReader<Uint8Array>).read()
    if (done) return false
    this.pieces.push(value)
    this.#text += decoder.decode(value)
    const events = this.#text.split('\n\n')
    this.#text = events.pop() ?? ''
    for (const event of events) this.#event(event)
    return true
  }

  async takeUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough() && (await this.take()));
  }

  cancel(): Promise<void> {
    return (this.#reader as ReadableStreamDefaultReader<Uint8Array>).cancel()
  }

  #event(event: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1] ?? ''
    this.cursor = field('id')
    if (field('event') !== 'message') return
    const { partition, offset, value } = JSON.parse(field('data'))
    this.seen.push({ partition, offset, value })
  }
}

/** Two tails of one feed, which has let go of what the slow one needs. */
async function parted(feeds: Feeds, topic: string): Promise<{ slow: Client; fast: Client }> {
  const slow = await Client.open(feeds, { topics: [topic] })
  const fast = await Client.open(feeds, { topics: [topic] })
  await Promise.all([slow.take(), fast.take()])
  for (let number = 0; number < 70; number++) {
    const taken = fast.take()
    await produce(topic, [`${number}`])
    await taken
  }
  return { slow, fast }
}

test('Tails at the same place read a record once between them, and get the same bytes', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const clients = await Promise.all(
    [1, 2, 3, 4, 5].map(() => Client.open(feeds, { topics: [topic] })),
  )
  await Promise.all(clients.map((client) => client.take()))
  expect(feeds.count).toBe(1)
  const before = broker.counters.readRecords
  for (const text of ['a', 'b', 'c']) {
    const taken = clients.map((client) => client.take())
    await produce(topic, [text])
    await Promise.all(taken)
  }
  expect(broker.counters.readRecords - before).toBe(3)
  for (const { seen, pieces } of clients) {
    expect(seen.map(({ value }) => value)).toEqual(['a', 'b', 'c'])
    expect(pieces.map((piece, at) => piece === clients[0]?.pieces[at])).toEqual([
      true,
      true,
      true,
      true,
    ])
  }
  await Promise.all(clients.map((client) => client.cancel()))
  expect(feeds.count).toBe(0)
})

test.each([
  { why: 'form', one: { format: SSE }, other: { format: NDJSON } },
  {
    why: 'isolation level',
    one: { isolation: 'read_committed' as const },
    other: { isolation: 'read_uncommitted' as const },
  },
  { why: 'principal', one: {}, other: { session: { ...ANONYMOUS, principal: 'User:other' } } },
])('Tails of another $why have a feed of their own', async ({ one, other }) => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const clients = [
    await Client.open(feeds, { topics: [topic], ...one }),
    await Client.open(feeds, { topics: [topic], ...other }),
  ]
  await Promise.all(clients.map((client) => client.take()))
  expect(feeds.count).toBe(2)
  const taken = clients.map((client) => client.take())
  await produce(topic, ['a'])
  await Promise.all(taken)
  for (const { pieces } of clients) expect(decoder.decode(pieces[1])).toContain('"value":"a"')
  await Promise.all(clients.map((client) => client.cancel()))
})

test('A tail at another place has its own feed until it has caught up', async () => {
  const topic = await newTopic()
  await produce(topic, ['a', 'b'])
  const feeds = new Feeds()
  const latest = await Client.open(feeds, { topics: [topic] })
  await latest.take()
  const earliest = await Client.open(feeds, { topics: [topic], from: 'earliest' })
  expect(feeds.count).toBe(2)
  await earliest.takeUntil(() => earliest.seen.length === 2)
  const taken = [latest.take(), earliest.take()]
  await produce(topic, ['c'])
  await Promise.all(taken)
  expect(earliest.seen.map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect(latest.seen.map(({ offset }) => offset)).toEqual([2])
  expect(feeds.count).toBe(1)
  await Promise.all([latest.cancel(), earliest.cancel()])
})

test('A slow tail among fast ones holds nobody up, and gets everything when it goes on', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const [slow, fast] = [
    await Client.open(feeds, { topics: [topic] }),
    await Client.open(feeds, { topics: [topic] }),
  ]
  await Promise.all([slow.take(), fast.take()])
  expect(feeds.count).toBe(1)
  // More than a feed keeps for those who are behind.
  const texts = Array.from({ length: 120 }, (_, number) => `${number} ${'x'.repeat(8_000)}`)
  for (const text of texts) {
    const taken = fast.take()
    await produce(topic, [text])
    await taken
  }
  expect(fast.seen.map(({ value }) => value)).toEqual(texts)
  await slow.take()
  // The feed has let go of what the slow one needs, which therefore reads for itself.
  expect(feeds.count).toBe(2)
  await slow.takeUntil(() => slow.seen.length === texts.length)
  expect(slow.seen).toEqual(fast.seen)
  const taken = [slow.take(), fast.take()]
  await produce(topic, ['last'])
  await Promise.all(taken)
  expect(slow.seen.at(-1)).toEqual({ partition: 0, offset: 120, value: 'last' })
  expect(feeds.count).toBe(1)
  await Promise.all([slow.cancel(), fast.cancel()])
})

test('A feed with a member who is behind stays as it is when another one comes to its place', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const [behind, ahead] = [
    await Client.open(feeds, { topics: [topic] }),
    await Client.open(feeds, { topics: [topic] }),
  ]
  await Promise.all([behind.take(), ahead.take()])
  const taken = ahead.take()
  await produce(topic, ['a'])
  await taken
  const others = await Promise.all(
    [1, 2, 3].map(() => Client.open(feeds, { topics: [topic], from: 'earliest' })),
  )
  for (const other of others) await other.takeUntil(() => other.seen.length === 1)
  // With each of these the others come to the end of the log together, where a feed looks for another.
  for (const text of ['b', 'c']) {
    const all = [ahead, ...others].map((client) => client.take())
    await produce(topic, [text])
    await Promise.all(all)
  }
  await behind.takeUntil(() => behind.seen.length === 3)
  const last = [behind, ahead, ...others].map((client) => client.take())
  await produce(topic, ['d'])
  await Promise.all(last)
  for (const { seen } of [behind, ahead, ...others]) {
    expect(seen.map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd'])
  }
  await Promise.all([behind, ahead, ...others].map((client) => client.cancel()))
  expect(feeds.count).toBe(0)
})

test('A tail that was too slow, and whose topic is gone, is told so', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const { slow, fast } = await parted(feeds, topic)
  await broker.deleteTopic(ANONYMOUS, topic)
  await fast.takeUntil(() => false)
  await slow.takeUntil(() => false)
  for (const { pieces, slot } of [slow, fast]) {
    expect(decoder.decode(pieces.at(-1))).toMatch(/^event: error\ndata: \{"error_code":40401,/)
    expect(slot.isFree).toBe(true)
  }
  expect(feeds.count).toBe(0)
})

test('A tail that was too slow does not go on in another topic of the same name', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const { slow, fast } = await parted(feeds, topic)
  await broker.deleteTopic(ANONYMOUS, topic)
  await fast.takeUntil(() => false)
  await broker.createTopic(ANONYMOUS, { name: topic, partitionCount: 1 })
  await produce(
    topic,
    Array.from({ length: 80 }, (_, number) => `new ${number}`),
  )
  await slow.takeUntil(() => slow.seen.length > 0)
  expect(slow.seen).toEqual([])
  expect(decoder.decode(slow.pieces.at(-1))).toMatch(/^event: error\ndata: \{"error_code":40401,/)
  expect(slow.slot.isFree).toBe(true)
  expect(feeds.count).toBe(0)
})

test('A client that is lost leaves, whether it waits or not', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const clients = await Promise.all([1, 2, 3].map(() => Client.open(feeds, { topics: [topic] })))
  const waiting = clients[0]?.take().then(() => clients[0]?.take())
  for (const { lost, slot } of clients) {
    expect(slot.isFree).toBe(false)
    lost.abort()
    expect(slot.isFree).toBe(true)
  }
  expect(feeds.count).toBe(0)
  await clients[0]?.cancel()
  await waiting
})

test('Tails end when the door stops', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const client = await Client.open(feeds, { topics: [topic] })
  await client.take()
  const ended = client.take()
  client.slot.stop.abort()
  expect(await ended).toBe(false)
  expect(client.slot.isFree).toBe(true)
  expect(feeds.count).toBe(0)
})

test('A tail that was too slow ends, too, when the door has stopped', async () => {
  const topic = await newTopic()
  const feeds = new Feeds()
  const { slow, fast } = await parted(feeds, topic)
  await fast.cancel()
  slow.slot.stop.abort()
  await slow.takeUntil(() => false)
  expect(slow.slot.isFree).toBe(true)
  expect(feeds.count).toBe(0)
})

test('A lost client that reads on learns that there is no more', async () => {
  const topic = await newTopic()
  const client = await Client.open(new Feeds(), { topics: [topic] })
  await client.take()
  const waiting = client.take()
  client.lost.abort()
  expect(await waiting).toBe(false)
})

test('A slot is given back when a tail cannot begin', async () => {
  const slot = openSlot()
  const options = { broker, session: ANONYMOUS, topics: ['missing'], from: 'latest' as const }
  const start = { ...options, cursor: [], format: SSE, heartbeatMs: 1000, slot }
  const opening = feedStream({
    feeds: new Feeds(),
    start: { ...start, isolation: 'read_uncommitted' },
    slot,
    lost: new AbortController().signal,
  })
  await expect(opening).rejects.toThrow('missing')
  expect(slot.isFree).toBe(true)
})

test.each([1, 2, 3, 4, 5, 6])(
  'Tails that come, go, lag and return get each record once, seed %i',
  async (seed) => {
    const random = new SeededRandom(seed)
    const pick = (count: number) => Math.floor(random.float() * count)
    const topic = await newTopic(2)
    const feeds = new Feeds()
    const written: number[] = [0, 0]
    const clients: { client: Client; from: number[] }[] = []
    for (let step = 0; step < 150; step++) {
      const action = pick(10)
      const one = clients[pick(clients.length)]
      if (clients.length < 4 || action === 0) {
        const isLatest = pick(2) === 0
        const from = isLatest ? 'latest' : 'earliest'
        const client = await Client.open(feeds, { topics: [topic], from })
        await client.take()
        clients.push({ client, from: isLatest ? [...written] : [0, 0] })
      } else if (action < 5) {
        const partition = pick(2)
        const texts = Array.from({ length: 1 + pick(3) }, () => `${'x'.repeat(pick(20_000))}`)
        await produce(topic, texts, partition)
        written[partition] = (written[partition] ?? 0) + texts.length
      } else if (one !== undefined && isBehind(one.client, one.from, written)) {
        await one.client.take()
      } else if (action === 9 && one !== undefined && one.client.cursor !== '') {
        // Gone, and back where it was.
        await one.client.cancel()
        const cursor = JSON.parse(one.client.cursor).map(({ topic, partition, offset }: never) => {
          return { topic, partition, spec: offset }
        })
        const back = await Client.open(feeds, { topics: [topic], from: 'earliest', cursor })
        back.seen.push(...one.client.seen)
        await back.take()
        clients[clients.indexOf(one)] = { ...one, client: back }
      }
    }
    for (const { client, from } of clients) {
      await client.takeUntil(() => !isBehind(client, from, written))
      for (const partition of [0, 1]) {
        const offsets = client.seen.filter((one) => one.partition === partition)
        const first = from[partition] ?? 0
        const expected = Array.from(
          { length: (written[partition] ?? 0) - first },
          (_, at) => first + at,
        )
        expect(
          offsets.map(({ offset }) => offset),
          `seed ${seed}`,
        ).toEqual(expected)
      }
    }
    await Promise.all(clients.map(({ client }) => client.cancel()))
    expect(feeds.count).toBe(0)
  },
)

/** Whether there is more for the client, which therefore need not wait for it. */
function isBehind(client: Client, from: readonly number[], written: readonly number[]): boolean {
  const wanted = written.reduce((sum, count, at) => sum + count - (from[at] ?? 0), 0)
  return client.seen.length < wanted
}
