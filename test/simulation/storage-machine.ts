// A machine that runs a log manager on a disk that may stop at any operation, and all that can be asked of its logs.
import { expect } from 'vitest'
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { randomUuid } from '#storage/base/uuid.ts'
import { buildEndTransactionMarker } from '#storage/batch/batch-builder.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import { type LogManager, openLogManager } from '#storage/log-manager.ts'
import { DEFAULT_CLEANER_SETTINGS } from '#storage/upkeep/log-cleaner.ts'
import { environmentOn } from '../storage/log/log-fixture.ts'
import { keyed } from '../storage/upkeep/cleaner-fixture.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { MachineStopped } from './simulated-faults.ts'
import { type Entry, endOf, TopicModel } from './topic-model.ts'
import { VirtualClock } from './virtual-clock.ts'

/** `a` is retained, `b` compacted, `c` both; each may change. */
export const TOPICS = ['a', 'b', 'c'] as const
const POLICIES = {
  a: { delete: true, compact: false },
  b: { delete: false, compact: true },
  c: { delete: true, compact: true },
}
const KEYS = 6

/** The name of a topic. */
export type Topic = (typeof TOPICS)[number]

/** What is not left to chance. */
export interface MachineOptions {
  /** Decides what each crash takes, apart from everything else. */
  readonly losses?: SeededRandom
  /** Of new topics, and new ones of old topics; drawn otherwise. */
  readonly configOf?: (topic: Topic) => LogConfig
  /** Operations may fail besides: then only what is lost or invented is wrong. */
  readonly mayFail?: boolean
}

/** A data directory on two paths, the logs in it, and a model of each. */
export class StorageMachine {
  readonly random: SeededRandom
  readonly #losses: SeededRandom
  readonly #options: MachineOptions
  readonly topics = new Map<Topic, TopicModel>()
  clock = new VirtualClock()
  disk: SimulatedDisk
  manager!: LogManager
  /** Who is asked: some have more to do than others. */
  readonly busy: readonly Topic[]
  /** How often the machine stopped in the middle of something. */
  stops = 0
  cleanings = 0
  #values = 0

  constructor(seed: number, options: MachineOptions = {}) {
    this.random = new SeededRandom(seed)
    this.#options = options
    this.#losses = options.losses ?? this.random
    const schedule = (work: () => void) => this.#later(work)
    this.disk = new SimulatedDisk({ seed, schedule, now: () => this.clock.now() })
    for (const topic of TOPICS) this.#renew(topic)
    const one = this.random.pick(TOPICS)
    this.busy = [...TOPICS, one, one, one]
  }

  async start(): Promise<void> {
    const { disk, clock, random } = this
    this.manager = openLogManager({
      environment: { ...environmentOn(disk, clock), random },
      logDirs: ['/data', '/more'],
      nodeId: 1,
      unflushedMaxBytes: random.pick([300, 1_000_000]),
      cleaner: () => ({
        ...DEFAULT_CLEANER_SETTINGS,
        dedupeBufferBytes: 24 * 5,
        ioBufferBytes: 900,
      }),
    })
    const { log } = await this.drive(this.manager.openMetadataLog(DEFAULT_LOG_CONFIG))
    // As every start does: no topic is there without a record of it.
    const request = { leaderEpoch: 0, origin: 'coordinator', needsDisk: true } as const
    const { lastOffset } = log.append(keyed(['k=v'], clock.now()), request)
    await this.drive(log.whenCommitted(lastOffset))
    const report = await this.drive(
      this.manager.load({
        configOf: (topic) => this.model(topic as Topic).config,
        expectedTopicId: ({ topic }) => this.topics.get(topic as Topic)?.id,
      }),
    )
    // Of a directory that went offline meanwhile, some logs can't be read.
    const offline = this.manager.directories.filter(({ isOffline }) => isOffline)
    const isOffline = (path: string) => offline.some((one) => path.startsWith(`${one.path}/`))
    expect(report.unreadable.filter(({ path }) => !isOffline(path))).toEqual([])
    // As every start does before anything is asked of it.
    await this.drive(this.manager.checkpoint('recoveryPoints'))
  }

  model(topic: Topic): TopicModel {
    return this.topics.get(topic) as TopicModel
  }

  log(topic: Topic): PartitionLog | undefined {
    return this.manager.log({ topic, partition: 0 })
  }

