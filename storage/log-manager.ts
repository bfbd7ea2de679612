// All logs of a broker, in all its log directories: open, create, delete, checkpoint, retain, close.
//
// Life: `openLogManager` (locks, identities, what the last run left) → `openMetadataLog` → `load` → `checkpoint` what was
// recovered → `start` (upkeep by the clock) → `close`. A directory whose disk fails goes offline; the others go on.
import { assert, KafkaError, type StorageFault } from './base/errors.ts'
import { TimeSlices } from './base/time-slices.ts'
import { partitionName, type TopicPartition } from './base/topic-partition.ts'
import type { Uuid } from './base/uuid.ts'
import { createCleaner } from './compaction.ts'
import { NOTHING_KNOWN } from './data-directory.ts'
import { DelayedRemovals } from './delayed-removals.ts'
import {
  asFault,
  type CheckpointKind,
  checkDistinct,
  chooseDirectory,
  DirectoryLogs,
  faultOf,
  forgetFiles,
  type LogDirectoryState,
  type WorkPace,
} from './directory-logs.ts'
import { isMetadata, renamedDirectory } from './directory-names.ts'
import { failureKind, storageError } from './fs/failures.ts'
import { type LoadingTally, loadSideBySide, telling } from './loading-progress.ts'
import type { LogConfig } from './log/log-config.ts'
import type { LogEnvironment, LogObserver } from './log/log-parts.ts'
import type { OpenedLog } from './log/open-log.ts'
import type { PartitionLog } from './log/partition-log.ts'
import { UnflushedBytes } from './log/unflushed-bytes.ts'
import { type AssignedLogs, LogLoader, reportOf } from './log-loader.ts'
import type { LogManagerOptions, NewLog } from './log-manager-options.ts'
import { attemptOn, openDataDirectories } from './open-data-directories.ts'
import type { PeriodicTask } from './periodic-task.ts'
import type { RecoveryReport } from './recovery-report.ts'
import type { LogCleaner } from './upkeep/log-cleaner.ts'
import { LogScrubber } from './upkeep/log-scrubber.ts'
import { scheduleUpkeep } from './upkeep-schedule.ts'

/**
 * Locks, identifies and reads all log directories. Throws KAFKA_STORAGE_ERROR when another broker uses one or partitions
 * lack a metadata log, INCONSISTENT_CLUSTER_ID when they are another's, `StorageFault` when they can't be read.
 */
export function openLogManager(options: LogManagerOptions): LogManager {
  const { environment, logDirs, nodeId, clusterId, examine } = options
  const { files, random } = environment
  const metadataPath = options.metadataLogDir ?? logDirs[0] ?? ''
  const request = { files, random, paths: logDirs, metadataPath, nodeId, clusterId, examine }
  const opened = openDataDirectories(request)
  try {
    const directories = opened.directories.map(
      (directory) =>
        new DirectoryLogs(
          directory,
          attemptOn({ metadataPath }, directory, () => directory.takeLeftState()) ?? NOTHING_KNOWN,
          new UnflushedBytes(options.unflushedMaxBytes ?? DEFAULT_UNFLUSHED_MAX_BYTES),
        ),
    )
    return new LogManager(options, opened.clusterId, directories)
  } catch (error) {
    for (const directory of opened.directories) directory.unlock(false)
    throw storageError(error, 'Reading the data directories')
  }
}

const DEFAULT_UNFLUSHED_MAX_BYTES = 64 * 1_048_576
/** A thread of Kafka waits in each fsync. Here eight logs wait in its stead, and the file system commits them together. */
const LOGS_PER_THREAD = 8
/** When a log that was refused at start may be tried again. */
const LATE_RETRY_MS = 1_000

