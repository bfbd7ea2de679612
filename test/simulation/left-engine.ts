// A directory with a file of every kind, as an engine leaves it, and what whoever starts on it must find.
import { wholeDelta } from '#src/metadata/delta.ts'
import { type Engine, startEngine } from '#src/partitions/engine.ts'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { buildBatch, buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { BrokerConfig } from '../../mod.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

/** Where it lies. */
export const ROOT = '/a'
const ORDERS = { topic: 'orders', partition: 0 }
const KEYS = { topic: 'keys', partition: 0 }
const START = 1_704_067_200_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A running engine and its clock. */
export interface Running {
  readonly engine: Engine
  readonly clock: VirtualClock
}

/** What an engine shows of its topics. */
export interface Shown {
  /** Records by partition: text, or the error that refuses the offset. */
  readonly orders: readonly string[]
  readonly committed: readonly string[]
  readonly keys: readonly string[]
  readonly bounds: readonly number[]
  readonly times: readonly number[]
  readonly topics: string
  readonly isDuplicateKnown: boolean
}

/** Starts on `disk`. Throws what refuses the start. */
export async function startOn(disk: SimulatedDisk, nowMs = START): Promise<Running> {
  const clock = new VirtualClock(nowMs)
  const config = BrokerConfig.load({
    flags: {
      'metadata.log.max.record.bytes.between.snapshots': '1000',
      'log.cleaner.min.cleanable.ratio': '0',
      'log.cleaner.backoff.ms': '1000',
    },
  })
  const engine = await startEngine({
    config,
    logDirs: [ROOT],
    endpoints: [],
    files: disk,
    clock,
    random: new SeededRandom(1),
    onOffline: () => undefined,
    onProblem: () => undefined,
  })
  return { engine, clock }
}

/** Records that are read as they are, a transaction that was aborted, deleted records, a compacted topic, a snapshot. */
export async function leftDirectory(isClean: boolean): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  disk.makeDirectory(ROOT)
  const { engine, clock } = await startOn(disk)
  const configs = (policy: string) =>
    new Map([
      ['internal.segment.bytes', '600'],
      ['index.interval.bytes', '120'],
      ['cleanup.policy', policy],
    ])
  const topics = [
    { name: 'orders', configs: configs('delete') },
    { name: 'keys', configs: configs('compact') },
  ]
  await engine.provider.submit({ kind: 'createTopics', topics })
  engine.partitions.apply(wholeDelta(engine.provider.image))
  await engine.partitions.settled()
  const orders = logOf(engine, ORDERS)
  for (let number = 0; number < 40; number++) {
    if (number === 12) abortedTransaction(orders)
    put(orders, orderBatch(number))
  }
  await orders.flush()
  orders.deleteRecordsBefore(9)
  const keys = logOf(engine, KEYS)
  for (let number = 0; number < 30; number++) put(keys, keyBatch(number))
  await keys.flush()
  await clock.run(100_000)
  if (!isClean) return disk.afterKill()
  await stop({ engine, clock })
  return disk
}

/** Stops it; its timers may have to fire. */
export async function stop({ engine, clock }: Running): Promise<void> {
  let isStopped = false
  const stopped = engine.stop().finally(() => {
    isStopped = true
  })
  while (!isStopped) {
    await settle()
    if (!isStopped && !clock.step()) await Promise.resolve()
  }
  await stopped
}

/** All that it shows, after the scrub has had its time. */
export async function show({ engine, clock }: Running): Promise<Shown> {
  await clock.run(100_000)
  const orders = logOf(engine, ORDERS)
  const keys = logOf(engine, KEYS)
  const names = Array.from(engine.provider.image.topics()).map(({ name, id }) => `${name} ${id}`)
  return {
    orders: readEach(orders, 'read_uncommitted'),
    committed: readEach(orders, 'read_committed'),
    keys: readEach(keys, 'read_uncommitted'),
    bounds: [orders.logStartOffset, orders.logEndOffset, keys.logEndOffset],
    times: [0, 10, 20, 39].map((number) => timeOf(orders, START + number)),
    topics: names.sort().join(),
    isDuplicateKnown: isDuplicateKnown(orders),
  }
}

/** A refusal of the system or of a checksum, shown in the place of what it refuses. */
export const REFUSED = 'refused'

function logOf(engine: Engine, at: { topic: string; partition: number }): PartitionLog {
  return engine.partitions.get(at).log
}

function put(log: PartitionLog, bytes: Uint8Array) {
  return log.append(bytes, { leaderEpoch: 0, origin: 'coordinator', needsDisk: true })
}

/** The records of an idempotent producer. */
function orderBatch(number: number): Uint8Array {
  const value = encoder.encode(`order ${number}`)
  const producer = { producerId: 5, producerEpoch: 0, baseSequence: number }
  return buildBatch([{ value, timestamp: START + number }], producer)
}

function keyBatch(number: number): Uint8Array {
  const key = encoder.encode(`k${number % 5}`)
  const value = encoder.encode(`key ${number}`)
  return buildBatch([{ key, value, timestamp: START + number }])
}

function abortedTransaction(log: PartitionLog): void {
  const record = { value: encoder.encode('aborted'), timestamp: START + 12 }
  const producer = { producerId: 7, producerEpoch: 0 }
  put(log, buildBatch([record], { ...producer, baseSequence: 0, isTransactional: true }))
  const marker = { ...producer, isCommit: false, coordinatorEpoch: 0, timestamp: START + 12 }
  put(log, buildEndTransactionMarker(marker))
}

/** What a client sees that checks the CRC of what it is sent, offset by offset. */
function readEach(log: PartitionLog, isolation: 'read_uncommitted' | 'read_committed'): string[] {
  const found: string[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; offset++) {
    try {
      const slice = log.read(offset, { maxBytes: 1, isolation, minOneBatch: true })
      const aborted = slice.abortedTransactions ?? []
      for (const batch of readBatches(slice.bytes())) {
        if (!batch.isCrcValid()) throw new KafkaError('CORRUPT_MESSAGE', 'The client finds it')
        const isAborted = aborted.some(({ producerId, firstOffset, lastOffset }) => {
          const isIn = batch.baseOffset >= firstOffset && batch.lastOffset <= lastOffset
          return isIn && batch.producerId === producerId
        })
        if (batch.isControl || isAborted) continue
        for (const record of readRecords(batch)) {
          if (record.offset !== offset) continue
          found.push(`${offset}:${decoder.decode(record.value ?? new Uint8Array())}`)
        }
      }
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
      found.push(`${offset}:${REFUSED}`)
    }
  }
  return found
}

function timeOf(log: PartitionLog, timestamp: number): number {
  try {
    return log.offsetForTimestamp(timestamp)?.offset ?? -1
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
    return Number.NaN
  }
}

/** Whether the last batch, sent again, is taken for what it is. */
function isDuplicateKnown(log: PartitionLog): boolean {
  const sent = { leaderEpoch: 0, origin: 'client', needsDisk: false } as const
  try {
    return log.append(orderBatch(39), sent).isDuplicate
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
    return true
  }
}
