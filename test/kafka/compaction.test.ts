// Our cleaner beside Kafka's, on the same logs: what stays must be the same, batch by batch.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startThread } from '#storage/base/background-thread.ts'
import { TimeSlices } from '#storage/base/time-slices.ts'
import { systemClock } from '#storage/base/world.ts'
import {
  type BatchOptions,
  buildBatch,
  buildEndTransactionMarker,
} from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { COMPRESSIONS, readBatches } from '#storage/batch/record-batch.ts'
import { createNodeFiles } from '#storage/fs/node-files.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import { openPartitionLog } from '#storage/log/open-log.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { cleanLog } from '#storage/upkeep/clean-log.ts'
import { assessLog } from '#storage/upkeep/cleanable.ts'
import { Throttle } from '#storage/upkeep/throttle.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { environmentOn } from '../storage/log/log-fixture.ts'
import { createTopics, dumpLogSegments, kafkaAbsence, type RealKafka, startKafka } from './kafka.ts'

const absence = kafkaAbsence()
const suffix = absence === undefined ? '' : ` (skipped: ${absence})`
const withKafka = test.skipIf(absence !== undefined)
const scratch = mkdtempSync(join(tmpdir(), 'millrace-compaction-'))
const running: RealKafka[] = []
afterAll(async () => {
  for (const kafka of running) await kafka.kill()
  rmSync(scratch, { recursive: true, force: true })
})

const SEGMENT_BYTES = 8192
const CONFIG: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  cleanupPolicy: { delete: false, compact: true },
  segmentBytes: SEGMENT_BYTES,
  indexIntervalBytes: 512,
  // So that what the first cleaning marks is dropped by the second.
  deleteRetentionMs: 1,
}
const KAFKA_CONFIG = [
  'cleanup.policy=compact',
  `internal.segment.bytes=${SEGMENT_BYTES}`,
  'index.interval.bytes=512',
  'delete.retention.ms=1',
  'min.cleanable.dirty.ratio=0.01',
].join(',')
const TOPICS = { plain: 0, producers: 2, transactions: 4 }

const encoder = new TextEncoder()
/** What is written twice must be the same twice. */
const writtenAt = Date.now() - 60_000

/** Random batches of a few keys: tombstones, headers, all codecs, and the producers of a topic. */
class Writer {
  readonly #log: PartitionLog
  readonly #random: SeededRandom
  readonly #producers: { id: number; sequence: number; isTransactional: boolean; isOpen: boolean }[]
  #count = 0

  constructor(log: PartitionLog, producers: number, seed: number) {
    this.#log = log
    this.#random = new SeededRandom(seed)
    this.#producers = Array.from({ length: producers }, (_, index) => {
      const known = log.producers.producer(1000 + index)
      const sequence = (known?.batches.at(-1)?.lastSequence ?? -1) + 1
      return { id: 1000 + index, sequence, isTransactional: index > 1, isOpen: false }
    })
  }

  write(batches: number): void {
    for (let left = batches; left > 0; left--) this.#writeOne()
    for (const producer of this.#producers) if (producer.isOpen) this.#end(producer)
    // Whatever is last in the active segment stays.
    this.#append([{ key: 'last', value: 'last' }], {})
  }

  #writeOne(): void {
    const random = this.#random
    const isProducers = this.#producers.length > 0 && random.chance(0.7)
    const producer = isProducers ? random.pick(this.#producers) : undefined
    if (producer?.isOpen && random.chance(0.3)) {
      this.#end(producer)
      return
    }
    const records = Array.from({ length: 1 + random.below(6) }, () => ({
      key: `key ${random.below(60)}`,
      value: random.chance(0.15) ? null : `value ${this.#count++} ${'x'.repeat(random.below(60))}`,
    }))
    if (!producer) {
      this.#append(records, { compression: random.pick(COMPRESSIONS) })
      return
    }
    const { id, sequence, isTransactional } = producer
    const options = { producerId: id, producerEpoch: 0, baseSequence: sequence, isTransactional }
    this.#append(records, { ...options, compression: random.pick(COMPRESSIONS) })
    producer.sequence += records.length
    producer.isOpen = isTransactional
  }

  #end(producer: { id: number; isOpen: boolean }): void {
    const isCommit = this.#random.chance(0.6)
    const marker = { isCommit, producerId: producer.id, producerEpoch: 0, coordinatorEpoch: 0 }
    const bytes = buildEndTransactionMarker({ ...marker, timestamp: writtenAt })
    this.#log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: false })
    producer.isOpen = false
  }

  #append(records: readonly { key: string; value: string | null }[], options: BatchOptions): void {
    const bytes = buildBatch(
      records.map(({ key, value }, index) => ({
        key: encoder.encode(key),
        value: value === null ? null : encoder.encode(value),
        headers: index % 3 === 0 ? [{ key: 'größe', value: encoder.encode('1') }] : [],
        timestamp: writtenAt + this.#random.below(1000),
      })),
      options,
    )
    this.#log.append(bytes, { leaderEpoch: 0, origin: 'client', needsDisk: false })
  }
}