/** The logs of one broker. Calls for one partition must not overlap: create, then use, then delete. */
export class LogManager {
  readonly clusterId: string
  /** Compacts its logs. For tests and tools: `cleanNow`. */
  readonly cleaner: LogCleaner
  /** Reads sealed segments once, for damage. For tests and tools: `scrubNow`. */
  readonly scrubber: LogScrubber
  readonly #options: LogManagerOptions
  readonly #environment: LogEnvironment
  readonly #directories: readonly DirectoryLogs[]
  readonly #loaders = new Map<DirectoryLogs, LogLoader>()
  /** Where partitions were whose directory is offline, or that could not be opened. */
  readonly #unavailable = new Map<string, KafkaError>()
  readonly #removals: DelayedRemovals
  readonly #pace: WorkPace
  #tasks: PeriodicTask[] = []
  /** Logs that were refused at start and are tried again, and those of which that was in vain a moment ago. */
  readonly #late = new Map<string, Promise<void>>()
  #isLoaded = false
  #isClosed = false

  /** Use `openLogManager`. */
  constructor(
    options: LogManagerOptions,
    clusterId: string,
    directories: readonly DirectoryLogs[],
  ) {
    this.clusterId = clusterId
    this.#options = options
    this.#environment = options.environment
    this.#directories = directories
    const { files, clock } = this.#environment
    this.#removals = new DelayedRemovals(files, clock, (error) => this.#report(error))
    const logsAtATime = LOGS_PER_THREAD * (options.recoveryThreads ?? 2)
    this.#pace = { slices: new TimeSlices(clock), logsAtATime }
    this.cleaner = createCleaner({
      environment: this.#environment,
      settings: options.cleaner,
      ownerOf: (log) =>
        directories.find(({ logs }) => logs.get(partitionName(log.topicPartition)) === log),
      logs: () => this.logs(),
      checkpoint: (owner, kind) => this.#checkpointOf(owner, kind),
      onProblem: (error) => this.#report(error),
    })
    this.scrubber = new LogScrubber({
      environment: this.#environment,
      logs: () => this.logs(),
      bytesPerSecond: options.scrubBytesPerSecond ?? (() => 0),
      onProblem: (error) => this.#report(error),
    })
    for (const owner of directories) {
      const loader = new LogLoader(owner, this.#environment, this.#observerOf(owner), this.#pace)
      this.#loaders.set(owner, loader)
    }
  }

  /** The ids of the log directories that work: what a broker registers. */
  get directoryIds(): Uuid[] {
    return this.#online.map(({ directory }) => directory.directoryId)
  }

  /** The id of the directory that holds the metadata log. */
  get metadataDirectoryId(): Uuid {
    return this.#metadataOwner.directory.directoryId
  }

  /** True when every directory was left by a clean stop, so that no epoch has to be raised. */
  get hadCleanShutdown(): boolean {
    return this.#directories.every(({ left }) => left.hadCleanShutdown)
  }

  /** The broker epoch that the last clean stop left; -1 when unknown, or when the directories disagree. */
  get previousBrokerEpoch(): number {
    const [first = -1, ...others] = this.#directories.map(({ left }) => left.brokerEpoch)
    return others.every((epoch) => epoch === first) ? first : -1
  }

  /** All log directories, in the order of `log.dirs`. */
  get directories(): LogDirectoryState[] {
    return this.#directories.map(({ directory, isOffline, logs }) => ({
      path: directory.path,
      isOffline,
      logs: Array.from(logs.values()).filter((log) => !isMetadata(log.topicPartition)),
    }))
  }

  /** All open logs but the metadata log. */
  *logs(): Generator<PartitionLog> {
    for (const { logs } of this.#online) {
      for (const log of logs.values()) if (!isMetadata(log.topicPartition)) yield log
    }
  }

  /** A partition's log; undefined when there is none. Throws KAFKA_STORAGE_ERROR when it is offline or unreadable. */
  log(topicPartition: TopicPartition): PartitionLog | undefined {
    const name = partitionName(topicPartition)
    for (const { logs, isOffline } of this.#directories) {
      const log = logs.get(name)
      if (log && !isOffline && !this.#unavailable.has(name)) return log
    }
    const problem = this.#unavailable.get(name)
    if (!problem) return undefined
    this.#tryLate(topicPartition)
    throw problem
  }

  /** When it is not undefined, to be awaited before an append to the partition: `PartitionLog.room`. */
  room(topicPartition: TopicPartition): Promise<void> | undefined {
    return this.log(topicPartition)?.room()
  }

  /** The bytes of a log directory that wait in the page cache; 0 for one that is not ours. */
  unflushedBytes(path: string): number {
    return this.#directories.find(({ directory }) => directory.path === path)?.unflushed.total ?? 0
  }

  /** The id of the directory that holds a partition's log. */
  directoryIdOf(topicPartition: TopicPartition): Uuid | undefined {
    const name = partitionName(topicPartition)
    return this.#directories.find(({ logs }) => logs.has(name))?.directory.directoryId
  }

  /** Opens `__cluster_metadata-0`, made when there is none. It comes before all others. */
  async openMetadataLog(config: LogConfig): Promise<OpenedLog> {
    const owner = this.#metadataOwner
    return await telling(this.#environment.clock, this.#options.onProgress, (tally) =>
      owner.attempt('Opening the metadata log', () =>
        this.#loaderOf(owner).openMetadataLog(config, tally),
      ),
    )
  }

  /**
   * Loads the partitions that are found. Those that are not assigned are set aside; those that can't be read are
   * reported and refuse. Throws KAFKA_STORAGE_ERROR when a partition is in two directories, or no directory is left.
   */
  async load(assigned: AssignedLogs): Promise<RecoveryReport> {
    const startedAt = this.#environment.clock.monotonic()
    checkDistinct(this.#online, (owner, error) => this.#noteFault(owner, error))
    await loadSideBySide(this.#environment.clock, this.#options.onProgress, (tally) =>
      this.#directories.map((owner) => this.#loadDirectory(owner, assigned, tally)),
    )
    this.#isLoaded = true
    const results = Array.from(this.#loaders.values(), (loader) => loader.result())
    for (const { topic, partition, path, problem } of results.flatMap((one) => one.unreadable)) {
      const error = new KafkaError('KAFKA_STORAGE_ERROR', `${path} can't be read: ${problem}`)
      this.#unavailable.set(partitionName({ topic, partition }), error)
    }
    if (this.#online.length === 0) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'All data directories are offline')
    }
    const durationMs = this.#environment.clock.monotonic() - startedAt
    return { ...reportOf(results), logCount: Array.from(this.logs()).length, durationMs }
  }

  /** Begins checkpoints, retention and compaction. */
  start(): void {
    assert(this.#tasks.length === 0 && !this.#isClosed, 'A log manager starts once')
    const { intervals = {}, environment } = this.#options
    this.#tasks = scheduleUpkeep(environment.clock, intervals, this)
    this.cleaner.start()
    this.scrubber.start()
  }

  /** Brings one kind of checkpoint up to date in all directories. What fails is reported, not thrown. */
  async checkpoint(kind: CheckpointKind): Promise<void> {
    await Promise.all(this.#online.map((owner) => this.#checkpointOf(owner, kind)))
  }

  /** One round of retention over all logs. What fails is reported, not thrown. */
  async retain(): Promise<void> {
    const now = this.#environment.clock.now()
    const starts = new Map<PartitionLog, number>()
    await this.#forEachLog((log) => starts.set(log, log.passOldSegments(now)))
    // On disk before files go. On a full disk they go all the same.
    await this.checkpoint('logStartOffsets')
    await this.#forEachLog((log) => log.deleteOldSegments(now, starts.get(log) ?? 0))
  }

  /** Has all logs forget the producers that were idle for too long. */
  async expireProducers(): Promise<void> {
    await this.#forEachLog((log) => log.removeExpiredProducers(this.#environment.clock.now()))
  }

  /** Gives all logs of a topic new settings. */
  updateConfig(topic: string, config: LogConfig): void {
    for (const log of this.logs()) if (log.topicPartition.topic === topic) log.updateConfig(config)
  }

  /**
   * Creates a partition's log; it is on disk when this resolves, directory and all (RULES 2). Throws
   * KAFKA_STORAGE_ERROR when there is one that can't be used, no directory is left, or its disk is full.
   */
  async create(request: NewLog): Promise<PartitionLog> {
    const { topicPartition } = request
    const name = partitionName(topicPartition)
    assert(this.log(topicPartition) === undefined, `${name} must not exist when it is created`)
    const owner = chooseDirectory(this.#directories, request.directoryId)
    owner.creating++
    try {
      const create = () => this.#loaderOf(owner).create(request)
      return (await this.#attempt(owner, `Creating ${name}`, create)).log
    } finally {
      owner.creating--
    }
  }

  /**
   * Deletes a partition's log. Its directory is renamed at once, and removed after `file.delete.delay.ms`: who reads
   * from it meanwhile may finish. The deletion is on disk when this resolves.
   */
  async delete(topicPartition: TopicPartition): Promise<void> {
    const name = partitionName(topicPartition)
    const owner = this.#ownerOf(name)
    if (!owner) return
    await this.#late.get(name)
    owner.checkOnline()
    await this.#attempt(owner, `Deleting ${name}`, () => this.#delete(owner, topicPartition))
  }

  /**
   * Stops cleanly: every log flushed and closed, checkpoints written, and the marker last. A directory in which something
   * failed gets none, and is recovered at the next start.
   */
  async close(brokerEpoch: number): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stopUpkeep()
    for (const owner of this.#directories) {
      const isClean = await this.#closeDirectory(owner, brokerEpoch)
      try {
        owner.directory.unlock(isClean)
      } catch (error) {
        // All is on disk: nobody misses the file.
        this.#report(error)
      }
    }
  }

  /** Lets go of everything as it is, as a crash would: the next start recovers. */
  async closeNow(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stopUpkeep()
    for (const owner of this.#directories) {
      owner.closeNow()
      await owner.idle()
      owner.directory.unlock(false)
    }
  }

  /** What the system refused to open at start is tried again when it is asked for. */
  #tryLate(topicPartition: TopicPartition): void {
    const name = partitionName(topicPartition)
    if (this.#isClosed || this.#late.has(name)) return
    const owner = this.#online.find((one) => this.#loaderOf(one).wasRefused(topicPartition))
    if (owner) this.#late.set(name, this.#openLate(owner, topicPartition))
  }

  async #openLate(owner: DirectoryLogs, topicPartition: TopicPartition): Promise<void> {
    const name = partitionName(topicPartition)
    const loader = this.#loaderOf(owner)
    try {
      const open = () => loader.openLate(topicPartition)
      const told = await this.#attempt(owner, `Opening ${name}`, open)
      await this.#options.onOpenedLate?.(topicPartition, told)
      loader.take(topicPartition)
      this.#unavailable.delete(name)
      this.#late.delete(name)
    } catch (error) {
      this.#report(error)
      this.#environment.clock.after(LATE_RETRY_MS, () => void this.#late.delete(name))
    }
  }

  get #online(): DirectoryLogs[] {
    return this.#directories.filter(({ isOffline }) => !isOffline)
  }

  /** The directory that holds a partition's log, or its files that could not be opened. */
  #ownerOf(name: string): DirectoryLogs | undefined {
    const owner = this.#directories.find(({ logs }) => logs.has(name))
    if (owner || !this.#unavailable.has(name)) return owner
    return this.#online.find(({ directory }) => {
      return this.#environment.files.status(`${directory.path}/${name}`) !== undefined
    })
  }

  get #metadataOwner(): DirectoryLogs {
    const path = this.#options.metadataLogDir ?? this.#options.logDirs[0]
    const owner = this.#directories.find(({ directory }) => directory.path === path)
    assert(owner, 'The metadata directory is one of the log directories')
    return owner
  }

  #loaderOf(owner: DirectoryLogs): LogLoader {
    const loader = this.#loaders.get(owner)
    assert(loader, 'Every directory has a loader')
    return loader
  }

  #observerOf(owner: DirectoryLogs): LogObserver {
    return {
      onFault: (fault) => this.#takeOffline(owner, fault),
      unflushed: owner.unflushed,
      onRecoveryPoint: () => void this.#checkpointOf(owner, 'recoveryPoints'),
      beforeCut: (topicPartition, recoveryPoint) => owner.fence(topicPartition, recoveryPoint),
      saveLogStart: () => this.#attempt(owner, 'Writing a checkpoint', () => owner.saveLogStarts()),
      onCut: (topicPartition, end) => {
        if (owner.cut(topicPartition, end)) void this.#checkpointOf(owner, 'cleanerOffsets')
      },
    }
  }

  async #loadDirectory(owner: DirectoryLogs, assigned: AssignedLogs, tally: LoadingTally) {
    if (owner.isOffline) return
    try {
      await owner.attempt('Loading the logs', () => this.#loaderOf(owner).load(assigned, tally))
      await owner.attempt('Loading the logs', () => owner.checkpoint('cleanerOffsets'))
    } catch (error) {
      this.#noteFault(owner, error)
      if (!faultOf(error)) throw error
    }
  }

  async #closeDirectory(owner: DirectoryLogs, brokerEpoch: number): Promise<boolean> {
    try {
      if (!owner.isOffline)
        return await owner.attempt('Closing', () => owner.close(brokerEpoch, this.#pace))
    } catch (error) {
      this.#noteFault(owner, error)
      this.#report(error)
    }
    owner.closeNow()
    await owner.idle()
    return false
  }

  async #delete(owner: DirectoryLogs, topicPartition: TopicPartition): Promise<void> {
    const { files, random } = this.#environment
    const name = partitionName(topicPartition)
    const from = `${owner.directory.path}/${name}`
    const path = `${owner.directory.path}/${renamedDirectory(topicPartition, 'delete', random)}`
    const log = owner.logs.get(name)
    if (log) await this.cleaner.release(log)
    log?.closeNow()
    owner.logs.delete(name)
    this.#unavailable.delete(name)
    forgetFiles(this.#environment, from)
    files.rename(from, path)
    // First, or a power loss brings back the directory with half of its files, as if it were another topic's.
    await owner.directory.syncNames()
    const delayMs = log?.config.fileDeleteDelayMs ?? 0 // One that could not be opened has no readers.
    if (!this.#isClosed) this.#removals.add(path, delayMs, () => owner.isOffline)
    await owner.forget(topicPartition)
  }

  async #forEachLog(action: (log: PartitionLog) => unknown): Promise<void> {
    for (const log of Array.from(this.logs())) {
      await this.#pace.slices.breathe()
      if (this.#isClosed) return
      try {
        if (this.log(log.topicPartition) === log) action(log)
      } catch (error) {
        // A fault has taken the directory offline already.
        this.#report(error)
      }
    }
  }

  /** As `DirectoryLogs.attempt`; a fault takes the directory offline. */
  async #attempt<T>(owner: DirectoryLogs, what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await owner.attempt(what, action)
    } catch (error) {
      this.#noteFault(owner, error)
      throw error
    }
  }

  async #checkpointOf(owner: DirectoryLogs, kind: CheckpointKind): Promise<void> {
    try {
      await this.#attempt(owner, 'Writing a checkpoint', () => owner.checkpoint(kind))
    } catch (error) {
      this.#report(error)
    }
  }

  #noteFault(owner: DirectoryLogs, error: unknown): void {
    if (failureKind(error) === 'fault') this.#takeOffline(owner, asFault(error))
  }

  #takeOffline(owner: DirectoryLogs, fault: StorageFault): void {
    const { directory } = owner
    if (directory.fault) return
    directory.fault = fault
    owner.closeNow()
    const partitions = new Map<string, TopicPartition>()
    const open = Array.from(owner.logs.values(), ({ topicPartition }) => topicPartition)
    // While logs are being loaded, those that are not open yet must not look as if they did not exist.
    const found = this.#isLoaded ? [] : this.#loaderOf(owner).found
    for (const topicPartition of [...open, ...found]) {
      const name = partitionName(topicPartition)
      const error = new KafkaError('KAFKA_STORAGE_ERROR', `${name} is offline: ${fault.message}`, {
        cause: fault,
      })
      partitions.set(name, topicPartition)
      this.#unavailable.set(name, error)
    }
    const { path, directoryId } = directory
    this.#options.onOffline?.({
      path,
      directoryId,
      fault,
      partitions: Array.from(partitions.values()),
    })
  }

  async #stopUpkeep(): Promise<void> {
    this.#removals.cancel()
    await Promise.all(this.#late.values())
    await Promise.all([this.cleaner.stop(), this.scrubber.stop()])
    await Promise.all(this.#tasks.map((task) => task.stop()))
  }

  #report(error: unknown): void {
    this.#options.onProblem?.(error)
  }
}