  append(topic: Topic): void {
    const producerId = this.random.below(5)
    const texts = Array.from({ length: 1 + this.random.below(3) }, () => {
      const key = `k${this.random.below(KEYS)}`
      return this.random.chance(0.2) ? key : `${key}=${this.#values++}`
    })
    const sequence = this.model(topic).nextSequence(producerId, this.log(topic))
    // Of a producer that began anew in its epoch, another start may find the batches of before: no client does that.
    const known = this.log(topic)?.producers.producer(producerId)?.batches ?? []
    const again = known.find((one) => one.lastSequence === sequence + texts.length - 1)
    if (this.model(topic).entries.some((one) => endOf(one) - 1 === again?.lastOffset)) return
    const isTransactional = producerId > 2
    const timestamp = this.clock.now() - this.random.below(10)
    this.#send(topic, { producerId, texts, sequence, isTransactional, timestamp })
  }

  endTransaction(topic: Topic): void {
    const [producerId] = this.model(topic).transactions().open.keys()
    if (producerId === undefined) return
    const isCommit = this.random.chance(0.5)
    const timestamp = this.clock.now()
    const marker = { producerId, texts: [], sequence: -1, isTransactional: true, timestamp }
    this.#send(topic, { ...marker, isCommit })
  }

  /** Sends a producer's last batch again. */
  retry(topic: Topic): void {
    const log = this.log(topic)
    const model = this.model(topic)
    const last = model.lastOf(1 + this.random.below(4))
    if (!log || !last || last.base < model.start) return
    const request = { leaderEpoch: model.leaderEpoch, origin: 'client', needsDisk: true } as const
    const result = log.append(bytesOf(last), request)
    expect(result).toMatchObject({ isDuplicate: true, baseOffset: last.base })
    const { disk } = this
    log.whenCommitted(result.lastOffset).then(
      () => void (disk === this.disk && model.settle(last)),
      () => undefined,
    )
  }

  /** As the metadata log does behind a snapshot that is ahead of it. */
  restartAt(topic: Topic): void {
    const log = this.log(topic)
    const model = this.model(topic)
    if (!log || model.mayCompact) return
    const offset = log.logEndOffset + this.random.below(9)
    model.restartAt(offset)
    log.truncateFullyAndStartAt(offset)
    model.restarted()
    this.beginEpoch(topic)
  }

  beginEpoch(topic: Topic): void {
    const model = this.model(topic)
    model.leaderEpoch++
    this.log(topic)?.assignEpochStart(model.leaderEpoch)
  }

  deleteRecords(topic: Topic): void {
    const log = this.log(topic)
    if (!log) return
    const { logStartOffset, highWatermark } = log
    const offset = logStartOffset + this.random.below(highWatermark - logStartOffset + 1)
    const model = this.model(topic)
    model.requestedStart = Math.max(model.requestedStart, offset)
    log.deleteRecordsBefore(offset)
    const { disk } = this
    log.whenStartSaved().then(
      () => void (disk === this.disk && model.saved(offset)),
      () => undefined,
    )
  }

  /** As a follower does, or a leader of what nobody relies on. Up to the next acknowledged append a crash may undo it. */
  truncate(topic: Topic, toEntry?: number): void {
    const log = this.log(topic)
    const model = this.model(topic)
    const bases = model.entries.map(({ base }) => base).filter((base) => base > model.lowestCut)
    if (!log || bases.length === 0) return
    const offset = bases[toEntry ?? this.random.below(bases.length)]
    if (offset === undefined) return
    model.truncateTo(offset)
    log.truncateTo(offset)
    model.truncated()
    this.beginEpoch(topic)
  }

