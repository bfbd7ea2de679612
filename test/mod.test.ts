// A broker in this process, as a test of somebody else's would use it.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import {
  BrokerConfig,
  KafkaError,
  type NewRecord,
  type RunningBroker,
  startBroker,
} from '../mod.ts'

const running: RunningBroker[] = []
const folders: string[] = []

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function start(options: Parameters<typeof startBroker>[0] = {}): Promise<RunningBroker> {
  const broker = await startBroker(options)
  running.push(broker)
  return broker
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  folders.push(path)
  return path
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes && new TextDecoder().decode(bytes)
}

async function valuesOf(broker: RunningBroker, topic: string, partition = 0) {
  const { records } = await broker.read(topic, { partition })
  return records.map(({ value }) => textOf(value))
}

test('startBroker() listens on a free port, keeps what it is given, and leaves nothing behind', async () => {
  const broker = await start()
  const [directory = ''] = broker.dataDirectories
  expect(broker.recovery).toMatchObject({ hadCleanShutdown: null, findings: [] })
  const produced = await broker.produce('greetings', [{ key: 'en', value: 'hello' }])
  expect(produced).toMatchObject([{ partition: 0, offset: 0 }])

  const answer = await fetch(`${broker.url}/topics`)
  expect(await answer.json()).toEqual(['greetings'])
  expect(existsSync(join(directory, 'greetings-0'))).toBe(true)
  await broker.stop()
  expect(existsSync(directory)).toBe(false)
  await expect(fetch(`${broker.url}/topics`)).rejects.toThrow()
})

test('Two brokers in one process know nothing of each other', async () => {
  const [left, right] = [await start({ http: false }), await start({ http: false })]
  await left.produce('only-left', [{ value: 'x' }])
  const answer = await right.fetch(new Request('http://localhost/topics'))
  expect(await answer.json()).toEqual([])
  expect(right.url).toBeUndefined()
})

test('A broker that starts again on its directory has every record, and goes on at the next offset', async () => {
  const data = folder()
  const first = await start({ data, http: false })
  const records: NewRecord[] = Array.from({ length: 100 }, (_, n) => ({
    key: `key-${n}`,
    value: `value-${n}`,
    headers: { n: String(n) },
    timestamp: 1_700_000_000_000 + n,
  }))
  await first.produce('orders', records)
  await first.stop()

  const second = await start({ data, http: false })
  expect(second.recovery).toMatchObject({ hadCleanShutdown: true, logCount: 1, findings: [] })
  const read = await second.read('orders')
  expect(read.records).toHaveLength(100)
  expect(read.records[42]).toMatchObject({ offset: 42, timestamp: 1_700_000_000_042 })
  expect(textOf(read.records[42]?.key ?? null)).toBe('key-42')
  expect(textOf(read.records[42]?.headers[0]?.value ?? null)).toBe('42')
  expect(await second.produce('orders', [{ value: 'next' }])).toMatchObject([{ offset: 100 }])
})

test('A broker with more partitions than open files serves them all, also after a restart', async () => {
  const data = folder()
  const config = { 'millrace.max.open.files': '16', 'num.partitions': '60' }
  const openFiles = async (broker: RunningBroker) => {
    const answer = await broker.fetch(new Request('http://localhost/metrics'))
    return Number(/^millrace_open_files (\d+)$/m.exec(await answer.text())?.[1])
  }
  const partitions = Array.from({ length: 60 }, (_, partition) => partition)
  const first = await start({ data, http: false, config })
  const records = partitions.map((partition) => ({ partition, value: `in ${partition}` }))
  await first.produce('many', records)
  expect(await openFiles(first)).toBeLessThanOrEqual(16)
  await first.stop()

  const second = await start({ data, http: false, config })
  expect(await openFiles(second)).toBeLessThanOrEqual(16)
  for (const partition of partitions)
    expect(await valuesOf(second, 'many', partition)).toEqual([`in ${partition}`])
  expect(await openFiles(second)).toBeLessThanOrEqual(16)
})

test('A second broker on the same directory is refused, and the first goes on', async () => {
  const data = folder()
  const first = await start({ data, http: false })
  await expect(startBroker({ data, http: false })).rejects.toThrow(/is using the data directory/)
  await first.produce('orders', [{ value: 'still here' }])
  expect(await valuesOf(first, 'orders')).toEqual(['still here'])
})

