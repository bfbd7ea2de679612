// One group of three kinds of members: over HTTP, a classic one (kafkajs), and one of the consumer protocol (Java).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { ANONYMOUS } from '#src/access/session.ts'
import { startBroker } from '../../mod.ts'
import { absenceOf, Program } from '../history/programs.ts'

const PARTITIONS = 6
const absence = absenceOf('java')
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const directory = mkdtempSync(join(tmpdir(), 'millrace-mixed-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Who was given which values. */
type Seen = Map<string, string[]>

async function until(isTrue: () => boolean, what: () => string): Promise<void> {
  const end = performance.now() + 60_000
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Not within a minute: ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A REST v2 consumer that reads until it is told to leave. */
async function httpMember(url: string, values: string[]) {
  const json = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  const config = { format: 'json', 'auto.offset.reset': 'earliest' }
  const { base_uri } = await json('POST', `${url}/consumers/mixed`, config)
  await json('POST', `${base_uri}/subscription`, { topics: ['events'] })
  let isLeaving = false
  const reading = (async () => {
    while (!isLeaving) {
      for (const { value } of await json('GET', `${base_uri}/records?timeout=200`))
        values.push(value)
    }
  })()
  return async () => {
    isLeaving = true
    await reading
    await json('DELETE', base_uri)
  }
}

/** A classic member of kafkajs. */
async function kafkajsMember(bootstrap: string, values: string[]) {
  const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({
    groupId: 'mixed',
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
  })
  await consumer.connect()
  await consumer.subscribe({ topic: 'events', fromBeginning: true })
  await consumer.run({
    eachMessage: ({ message }) => {
      values.push(String(message.value))
      return Promise.resolve()
    },
  })
  return () => consumer.disconnect()
}

/** What Java's member has written down. */
function valuesOfJava(): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line.includes('"poll"') && line.endsWith('}'))
    .flatMap((line) => JSON.parse(line).records.map(([, value]: [number, string]) => value))
}

test.skipIf(absence !== undefined)(
  `A group of an HTTP consumer, a classic and a consumer-protocol member gets every record once${suffix}`,
  async () => {
    mkdirSync(directory, { recursive: true })
    const broker = await startBroker({ http: '127.0.0.1:0', kafka: '127.0.0.1:0' })
    const bootstrap = broker.kafka ?? ''
    await broker.broker.createTopic(ANONYMOUS, { name: 'events', partitionCount: PARTITIONS })
    const sent: string[] = []
    const http: string[] = []
    const classic: string[] = []
    const counts = () => [http.length, classic.length, valuesOfJava().length]
    const all = () => [...http, ...classic, ...valuesOfJava()]
    /** Ten records into each partition, and time to read them. */
    const phase = async (name: string) => {
      for (let at = 0; at < 10 * PARTITIONS; at++) {
        const value = `${name}-${at}`
        sent.push(value)
        await broker.produce('events', [{ value, partition: at % PARTITIONS }])
      }
      await until(
        () => new Set(all()).size >= sent.length,
        () => `${name}: ${sent.length} sent, ${counts().join(' + ')} read`,
      )
    }
    const describe = () => broker.broker.groups.describeConsumer(ANONYMOUS, 'mixed')
    const shared = async (memberCount: number) => {
      for (;;) {
        const { members, groupState } = await describe()
        const owned = members.map(
          ({ assignment }) => assignment.flatMap(({ partitions }) => partitions).length,
        )
        const isFair = owned.every((count) => count === PARTITIONS / memberCount)
        if (groupState === 'Stable' && members.length === memberCount && isFair) return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const leave = await httpMember(broker.url ?? '', http)
    await phase('alone')
    const disconnect = await kafkajsMember(bootstrap, classic)
    await shared(2)
    await phase('two')
    const java = new Program(
      'java',
      { members: ['java'] },
      {
        bootstrap,
        topic: 'events',
        partitionCount: PARTITIONS,
        group: 'mixed',
        protocol: 'consumer',
        sessionTimeoutMs: 10_000,
        directory,
      },
    )
    java.start()
    await shared(3)
    await phase('three')
    const before = counts()
    await phase('again')
    expect(counts().map((count, at) => count - (before[at] ?? 0))).toEqual([20, 20, 20])
    await leave()
    await shared(2)
    await phase('without http')
    await disconnect()
    await phase('java alone')
    await java.terminate()
    const seen: Seen = new Map()
    for (const value of all()) seen.set(value, [...(seen.get(value) ?? []), value])
    const doubled = [...seen].filter(([, times]) => times.length > 1).map(([value]) => value)
    expect(doubled).toEqual([])
    expect([...seen.keys()].sort()).toEqual(sent.toSorted())
    await broker.stop()
  },
  300_000,
)

test('A classic group takes an HTTP consumer in, and is classic again when that has left', async () => {
  const broker = await startBroker({ http: '127.0.0.1:0', kafka: '127.0.0.1:0' })
  const topic = { name: 'events', partitionCount: PARTITIONS }
  await broker.broker.createTopic(ANONYMOUS, topic)
  const [http, classic, sent]: string[][] = [[], [], []]
  const phase = async (name: string) => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      sent?.push(`${name}-${partition}`)
      await broker.produce('events', [{ value: `${name}-${partition}`, partition }])
    }
    const read = () => [...(http ?? []), ...(classic ?? [])]
    await until(
      () => read().length >= (sent?.length ?? 0),
      () => `${name}: ${http?.length} + ${classic?.length} read of ${sent?.length}`,
    )
    expect(read().sort()).toEqual(sent?.toSorted())
  }
  const type = async () => {
    const groups = await broker.broker.groups.list(ANONYMOUS, { states: [], types: [] })
    return groups.find(({ groupId }) => groupId === 'mixed')?.groupType
  }
  const disconnect = await kafkajsMember(broker.kafka ?? '', classic ?? [])
  await phase('classic')
  expect(await type()).toBe('classic')
  const leave = await httpMember(broker.url ?? '', http ?? [])
  expect(await type()).toBe('consumer')
  // The partitions come over when kafkajs has joined again.
  for (let round = 0; http?.length === 0; round++) await phase(`both ${round}`)
  await leave()
  await phase('left')
  expect(await type()).toBe('classic')
  await disconnect()
  await broker.stop()
}, 300_000)