  /** Begins a cleaning of all that are compacted, and may leave it running. */
  async clean(): Promise<void> {
    for (const topic of TOPICS) {
      const log = this.log(topic)
      if (log) this.model(topic).beginCleaning(this.clock.now(), log)
    }
    const cleaning = this.manager.cleaner.cleanNow().then((cleaned) => {
      this.cleanings += cleaned.length
    })
    cleaning.catch(() => undefined)
    if (this.random.chance(0.6)) await this.drive(cleaning)
    if (!this.#options.mayFail) expect(this.manager.cleaner.uncleanable).toEqual([])
  }

  changeConfig(topic: Topic): void {
    const { deleteRetentionMs } = this.model(topic).config
    this.model(topic).setConfig({ ...this.#drawConfig(topic), deleteRetentionMs })
    this.manager.updateConfig(topic, this.model(topic).config)
  }

  /** Metadata first; the power may go before the rest of it is done. */
  async recreate(topic: Topic): Promise<void> {
    this.#renew(topic)
    // A life that has ended goes on with its own directory.
    const { manager } = this
    await manager.delete({ topic, partition: 0 })
    await this.#create(topic, manager)
  }

  /** Loses power, or only the process, now or at the change at which the machine has stopped. */
  async crash(): Promise<void> {
    for (const topic of TOPICS) this.#observe(topic)
    await this.boot()
  }

  /** Starts on what a loss leaves, which may come again while it starts. */
  async boot(): Promise<void> {
    let isPowerLost = false
    for (let isStarted = false; !isStarted; ) {
      const losses = this.#losses
      const isPowerLoss = losses.chance(0.7)
      isPowerLost ||= isPowerLoss
      const { disk } = this
      this.disk = isPowerLoss ? disk.afterCrash(losses.uint32()) : disk.afterKill()
      this.disk.faults.hasMet = disk.faults.hasMet
      this.clock = new VirtualClock(this.clock.now())
      if (losses.chance(0.3)) this.disk.faults.stopAtChange(1 + losses.below(40))
      isStarted = await this.#survives(() => this.start())
    }
    this.disk.faults.stopAtChange(Infinity)
    await this.#take({ isPowerLost })
  }

  async restart(): Promise<void> {
    const bounds = () =>
      TOPICS.map((topic) => this.log(topic)).map((log) => [log?.logStartOffset, log?.logEndOffset])
    await this.drive(this.manager.close(1))
    this.disk.faults.throwIfStopped()
    // It may have met the failure, and then it is none that the next start relies on.
    if (this.disk.faults.hasMet) return this.crash()
    // A cleaning that was left running may have moved a log start until now.
    for (const topic of TOPICS) this.#observe(topic)
    const before = bounds()
    for (const topic of TOPICS) for (const entry of this.model(topic).entries) entry.isOnDisk = true
    const { faults } = this.disk
    this.disk = this.disk.afterCrash(this.#losses.uint32())
    this.disk.faults.takeOver(faults)
    this.clock = new VirtualClock(this.clock.now())
    await this.start()
    if (this.disk.faults.hasMet) return this.crash()
    expect(this.manager.hadCleanShutdown).toBe(true)
    expect(bounds()).toEqual(before)
    await this.#take({ isPowerLost: true })
  }

  /**
   * Carries something out. Where the machine stops in the middle of it, it is started again; where operations may fail,
   * also when a directory went offline, or when something began that was not carried out.
   */
  async step(action: () => unknown): Promise<void> {
    let hasFailed = false
    const isUp = await this.#survives(async () => {
      try {
        await action()
      } catch (error) {
        if (!this.#options.mayFail || !isStorageError(error)) throw error
        hasFailed = true
      }
    })
    hasFailed ||= isUp && this.manager.directories.some(({ isOffline }) => isOffline)
    if (isUp && !hasFailed) {
      for (const topic of TOPICS) this.#observe(topic)
      return
    }
    this.stops++
    this.disk.faults.heal()
    await this.crash()
  }

  /** Holds everything to its model. */
  check(): void {
    for (const topic of TOPICS) {
      this.#observe(topic)
      const log = this.log(topic)
      if (log)
        this.#explained(topic, () => this.model(topic).check(log, this.random, this.clock.now()))
    }
  }

  /** Time must pass for syncs to end. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    done.catch(() => undefined)
    for (let turn = 0; !isDone; turn++) {
      await this.clock.run(5)
      if (turn > 50 && this.disk.faults.isStopped) throw new MachineStopped('Nothing goes on')
    }
    return done
  }

  async #take(loss: { isPowerLost: boolean }): Promise<void> {
    for (const topic of TOPICS) {
      const log = this.log(topic)
      const model = this.model(topic)
      this.#explained(topic, () => {
        if (log) model.recover(log, loss)
        else expect(model.entries.filter(({ isOnDisk }) => isOnDisk)).toEqual([])
      })
      if (log) this.beginEpoch(topic)
      else {
        model.restartAt(0)
        model.restarted()
        await this.drive(this.#create(topic))
      }
    }
    this.check()
  }

  /** False when the machine stopped: what else went wrong then does not count. */
  async #survives(action: () => unknown): Promise<boolean> {
    try {
      await action()
    } catch (error) {
      if (!this.disk.faults.isStopped) throw error
    }
    return !this.disk.faults.isStopped
  }

  #explained(topic: Topic, action: () => void): void {
    try {
      action()
    } catch (error) {
      if (isStorageError(error)) throw error
      throw new Error(`${topic}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  }

  #observe(topic: Topic): void {
    const { disk, manager } = this
    const directory = manager.directories.flatMap(({ logs }) => logs)
    const log = directory.find(({ topicPartition }) => topicPartition.topic === topic)
    const model = this.model(topic)
    if (log?.topicId !== model.id) return
    this.#explained(topic, () => {
      model.observe(log, this.clock.now())
      if (!disk.faults.isStopped && !log.fault) model.checkWatermark(log)
    })
  }

  #send(topic: Topic, part: SentPart): void {
    const log = this.log(topic)
    const model = this.model(topic)
    if (!log) return
    // Markers always wait for the disk: cleanings go by them.
    const needsDisk = part.isCommit !== undefined || this.random.chance(0.5)
    const { leaderEpoch } = model
    const entry: Entry = {
      base: log.logEndOffset,
      leaderEpoch,
      needsDisk,
      isAppended: false,
      isOnDisk: false,
      cleanedAt: Infinity,
      ...part,
    }
    // What was never answered may be there after a crash all the same.
    model.add(entry)
    const origin = part.isCommit === undefined ? 'client' : 'coordinator'
    const { lastOffset } = this.#tryTo(
      () => log.append(bytesOf(entry), { leaderEpoch, origin, needsDisk }),
      () => model.refuse(entry),
    )
    expect(lastOffset + 1).toBe(endOf(entry))
    entry.isAppended = true
    if (!needsDisk) return
    const { disk } = this
    log.whenCommitted(lastOffset).then(
      // What an earlier life acknowledges after the crash reaches nobody.
      () => void (disk === this.disk && model.settle(entry)),
      () => undefined,
    )
  }

  /** A refusal leaves nothing behind. After a fault nobody knows. */
  #tryTo<T>(action: () => T, onRefused: () => void): T {
    try {
      return action()
    } catch (error) {
      if (error instanceof KafkaError) onRefused()
      throw error
    }
  }

  async #create(topic: Topic, manager = this.manager): Promise<void> {
    const { id: topicId, config } = this.model(topic)
    await manager.create({ topicPartition: { topic, partition: 0 }, topicId, config })
  }

  #renew(topic: Topic): void {
    this.topics.set(topic, new TopicModel(randomUuid(this.random), this.#drawConfig(topic)))
  }

  #drawConfig(topic: Topic): LogConfig {
    const { random } = this
    if (this.#options.configOf) return this.#options.configOf(topic)
    return {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 200 + random.below(600),
      indexIntervalBytes: random.below(200),
      fileDeleteDelayMs: random.pick([0, 20, 40, 60_000]),
      cleanupPolicy: random.chance(0.8) ? POLICIES[topic] : POLICIES[random.pick(TOPICS)],
      retentionMs: random.pick([DEFAULT_LOG_CONFIG.retentionMs, 60]),
      retentionBytes: random.pick([Infinity, Infinity, 1_500]),
      deleteRetentionMs: random.pick([20, 100]),
      minCompactionLagMs: random.pick([0, 0, 30]),
      minCleanableDirtyRatio: random.pick([0, 0.5]),
      flushMessages: random.pick([Infinity, Infinity, 4]),
      flushMs: random.pick([Infinity, 50]),
    }
  }

  #later(work: () => void): void {
    const delay = this.random.below(8)
    if (delay === 0) queueMicrotask(work)
    else this.clock.after(delay, work)
  }
}

function isStorageError(error: unknown): boolean {
  return error instanceof KafkaError || error instanceof StorageFault
}

type SentPart = Pick<
  Entry,
  'producerId' | 'texts' | 'sequence' | 'isTransactional' | 'timestamp' | 'isCommit'
>

function bytesOf({ texts, timestamp, producerId, sequence, ...entry }: Entry): Uint8Array {
  const producer = { producerId, producerEpoch: 0 }
  if (entry.isCommit !== undefined) {
    const { isCommit } = entry
    return buildEndTransactionMarker({ ...producer, isCommit, timestamp, coordinatorEpoch: 0 })
  }
  if (producerId === 0) return keyed(texts, timestamp)
  const { isTransactional } = entry
  return keyed(texts, timestamp, { ...producer, baseSequence: sequence, isTransactional })
}
