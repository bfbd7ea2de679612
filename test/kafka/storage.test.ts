// Kafka accepts what storage/ writes: every file through DumpLogSegments, and the same bytes rebuilt by its own recovery.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import {
  type BatchOptions,
  buildBatch,
  buildEndTransactionMarker,
} from '#storage/batch/batch-builder.ts'
import { COMPRESSIONS } from '#storage/batch/record-batch.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import { openPartitionLog } from '#storage/log/open-log.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { environmentOn } from '../storage/log/log-fixture.ts'
import {
  createTopics,
  type DumpReport,
  dumpLogSegments,
  kafkaAbsence,
  type RealKafka,
  readBack,
  startKafka,
} from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const withKafka = test.skipIf(absence !== undefined)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-interop-'))
const ours = join(scratch, 'ours')
const running: RealKafka[] = []
const now = Date.now()

/** What is written into each topic, and the settings that decide about its files. */
interface Plan {
  readonly topic: string
  readonly config: Partial<LogConfig>
  readonly kafkaConfig: string
  readonly fill: (log: PartitionLog) => void
}

const small = { segmentBytes: 4096, indexIntervalBytes: 256 }
const kafkaSmall = 'internal.segment.bytes=4096,index.interval.bytes=256'
const plans: readonly Plan[] = [
  { topic: 'codecs', config: small, kafkaConfig: kafkaSmall, fill: fillCodecs },
  {
    topic: 'recompressed',
    config: { ...small, compressionType: 'zstd' },
    kafkaConfig: `${kafkaSmall},compression.type=zstd`,
    fill: (log) => fillPlain(log, 60),
  },
  {
    topic: 'append-time',
    config: { ...small, messageTimestampType: 'LogAppendTime' },
    kafkaConfig: `${kafkaSmall},message.timestamp.type=LogAppendTime`,
    fill: (log) => fillPlain(log, 60),
  },
  { topic: 'idempotent', config: small, kafkaConfig: kafkaSmall, fill: fillIdempotent },
  { topic: 'transactions', config: small, kafkaConfig: kafkaSmall, fill: fillTransactions },
  { topic: 'plain', config: small, kafkaConfig: kafkaSmall, fill: (log) => fillPlain(log, 120) },
]