test('Records with one key go to one partition, in order; those without are spread', async () => {
  const broker = await start({ http: false, config: { 'num.partitions': '4' } })
  const keyed = Array.from({ length: 20 }, (_, n) => ({ key: 'same', value: String(n) }))
  const places = await broker.produce('keyed', keyed)
  const [{ partition = -1 } = {}] = places
  expect(new Set(places.map((place) => place.partition)).size).toBe(1)
  expect(await valuesOf(broker, 'keyed', partition)).toEqual(keyed.map(({ value }) => value))

  const spread = await broker.produce('spread', [{ value: 'a' }, { value: 'b' }])
  const more = await broker.produce('spread', [{ value: 'c' }, { value: 'd' }])
  expect([...spread, ...more].map((place) => place.partition).toSorted()).toEqual([0, 1, 2, 3])
})

test('A refused record has its own error and does not hold up the others', async () => {
  const broker = await start({ http: false })
  const session = { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' }
  const configs = { 'max.message.bytes': '1000' }
  await broker.broker.createTopic(session, { name: 'small', configs })
  const record = (size: number, timestamp?: number) => ({
    key: null,
    value: new Uint8Array(size),
    headers: [],
    timestamp,
  })
  const farAhead = Date.now() + 7_200_000
  const results = await broker.broker.produceRecords(
    session,
    'small',
    [record(10), record(2000), record(20, farAhead), record(30)],
    -1,
  )
  expect(results).toMatchObject([
    { offset: 0 },
    { error: 'MESSAGE_TOO_LARGE' },
    { error: 'INVALID_TIMESTAMP' },
    { offset: 1 },
  ])
  const { records } = await broker.read('small')
  expect(records.map(({ value }) => value?.length)).toEqual([10, 30])
})

test('produce() throws the first refusal', async () => {
  const broker = await start({ http: false, config: { 'auto.create.topics.enable': 'false' } })
  const produced = broker.produce('missing', [{ value: 'x' }])
  await expect(produced).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await expect(produced).rejects.toBeInstanceOf(KafkaError)
})

test('read() can start anywhere, and wait', async () => {
  const broker = await start({ http: false })
  const records = [0, 1, 2, 3, 4].map((n) => ({
    value: String(n),
    timestamp: 1_700_000_000_000 + n,
  }))
  await broker.produce('numbers', records)
  const from = async (offset: NonNullable<Parameters<typeof broker.read>[1]>['offset']) => {
    const read = await broker.read('numbers', offset === undefined ? {} : { offset })
    return read.records.map(({ value }) => textOf(value)).join('')
  }
  expect(await from('earliest')).toBe('01234')
  expect(await from(3)).toBe('34')
  expect(await from({ fromEnd: 2 })).toBe('34')
  expect(await from({ fromEnd: 99 })).toBe('01234')
  expect(await from({ timestamp: 1_700_000_000_002 })).toBe('234')
  expect(await from('latest')).toBe('')
  await expect(from(99)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })

  const waiting = broker.read('numbers', { offset: 'latest', waitMs: 60_000 })
  await broker.produce('numbers', [{ value: 'new' }])
  const { records: woken } = await waiting
  expect(woken.map(({ value }) => textOf(value))).toEqual(['new'])
})