async function open(directory: string): Promise<PartitionLog> {
  const topic = directory.slice(directory.lastIndexOf('/') + 1, -'-0'.length)
  const { log } = await openPartitionLog({
    environment: environmentOn(createNodeFiles(), new VirtualClock(Date.now())),
    observer: { onFault: (fault) => expect.unreachable(fault.message) },
    directory,
    topicPartition: { topic, partition: 0 },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAg',
    config: CONFIG,
    hadCleanShutdown: true,
    recoveryPoint: 0,
    logStartOffset: 0,
    highWatermark: 0,
  })
  return log
}

/** Writes more into the log of a directory; returns the base of its active segment. */
async function fill(directory: string, producers: number, seed: number): Promise<number> {
  const log = await open(directory)
  new Writer(log, producers, seed).write(150)
  await log.flush()
  const active = log.segments.at(-1)?.baseOffset ?? 0
  await log.close()
  return active
}

/** Cleans the log of a directory with our cleaner. */
async function cleanOurs(directory: string, checkpoint: number | undefined): Promise<number> {
  const log = await open(directory)
  const environment = environmentOn(createNodeFiles(), new VirtualClock(Date.now()))
  const cleaning = log.beginCleaning()
  if (!cleaning) throw new Error('The log is being cleaned')
  const range = assessLog(log, checkpoint, Date.now())
  const { firstDirtyOffset } = await cleanLog(log, cleaning, range, {
    ...environment,
    // As large logs are.
    startThread,
    threadFromBytes: 0,
    slices: new TimeSlices(systemClock),
    throttle: new Throttle(systemClock, () => Number.POSITIVE_INFINITY),
    now: Date.now(),
    mapBytes: 1_000_000,
    loadFactor: 0.9,
    bufferBytes: 4096,
  })
  cleaning.end()
  await log.close()
  return firstDirtyOffset
}

/** All batches and records of a log; of a delete horizon only that there is one. */
function contentOf(directory: string): string[] {
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return logs.toSorted().flatMap((name) => [
    `${name} of which segment`,
    ...Array.from(readBatches(readFileSync(join(directory, name)))).flatMap((batch) => {
      const { baseOffset, lastOffset, attributes, producerId, producerEpoch, baseSequence } = batch
      const { hasDeleteHorizon, maxTimestamp, partitionLeaderEpoch, recordCount } = batch
      const header = { baseOffset, lastOffset, attributes, producerId, producerEpoch, baseSequence }
      const more = { hasDeleteHorizon, maxTimestamp, partitionLeaderEpoch, recordCount }
      const records = Array.from(readRecords(batch), ({ key, value, ...record }) => {
        const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('latin1')
        return JSON.stringify({ ...record, key: text(key), value: text(value) })
      })
      return [JSON.stringify({ ...header, ...more }), ...records]
    }),
  ])
}

/** Starts Kafka on its directory and stops it when its cleaner has come to the active segments. */
async function cleanKafkas(data: string, actives: ReadonlyMap<string, number>): Promise<void> {
  for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint'])
    rmSync(join(data, name))
  const config = { 'log.cleaner.backoff.ms': '200', 'log.segment.delete.delay.ms': '0' }
  const kafka = await startKafka(data, { config })
  running.push(kafka)
  const isDone = () => {
    const text = readFileSync(join(data, 'cleaner-offset-checkpoint'), 'utf8')
    return Array.from(actives).every(([topic, offset]) => text.includes(`${topic} 0 ${offset}\n`))
  }
  for (let tries = 0; !isDone(); tries++) {
    if (tries > 900) throw new Error('The cleaner did not finish')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await kafka.stop()
}

function copyLogs(from: string, to: string): void {
  for (const name of readdirSync(to)) if (name !== 'partition.metadata') rmSync(join(to, name))
  for (const name of readdirSync(from))
    if (/\.(log|index|timeindex|txnindex)$/.test(name)) cpSync(join(from, name), join(to, name))
}

withKafka(
  `the cleaner leaves the same batches and records as Kafka's, in two rounds${suffix}`,
  async () => {
    const data = join(scratch, 'kafka')
    const ours = join(scratch, 'ours')
    mkdirSync(ours)
    const kafka = await startKafka(data)
    running.push(kafka)
    await createTopics(
      kafka,
      Object.keys(TOPICS).map((topic) => `${topic},1,${KAFKA_CONFIG}`),
    )
    await kafka.stop()
    const clean = new Map<string, number>()
    for (const round of [1, 2]) {
      const actives = new Map<string, number>()
      for (const [topic, producers] of Object.entries(TOPICS)) {
        const directory = join(ours, `${topic}-0`)
        actives.set(topic, await fill(directory, producers, round * 10 + producers))
        if (round === 1) copyLogs(directory, join(data, `${topic}-0`))
        else await fill(join(data, `${topic}-0`), producers, round * 10 + producers)
      }
      await cleanKafkas(data, actives)
      for (const topic of Object.keys(TOPICS)) {
        const directory = join(ours, `${topic}-0`)
        const before = contentOf(directory)
        clean.set(topic, await cleanOurs(directory, clean.get(topic)))
        expect(clean.get(topic), topic).toBe(actives.get(topic))
        const after = contentOf(directory)
        expect(after, `${topic}, round ${round}`).toEqual(contentOf(join(data, `${topic}-0`)))
        expect(after.length).toBeLessThan(before.length * 0.8)
      }
    }
    const { problems, fileCount } = await dumpLogSegments(ours)
    expect(problems).toEqual([])
    expect(fileCount).toBeGreaterThan(12)
  },
  300_000,
)