let report: DumpReport | undefined
beforeAll(async () => {
  if (absence !== undefined) return
  for (const plan of plans) {
    const log = await open(plan, true)
    plan.fill(log)
    await log.close()
  }
  // One more, recovered by us after an unclean stop with a torn tail.
  const torn = { topic: 'torn', config: small, kafkaConfig: '', fill: fillIdempotent }
  const log = await open(torn, true)
  torn.fill(log)
  await log.flush()
  log.closeNow()
  const directory = join(ours, 'torn-0')
  const active = join(directory, readdirSync(directory).filter(isLog).toSorted().at(-1) ?? '')
  writeFileSync(active, readFileSync(active).subarray(0, -9))
  await (await open(torn, false)).close()
  report = await dumpLogSegments(ours)
}, 300_000)
afterAll(async () => {
  for (const kafka of running) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

withKafka(`DumpLogSegments accepts every file that storage/ writes${suffix}`, () => {
  expect(report?.problems).toEqual([])
  expect(report?.fileCount).toBeGreaterThan(45)
})

withKafka(`DumpLogSegments sees every codec and kind of batch in them${suffix}`, () => {
  const lines = [...(report?.output.values() ?? [])].flat()
  for (const codec of COMPRESSIONS)
    expect(lines.some((line) => line.includes(`compresscodec: ${codec}`))).toBe(true)
  for (const sign of [
    ' LogAppendTime: ',
    'isTransactional: true isControl: true',
    'lastStableOffset: ',
  ])
    expect(lines.some((line) => line.includes(sign))).toBe(true)
})

withKafka(
  `Kafka makes the same indexes and snapshots of our logs, and reads every record${suffix}`,
  async () => {
    const data = join(scratch, 'kafka')
    let kafka = await startKafka(data)
    running.push(kafka)
    await createTopics(
      kafka,
      plans.map(({ topic, kafkaConfig }) => `${topic},1,retention.ms=-1,${kafkaConfig}`),
    )
    await kafka.stop()
    for (const { topic } of plans) swapIn(join(data, `${topic}-0`), join(ours, `${topic}-0`))
    // Without the marker and the recovery point Kafka verifies every batch and rebuilds every index.
    for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint'])
      rmSync(join(data, name))
    kafka = await startKafka(data)
    running.push(kafka)
    const read = join(scratch, 'read')
    await readBack(kafka, read)
    await kafka.stop()
    for (const { topic } of plans) {
      const different = differences(join(data, `${topic}-0`), join(ours, `${topic}-0`))
      expect(different, topic).toEqual([])
    }
    const valuesOf = (file: string) => recordsIn(join(read, file)).map(({ value }) => value)
    expect(valuesOf('plain-0.read_uncommitted.jsonl')).toEqual(numbered('plain', 120))
    expect(valuesOf('append-time-0.read_uncommitted.jsonl')).toEqual(numbered('plain', 60))
    expect(valuesOf('recompressed-0.read_uncommitted.jsonl')).toEqual(numbered('plain', 60))
    expect(valuesOf('codecs-0.read_uncommitted.jsonl').length).toBe(5 * 24)
    const committed = valuesOf('transactions-0.read_committed.jsonl')
    expect(committed.length).toBe(10 * 3)
    expect(committed.every((value) => value.startsWith('commit'))).toBe(true)
  },
  300_000,
)

async function open(plan: Plan, hadCleanShutdown: boolean): Promise<PartitionLog> {
  const topicPartition: TopicPartition = { topic: plan.topic, partition: 0 }
  const directory = join(ours, `${plan.topic}-0`)
  mkdirSync(ours, { recursive: true })
  const { log } = await openPartitionLog({
    environment: environmentOn(createNodeFiles(), new VirtualClock(now)),
    observer: { onFault: (fault) => expect.unreachable(fault.message) },
    directory,
    topicPartition,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
    config: { ...DEFAULT_LOG_CONFIG, ...plan.config },
    hadCleanShutdown,
    recoveryPoint: 0,
    logStartOffset: 0,
    highWatermark: 0,
  })
  return log
}

function batch(values: readonly string[], at: number, options: BatchOptions = {}): Uint8Array {
  const encoder = new TextEncoder()
  const records = values.map((value, index) => ({
    key: index % 3 === 0 ? null : encoder.encode(`key ${index}`),
    value: encoder.encode(value),
    headers: index % 4 === 0 ? [{ key: 'größe', value: null }] : [],
    timestamp: at + index,
  }))
  return buildBatch(records, options)
}

const send = (log: PartitionLog, bytes: Uint8Array) =>
  log.append(bytes, { leaderEpoch: 0, origin: 'client', needsDisk: false })

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`)

function fillPlain(log: PartitionLog, count: number): void {
  const values = numbered('plain', count)
  for (let at = 0; at < count; at += 4)
    send(log, batch(values.slice(at, at + 4), now - 60_000 + at))
}

function fillCodecs(log: PartitionLog): void {
  for (const [round, compression] of COMPRESSIONS.entries()) {
    const at = now - 50_000 + round * 1000
    send(log, batch(numbered(compression, 20), at, { compression }))
    const large = Array.from({ length: 3 }, (_, index) => `${index} ${compression} `.repeat(2500))
    // The large batch fits a segment only when it is compressed.
    send(log, batch(compression === 'none' ? ['a', 'b', 'c'] : large, at + 100, { compression }))
    send(log, batch(['single'], at + 200, { compression }))
  }
}

function fillIdempotent(log: PartitionLog): void {
  for (let round = 0; round < 40; round++) {
    const producerId = round % 2 === 0 ? 1000 : 2000
    const baseSequence = Math.floor(round / 2) * 4
    const options = { producerId, producerEpoch: 0, baseSequence }
    send(log, batch(numbered(`round ${round}`, 4), now - 40_000 + round * 10, options))
  }
}

function fillTransactions(log: PartitionLog): void {
  for (let round = 0; round < 20; round++) {
    const isCommit = round % 2 === 0
    const at = now - 30_000 + round * 10
    const producer = { producerId: round % 3, producerEpoch: round }
    const options = { ...producer, baseSequence: 0, isTransactional: true }
    send(log, batch(numbered(isCommit ? 'commit' : 'abort', 3), at, options))
    const marker = { ...producer, isCommit, coordinatorEpoch: 0, timestamp: at + 5 }
    const bytes = buildEndTransactionMarker(marker)
    log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
  }
}

const isLog = (name: string) => name.endsWith('.log')
/** The files that both brokers make of the same log. */
const isComparable = (name: string) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(name)

/** Puts our log files in place of Kafka's, which keeps its topic id and has to make everything else. */
function swapIn(kafkaPartition: string, ourPartition: string): void {
  for (const name of readdirSync(kafkaPartition))
    if (name !== 'partition.metadata') rmSync(join(kafkaPartition, name))
  for (const name of readdirSync(ourPartition))
    if (isLog(name)) cpSync(join(ourPartition, name), join(kafkaPartition, name))
}

function differences(left: string, right: string): string[] {
  const names = new Set([...readdirSync(left), ...readdirSync(right)].filter(isComparable))
  const bytes = (directory: string, name: string) =>
    readdirSync(directory).includes(name)
      ? readFileSync(join(directory, name))
      : Buffer.from('none')
  return [...names].filter((name) => Buffer.compare(bytes(left, name), bytes(right, name)) !== 0)
}

function recordsIn(file: string): { value: string }[] {
  const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => ({
    value: Buffer.from(JSON.parse(line).value, 'base64').toString(),
  }))
}