test('Deleting a topic takes its directory away, and a new topic of that name starts empty', async () => {
  const broker = await start({ http: false })
  const session = { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' }
  await broker.produce('gone', [{ value: 'old' }])
  const before = broker.broker.describeTopic(session, 'gone')
  await broker.broker.deleteTopic(session, 'gone')
  const [directory = ''] = broker.dataDirectories
  expect(readdirSync(directory).filter((name) => /^gone-0/.test(name))).toEqual([
    expect.stringMatching(/^gone-0\.[0-9a-f]{32}-delete$/),
  ])
  await expect(broker.read('gone')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await broker.produce('gone', [{ value: 'new' }])
  expect(await valuesOf(broker, 'gone')).toEqual(['new'])
  expect(broker.broker.describeTopic(session, 'gone').topicId).not.toBe(before.topicId)
})

test('Many producers that create one topic at the same time all succeed', async () => {
  const broker = await start({ http: false })
  const calls = Array.from({ length: 20 }, (_, n) =>
    broker.produce('crowd', [{ value: String(n) }]),
  )
  const offsets = (await Promise.all(calls)).map(([place]) => place?.offset)
  expect(offsets.toSorted((a = 0, b = 0) => a - b)).toEqual(calls.map((_, n) => n))
})

test('A topic config change takes effect with the next append', async () => {
  const broker = await start({ http: false })
  const session = { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' }
  await broker.produce('limited', [{ value: new Uint8Array(5000) }])
  const resource = { type: 'topic', name: 'limited' } as const
  const change = { name: 'max.message.bytes', operation: 'set', value: '1000' } as const
  await broker.broker.alterConfigs(session, resource, [change])
  const produced = broker.produce('limited', [{ value: new Uint8Array(5000) }])
  await expect(produced).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
})

test('What startBroker() is told of directories and addresses is what its configs say', async () => {
  const data = folder()
  const broker = await start({
    data,
    http: false,
    kafka: '127.0.0.1:0',
    config: { 'node.id': '3' },
  })
  const session = { principal: 'User:ANONYMOUS', clientId: '', clientAddress: '' }
  const configs = broker.broker.describeConfigs(session, { type: 'broker', name: '3' })
  const textFor = (wanted: string) => configs.find(({ name }) => name === wanted)?.value
  expect(textFor('log.dirs')).toBe(data)
  expect(textFor('listeners')).toBe('PLAINTEXT://127.0.0.1:0')
  expect(textFor('millrace.http.listener')).toBe('none')
  expect(broker.config.logDirs).toEqual(broker.dataDirectories)
})

test('startBroker() prefers what it is told to a whole configuration, and keeps the rest of that', async () => {
  const config = BrokerConfig.load({ flags: { 'num.partitions': '3', 'log.dirs': '/nowhere' } })
  const data = folder()
  const broker = await start({ data, http: false, kafka: false, config })
  expect(broker.dataDirectories).toEqual([data])
  expect(broker.config.number('num.partitions')).toBe(3)
})

test('startBroker() refuses a data directory with a comma, which log.dirs can not name', async () => {
  await expect(startBroker({ data: '/tmp/a,b' })).rejects.toThrow(/must not have a comma/)
})

test('RunningBroker.consume() goes on where its group stopped, and gives a record that was not finished again', async () => {
  const broker = await start({ http: false, kafka: false })
  await broker.produce('orders', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const seen: (string | null)[] = []
  for await (const { value } of broker.consume('orders', { group: 'billing' })) {
    seen.push(textOf(value))
    if (seen.length === 2) break
  }
  for await (const { value } of broker.consume('orders', { group: 'billing' })) {
    seen.push(textOf(value))
    if (seen.length === 4) break
  }
  expect(seen).toEqual(['a', 'b', 'b', 'c'])
})

test('RunningBroker.consume() shares the partitions of a group, and every group gets every record', async () => {
  const broker = await start({
    http: false,
    kafka: false,
    config: { 'num.partitions': '4', 'group.consumer.assignment.interval.ms': '0' },
  })
  const sent = Array.from({ length: 40 }, (_, index) => ({ key: `k${index}`, value: `v${index}` }))
  await broker.produce('orders', sent)
  const done = new AbortController()
  const seen = { shared: new Set<string | null>(), alone: new Set<string | null>() }
  const members = new Set<string>()
  const read = async (group: 'shared' | 'alone', member: string) => {
    const { signal } = done
    for await (const { value } of broker.consume(['orders'], { group, signal })) {
      seen[group].add(textOf(value))
      members.add(member)
      // The same values come again and again, until each member has had some, and each group all of them.
      const isAllSeen = seen.shared.size === sent.length && seen.alone.size === sent.length
      if (isAllSeen && members.size === 3) done.abort()
    }
  }
  const feed = async () => {
    while (!done.signal.aborted) {
      await broker.produce('orders', sent)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await Promise.all([read('shared', 'one'), read('shared', 'two'), read('alone', 'three'), feed()])
  const wanted = new Set(sent.map(({ value }) => value))
  expect(seen).toEqual({ shared: wanted, alone: wanted })
  expect(members).toEqual(new Set(['one', 'two', 'three']))
})

test('RunningBroker.consume() ends when the broker stops, and refuses a group without a name', async () => {
  const broker = await start({ http: false, kafka: false })
  await broker.produce('orders', [{ value: 'a' }])
  const seen: (string | null)[] = []
  const loop = (async () => {
    for await (const { value } of broker.consume('orders', { group: 'billing' })) {
      seen.push(textOf(value))
      void broker.stop()
    }
  })()
  await loop
  expect(seen).toEqual(['a'])
  const another = await start({ http: false, kafka: false })
  await another.produce('orders', [{ value: 'a' }])
  const nameless = another.consume('orders', { group: '' }).next()
  await expect(nameless).rejects.toMatchObject({ code: expect.stringMatching(/INVALID/) })
})
