// Seeded crashes of a whole data directory: transactions, truncation, deleted records, topics deleted and made again.
import { expect, test } from 'vitest'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { randomUuid, type Uuid } from '#storage/base/uuid.ts'
import { buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { readRecords } from '#storage/batch/record.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { lastSequenceOf } from '#storage/state/producer-entry.ts'
import { batchOf, environmentOn } from '../storage/log/log-fixture.ts'
import { SeededRandom } from './seeded-random.ts'
import { seedsToRun } from './seeds.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { VirtualClock } from './virtual-clock.ts'

const TOPICS = ['a', 'b', 'c'] as const
const STEPS = 90
const PRODUCERS = 3

type Topic = (typeof TOPICS)[number]

/** A batch that was acknowledged as being on disk. */
interface Acknowledged {
  readonly offset: number
  readonly values: readonly string[]
}

/** What the test knows of one topic as it is now: a topic that is made again is another one. */
class Incarnation {
  readonly id: Uuid
  readonly acknowledged: Acknowledged[] = []
  readonly sequences = new Map<number, number>()
  readonly open = new Set<number>()
  /** Records below were deleted on request. */
  start = 0

  constructor(id: Uuid) {
    this.id = id
  }
}

class Machine {
  readonly random: SeededRandom
  readonly clock = new VirtualClock()
  readonly topics = new Map<Topic, Incarnation>()
  readonly #config: LogConfig
  disk: SimulatedDisk
  manager!: LogManager
  #values = 0
  /** Every value that was ever sent, with its topic's id. */
  readonly #sent = new Map<string, Uuid>()

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedDisk({ seed, schedule: (work) => this.#later(work) })
    this.#config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 400 + this.random.below(1200),
      indexIntervalBytes: this.random.below(200),
      fileDeleteDelayMs: 40,
    }
    for (const topic of TOPICS) this.topics.set(topic, new Incarnation(randomUuid(this.random)))
  }

  async start(): Promise<void> {
    const { disk, clock } = this
    this.manager = openLogManager({
      environment: { ...environmentOn(disk, clock), random: this.random },
      logDirs: ['/data'],
      nodeId: 1,
      unflushedMaxBytes: this.random.pick([300, 1_000_000]),
    })
    await this.drive(this.manager.openMetadataLog(DEFAULT_LOG_CONFIG))
    const report = await this.drive(
      this.manager.load({
        configOf: () => this.#config,
        expectedTopicId: ({ topic }) => this.topics.get(topic as Topic)?.id,
      }),
    )
    expect(report.unreadable).toEqual([])
    for (const topic of TOPICS) {
      this.check(topic)
      if (!this.log(topic)) await this.drive(this.#create(topic))
    }
  }

  log(topic: Topic): PartitionLog | undefined {
    return this.manager.log({ topic, partition: 0 })
  }

  append(topic: Topic): void {
    const incarnation = this.#of(topic)
    const producerId = this.random.below(PRODUCERS)
    const isTransactional = producerId > 0
    const values = Array.from({ length: 1 + this.random.below(3) }, () => `v${this.#values++}`)
    for (const value of values) this.#sent.set(value, incarnation.id)
    const baseSequence = incarnation.sequences.get(producerId) ?? 0
    const timestamp = this.clock.now()
    const owner = { producerId, producerEpoch: 0, baseSequence, isTransactional }
    const bytes = batchOf(values, { timestamp, ...(isTransactional && owner) })
    this.#send(topic, bytes, { values, origin: 'client' })
    incarnation.sequences.set(producerId, baseSequence + values.length)
    if (isTransactional) incarnation.open.add(producerId)
  }

  endTransaction(topic: Topic): void {
    const { open } = this.#of(topic)
    const [producerId] = open
    if (producerId === undefined) return
    open.delete(producerId)
    const isCommit = this.random.chance(0.5)
    const owner = { isCommit, producerId, producerEpoch: 0, coordinatorEpoch: 0 }
    const bytes = buildEndTransactionMarker({ ...owner, timestamp: this.clock.now() })
    this.#send(topic, bytes, { values: [], origin: 'coordinator' })
  }

  /** Cuts off what nobody was promised. */
  truncate(topic: Topic): void {
    const log = this.log(topic)
    if (!log || log.logEndOffset === log.highWatermark) return
    const bases = Array.from(batchesOf(log), ({ baseOffset }) => baseOffset)
    log.truncateTo(this.random.pick(bases.filter((offset) => offset >= log.highWatermark)))
    this.#forget(topic)
  }

  deleteRecords(topic: Topic): void {
    const log = this.log(topic)
    if (!log) return
    const offset =
      log.logStartOffset + this.random.below(log.highWatermark - log.logStartOffset + 1)
    log.deleteRecordsBefore(offset)
    this.#of(topic).start = Math.max(this.#of(topic).start, offset)
  }

  /** Metadata first; the power may go before the rest of it is done. */
  async recreate(topic: Topic): Promise<void> {
    this.topics.set(topic, new Incarnation(randomUuid(this.random)))
    // A life that has ended goes on with its own directory.
    const { manager } = this
    await manager.delete({ topic, partition: 0 })
    await this.#create(topic, manager)
  }

  async crash(): Promise<void> {
    const isPowerLoss = this.random.chance(0.7)
    this.disk = isPowerLoss ? this.disk.afterCrash(this.random.uint32()) : this.disk.afterKill()
    await this.start()
  }

  async restart(): Promise<void> {
    const ends = TOPICS.map((topic) => this.log(topic)?.logEndOffset)
    await this.drive(this.manager.close(1))
    this.disk = this.disk.afterCrash(this.random.uint32())
    await this.start()
    expect(this.manager.hadCleanShutdown).toBe(true)
    expect(TOPICS.map((topic) => this.log(topic)?.logEndOffset)).toEqual(ends)
  }

  /** What was acknowledged is there, nothing is another topic's, and read_committed is what the markers say. */
  check(topic: Topic): void {
    const incarnation = this.#of(topic)
    const log = this.log(topic)
    if (!log) {
      expect(incarnation.acknowledged).toEqual([])
      return
    }
    expect(log.damages).toEqual([])
    expect(log.logStartOffset).toBeLessThanOrEqual(incarnation.start)
    const found = contentOf(log)
    for (const { offset, values } of incarnation.acknowledged) {
      if (offset < incarnation.start) continue
      const there = values.map((_, index) => found.values.get(offset + index))
      expect(there, `offset ${offset} of ${topic}`).toEqual(values)
    }
    for (const value of found.values.values()) expect(this.#sent.get(value)).toBe(incarnation.id)
    const beganBelow = [1, 2].some((producerId) => {
      const first = log.producers.producer(producerId)?.currentTxnFirstOffset ?? -1
      return first >= 0 && first < log.logStartOffset
    })
    const stable = beganBelow ? log.logStartOffset : found.firstOpen
    expect(log.lastStableOffset).toBe(stable)
    expect(readCommitted(log)).toEqual(found.committed.filter((offset) => offset < stable))
    this.#forget(topic)
  }

  /** Time must pass for syncs to end. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    done.catch(() => undefined)
    while (!isDone) await this.clock.run(5)
    return done
  }

  #of(topic: Topic): Incarnation {
    return this.topics.get(topic) as Incarnation
  }

  async #create(topic: Topic, manager = this.manager): Promise<void> {
    const topicId = this.#of(topic).id
    const topicPartition = { topic, partition: 0 }
    await manager.create({ topicPartition, topicId, config: this.#config })
  }

  #send(
    topic: Topic,
    bytes: Uint8Array,
    { values, origin }: { values: readonly string[]; origin: 'client' | 'coordinator' },
  ): void {
    const log = this.log(topic)
    if (!log) return
    const { disk } = this
    const incarnation = this.#of(topic)
    const needsDisk = this.random.chance(0.5)
    const { baseOffset, lastOffset } = log.append(bytes, { leaderEpoch: 0, origin, needsDisk })
    if (!needsDisk) return
    log.whenCommitted(lastOffset).then(
      () => {
        if (disk === this.disk) incarnation.acknowledged.push({ offset: baseOffset, values })
      },
      () => undefined,
    )
  }

  /** Producers go on behind what the log knows of them. */
  #forget(topic: Topic): void {
    const incarnation = this.#of(topic)
    incarnation.sequences.clear()
    incarnation.open.clear()
    const log = this.log(topic)
    for (const producerId of [1, 2]) {
      const known = log?.producers.producer(producerId)
      if (!known) continue
      incarnation.sequences.set(producerId, lastSequenceOf(known) + 1)
      if (known.currentTxnFirstOffset >= 0) incarnation.open.add(producerId)
    }
  }

  #later(work: () => void): void {
    const delay = this.random.below(8)
    if (delay === 0) queueMicrotask(work)
    else this.clock.after(delay, work)
  }
}

/** All batches of a log from its start, read slice by slice. */
function* batchesOf(log: PartitionLog) {
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const slice = log.read(next, { maxBytes: 500, isolation: 'log_end', minOneBatch: true })
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      expect(batch.isCrcValid()).toBe(true)
      yield batch
      next = batch.nextOffset
    }
    if (next === start) throw new Error(`Nothing at ${next}, below ${log.logEndOffset}`)
  }
}

