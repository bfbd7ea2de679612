// Retention and DeleteRecords of Kafka 4.3.1 and ours, beside each other: the same batches and configs, the same log starts.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '#src/protocol/messages/02-list-offsets.ts'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '#src/protocol/messages/19-create-topics.ts'
import {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from '#src/protocol/messages/21-delete-records.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { RawClient } from '../clients/raw-client.ts'
import { type BrokerProcess, startBrokerProcess } from '../process/broker-process.ts'
import { kafkaAbsence, type RealKafka, startKafka } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const withKafka = test.skipIf(absence !== undefined)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-retention-'))

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const YEAR = 365 * 24 * HOUR
/** What every batch is dated by. */
const NOW = Date.now()
const [OLD, RECENT, FUTURE] = [NOW - 2 * HOUR, NOW - 30 * MINUTE, NOW + YEAR]

interface Topic {
  readonly name: string
  readonly why: string
  readonly configs: Readonly<Record<string, string>>
  /** Of each batch; one record each, one segment each unless told otherwise. */
  readonly timestamps: readonly number[]
  readonly start: number
}

const hour = { 'retention.ms': String(HOUR) }
const whole = { 'internal.segment.bytes': '1048576' }
const FIVE = [OLD, OLD, RECENT, OLD, NOW]

const topics: readonly Topic[] = [
  { name: 'time', why: 'by age, a prefix only', configs: hour, timestamps: FIVE, start: 2 },
  {
    name: 'size',
    why: 'by size, never below it',
    configs: { 'retention.ms': '-1', 'retention.bytes': '250' },
    timestamps: FIVE,
    start: 1,
  },
  {
    name: 'both',
    why: 'by size, and by age what is first then',
    configs: { ...hour, 'retention.bytes': '100' },
    timestamps: FIVE,
    start: 4,
  },
  {
    name: 'future',
    why: 'a record of the future keeps what is behind it',
    configs: { ...hour, 'message.timestamp.after.max.ms': String(2 * YEAR) },
    timestamps: [OLD, FUTURE, OLD, OLD],
    start: 1,
  },
  {
    name: 'append-time',
    why: "by the broker's own time",
    configs: { ...hour, 'message.timestamp.type': 'LogAppendTime' },
    timestamps: FIVE,
    start: 0,
  },
  {
    name: 'all',
    why: 'the active segment too',
    configs: hour,
    timestamps: [OLD, OLD, OLD],
    start: 3,
  },
  {
    name: 'undated',
    why: 'without timestamps by the age of the file',
    configs: hour,
    timestamps: [-1, -1, -1],
    start: 0,
  },
  {
    name: 'compacted',
    why: 'nothing of a log that is only compacted',
    configs: { ...hour, 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(YEAR) },
    timestamps: FIVE,
    start: 0,
  },
  {
    name: 'compacted-too',
    why: 'of a log that is compacted and deleted from',
    configs: { ...hour, 'cleanup.policy': 'compact,delete', 'min.compaction.lag.ms': String(YEAR) },
    timestamps: FIVE,
    start: 2,
  },
  {
    name: 'local',
    why: 'nothing by local.retention without remote storage',
    configs: { 'retention.ms': '-1', 'local.retention.ms': '1000', 'local.retention.bytes': '1' },
    timestamps: FIVE,
    start: 0,
  },
  { name: 'fallback', why: "by the broker's minutes", configs: {}, timestamps: FIVE, start: 2 },
  {
    name: 'rolled',
    why: 'segments end by the time of their records',
    configs: { ...hour, ...whole, 'segment.ms': '1000' },
    timestamps: [OLD, OLD + 500, OLD + 2_000, OLD + 2_500, NOW],
    start: 4,
  },
  {
    name: 'one-segment',
    why: 'a segment whose newest record is recent stays whole',
    configs: { ...hour, ...whole },
    timestamps: FIVE,
    start: 0,
  },
]

/** The minutes are what counts. */
const RETENTION = { 'log.retention.hours': '1000', 'log.retention.minutes': '60' }
const SETTINGS = {
  ...RETENTION,
  'log.retention.check.interval.ms': '300',
  'log.cleaner.backoff.ms': '300',
}

/** UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER. */
const NOT_YET = [3, 6]

/** One of the two brokers, and one connection to it. */
class Peer {
  readonly name: string
  readonly data: string
  readonly #client: RawClient

  constructor(name: string, data: string, client: RawClient) {
    this.name = name
    this.data = data
    this.#client = client
  }

  async create(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const all = { 'internal.segment.bytes': '90', ...configs }
    const topic = {
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(all).map(([key, value]) => ({ name: key, value })),
    }
    const exchange = { request: CreateTopicsRequest, response: CreateTopicsResponse }
    const answer = await this.#client.ask(exchange, { topics: [topic], timeoutMs: 20_000 }, 4)
    expect(answer.topics, `${this.name}: ${name}`).toMatchObject([{ errorCode: 0 }])
  }

  async produce(topic: string, timestamp: number, value = 'v'): Promise<void> {
    const bytes = new TextEncoder().encode(value)
    const records = buildBatch([{ key: bytes, value: bytes, timestamp }])
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 20_000, topicData }
    const exchange = { request: ProduceRequest, response: ProduceResponse }
    const ask = async () => {
      const answer = await this.#client.ask(exchange, request, 9)
      return answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1
    }
    let errorCode = await ask()
    // A Kafka tells of a new topic before it leads it.
    for (let tries = 0; NOT_YET.includes(errorCode) && tries < 500; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      errorCode = await ask()
    }
    expect(errorCode, `${this.name}: ${topic}`).toBe(0)
  }

  async start(topic: string): Promise<number> {
    const partitions = [{ partitionIndex: 0, timestamp: -2 }]
    const exchange = { request: ListOffsetsRequest, response: ListOffsetsResponse }
    const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] }
    const answer = await this.#client.ask(exchange, request as never, 5)
    return Number(answer.topics[0]?.partitions[0]?.offset)
  }

  async deleteRecords(topic: string, offset: number) {
    const partitions = [{ partitionIndex: 0, offset }]
    const exchange = { request: DeleteRecordsRequest, response: DeleteRecordsResponse }
    const request = { topics: [{ name: topic, partitions }], timeoutMs: 20_000 }
    const answer = await this.#client.ask(exchange, request, 1)
    const { errorCode, lowWatermark } = answer.topics[0]?.partitions[0] ?? {}
    return { errorCode, lowWatermark: Number(lowWatermark) }
  }

  /** Base offsets of the segments that are there. */
  segments(topic: string): number[] {
    const names = readdirSync(join(this.data, `${topic}-0`))
    return names
      .filter((name) => /^\d{20}\.log$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((left, right) => left - right)
  }

  /**
   * Every log has been looked at since all was written: what is old in two logs has gone, of either kind, and once more
   * what was written after that.
   */
  async whenRetained(): Promise<void> {
    for (let round = 1; round <= 2; round++) {
      for (const canary of CANARIES) await this.produce(canary, OLD, `${round}`)
      for (const canary of CANARIES) await this.#whenStartIs(canary, round)
    }
  }

  async #whenStartIs(topic: string, start: number): Promise<void> {
    const end = performance.now() + 60_000
    while ((await this.start(topic)) < start && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await this.start(topic), `${this.name}: ${topic}`).toBe(start)
  }

  close(): void {
    this.#client.close()
  }
}

const CANARIES = ['canary', 'canary-compacted']

const ends: (() => Promise<unknown>)[] = []
let peers: readonly Peer[] = []
afterAll(async () => {
  for (const peer of peers) peer.close()
  for (const end of ends) await end()
  rmSync(scratch, { recursive: true, force: true })
})

async function ours(): Promise<Peer> {
  const data = join(scratch, 'ours')
  const broker: BrokerProcess = await startBrokerProcess({ data, settings: SETTINGS })
  ends.push(() => broker.kill())
  const address = /Kafka on (\S+:\d+)/.exec(broker.output)?.[1] ?? ''
  return new Peer('ours', data, await RawClient.connect(address))
}

async function theirs(): Promise<Peer> {
  const data = join(scratch, 'kafka')
  const config = { ...SETTINGS, 'log.initial.task.delay.ms': '300' }
  const kafka: RealKafka = await startKafka(data, { config })
  ends.push(() => kafka.kill())
  return new Peer('Kafka', data, await RawClient.connect(kafka.bootstrap))
}

beforeAll(async () => {
  if (absence !== undefined) return
  peers = await Promise.all([theirs(), ours()])
  for (const peer of peers) {
    for (const { name, configs, timestamps } of topics) {
      await peer.create(name, configs)
      for (const [number, timestamp] of timestamps.entries()) {
        await peer.produce(name, timestamp, `${number}`)
      }
    }
    await peer.create('canary', hour)
    await peer.create('canary-compacted', { ...hour, 'cleanup.policy': 'compact,delete' })
    await peer.whenRetained()
  }
}, 180_000)

withKafka.each(topics)(
  `Retention takes of $name what Kafka's takes: $why${suffix}`,
  async ({ name, start }) => {
    const found = await Promise.all(peers.map((peer) => peer.start(name)))
    expect(found).toEqual([start, start])
    const [theirSegments, ourSegments] = peers.map((peer) => peer.segments(name))
    expect(ourSegments).toEqual(theirSegments)
  },
)

withKafka.each([{ policy: 'delete' }, { policy: 'compact' }, { policy: 'compact,delete' }])(
  `DeleteRecords of a log with cleanup.policy=$policy is answered as Kafka answers it${suffix}`,
  async ({ policy }) => {
    const name = `deleted-${policy.replace(',', '-')}`
    const answers = await Promise.all(
      peers.map(async (peer) => {
        await peer.create(name, { 'cleanup.policy': policy, 'min.compaction.lag.ms': String(YEAR) })
        for (let number = 0; number < 6; number++) await peer.produce(name, NOW, `${number}`)
        const found: object[] = []
        for (const offset of [0, 2, 1, 7, -2, 4, 2 ** 53 - 1, -1, -1, 6, 5]) {
          found.push({ offset, ...(await peer.deleteRecords(name, offset)) })
          found.push({ offset, start: await peer.start(name) })
        }
        return found
      }),
    )
    expect(answers[1]).toEqual(answers[0])
  },
  60_000,
)