/** What a log holds, as its batches alone tell it. */
function contentOf(log: PartitionLog) {
  const decoder = new TextDecoder()
  const values = new Map<number, string>()
  const open = new Map<number | bigint, number[]>()
  const aborted = new Set<number>()
  for (const batch of batchesOf(log)) {
    for (const record of readRecords(batch)) {
      if (batch.isControl) {
        const isAbort = record.key?.[3] === 0
        for (const offset of isAbort ? (open.get(batch.producerId) ?? []) : []) aborted.add(offset)
        open.delete(batch.producerId)
        continue
      }
      values.set(record.offset, decoder.decode(record.value ?? undefined))
      if (!batch.isTransactional) continue
      open.set(batch.producerId, [...(open.get(batch.producerId) ?? []), record.offset])
    }
  }
  const firstOpen = Math.min(log.logEndOffset, ...[...open.values()].map(([first = 0]) => first))
  const committed = [...values.keys()].filter(
    (offset) => offset >= log.logStartOffset && offset < firstOpen && !aborted.has(offset),
  )
  return { values, firstOpen, committed }
}

/** The offsets that a read_committed consumer sees: it filters by the aborted transactions that it is told. */
function readCommitted(log: PartitionLog): number[] {
  const offsets: number[] = []
  for (let next = log.logStartOffset; ; ) {
    const request = { maxBytes: 500, isolation: 'read_committed', minOneBatch: true } as const
    const slice = log.read(next, request)
    const start = next
    for (const batch of readBatches(slice.bytes())) {
      next = batch.nextOffset
      if (batch.isControl) continue
      const isAborted = slice.abortedTransactions?.some(
        ({ producerId, firstOffset, lastOffset }) => {
          const isIn = batch.baseOffset >= firstOffset && batch.lastOffset <= lastOffset
          return producerId === batch.producerId && batch.isTransactional && isIn
        },
      )
      if (isAborted) continue
      for (const { offset } of readRecords(batch))
        if (offset >= log.logStartOffset) offsets.push(offset)
    }
    if (next === start) return offsets
  }
}

async function simulate(seed: number): Promise<void> {
  const machine = new Machine(seed)
  const { random } = machine
  await machine.start()
  for (let step = 0; step < STEPS; step++) {
    const topic = random.pick(TOPICS)
    const roll = random.float()
    if (roll < 0.5) machine.append(topic)
    else if (roll < 0.62) machine.endTransaction(topic)
    else if (roll < 0.72) await machine.clock.run(random.below(20))
    else if (roll < 0.76) machine.truncate(topic)
    else if (roll < 0.8) machine.deleteRecords(topic)
    else if (roll < 0.83) await machine.drive(machine.manager.retain())
    else if (roll < 0.86) await machine.drive(machine.manager.checkpoint('recoveryPoints'))
    else if (roll < 0.89) await machine.drive(machine.recreate(topic))
    else if (roll < 0.92) {
      const cut = machine.recreate(topic).catch(expectStorageError)
      await machine.clock.run(random.below(15))
      await machine.crash()
      void cut
    } else if (roll < 0.96) await machine.restart()
    else await machine.crash()
  }
  await machine.crash()
}

/** A machine that is gone may find its files in any state. */
function expectStorageError(error: unknown): void {
  if (!(error instanceof KafkaError) && !(error instanceof StorageFault)) throw error
}

const seeds = seedsToRun(40)

test(`LogManager keeps its word through crashes (${seeds.length} seeds)`, async () => {
  for (const seed of seeds) {
    try {
      await simulate(seed)
    } catch (error) {
      throw new Error(`MILLRACE_SEED=${seed}: ${error}`, { cause: error })
    }
  }
}, 600_000)
