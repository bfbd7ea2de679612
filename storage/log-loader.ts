// Loads the logs of one log directory at start: finishes deletions, sets strays aside, opens the rest.
import { KafkaError, systemCode } from './base/errors.ts'
import type { TimeSlices } from './base/time-slices.ts'
import { partitionName, type TopicPartition } from './base/topic-partition.ts'
import { METADATA_TOPIC_ID, type Uuid } from './base/uuid.ts'
import { type DirectoryLogs, faultOf, forgetFiles, type WorkPace } from './directory-logs.ts'
import { METADATA_PARTITION, renamedDirectory } from './directory-names.ts'
import { placeFile, replaceFile } from './fs/atomic-file.ts'
import { failureKind, storageError } from './fs/failures.ts'
import type { LoadingTally } from './loading-progress.ts'
import type { LogConfig } from './log/log-config.ts'
import type { LogEnvironment, LogObserver } from './log/log-parts.ts'
import { type OpenedLog, openPartitionLog } from './log/open-log.ts'
import {
  type DirectoryReport,
  type RecoveredLog,
  type RecoveryReport,
  recoveredLog,
  type UnreadableLog,
} from './recovery-report.ts'
import {
  PARTITION_METADATA,
  parsePartitionMetadata,
  serializePartitionMetadata,
} from './state/partition-metadata.ts'
import { matchesSum, parseSums, SUMS_FILE, sumOf } from './state/sums.ts'

/** What the metadata says of the partitions that may be found. */
export interface AssignedLogs {
  configOf(topic: string): LogConfig
  /** Undefined when the partition is not assigned to this broker: its directory becomes a stray. */
  expectedTopicId(topicPartition: TopicPartition): Uuid | undefined
}

/** What loading one directory found. */
export interface LoadedDirectory {
  readonly report: DirectoryReport
  readonly recovered: readonly RecoveredLog[]
  readonly unreadable: readonly UnreadableLog[]
}

/** What loading all directories found. */
export function reportOf(
  results: readonly LoadedDirectory[],
): Pick<RecoveryReport, 'directories' | 'recovered' | 'unreadable'> {
  return {
    directories: results.map(({ report }) => report),
    recovered: results.flatMap(({ recovered }) => recovered),
    unreadable: results.flatMap(({ unreadable }) => unreadable),
  }
}

/** A log to be opened in a directory that is there or will be made. */
export interface LogPlace {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly config: LogConfig
}

/** Opens the logs of one log directory. */
export class LogLoader {
  readonly #owner: DirectoryLogs
  readonly #environment: LogEnvironment
  readonly #observer: LogObserver
  readonly #slices: TimeSlices
  readonly #openedAtATime: number
  /** The partitions that the directory holds, open or not. */
  readonly found: TopicPartition[] = []
  readonly #recovered: RecoveredLog[] = []
  readonly #unreadable: UnreadableLog[] = []
  /** What the system refused to open, by name. */
  readonly #refused = new Map<string, UnreadableLog>()
  /** What was opened late and may not be used yet, with what its recovery found. */
  readonly #openedLate = new Map<string, RecoveredLog | undefined>()
  #assigned: AssignedLogs | undefined
  readonly #finishedDeletions: string[] = []
  readonly #strays: string[] = []
  readonly #strange: string[] = []
  #tally: LoadingTally | undefined

  constructor(
    owner: DirectoryLogs,
    environment: LogEnvironment,
    observer: LogObserver,
    pace: WorkPace,
  ) {
    this.#owner = owner
    this.#environment = environment
    this.#observer = observer
    this.#slices = pace.slices
    this.#openedAtATime = pace.logsAtATime
  }

  /**
   * Loads everything. A log that can't be opened is reported and left alone; rejects with `StorageFault` when a system
   * call failed, since then the directory is not to be trusted.
   */
  async load(assigned: AssignedLogs, tally: LoadingTally): Promise<void> {
    this.#tally = tally
    for (const { name, kind } of this.#owner.directory.list()) {
      await this.#slices.breathe()
      if (kind.kind === 'partition') this.found.push(kind.topicPartition)
      if (kind.kind === 'stray') this.#strays.push(name)
      if (kind.kind === 'strange' || kind.kind === 'future') this.#strange.push(name)
      if (kind.kind !== 'deleted') continue
      this.#environment.files.removeDirectory(`${this.#owner.directory.path}/${name}`)
      this.#finishedDeletions.push(name)
    }
    tally.found(this.found.length)
    this.#assigned = assigned
    await this.#loadAll(this.found, () => tally.loaded())
    for (const delayMs of RETRY_DELAYS_MS) {
      if (this.#refused.size === 0) break
      await new Promise<void>((resolve) => this.#environment.clock.after(delayMs, resolve))
      await this.#loadAll(Array.from(this.#refused.values()), () => undefined)
    }
    await this.#owner.directory.syncNames()
    this.#owner.loaded(this.#unopened)
    this.#owner.directory.isLoaded = this.#unopened.length === 0
  }

  /** Whether `openLate` may open what could not be opened at start: no descriptor, no space. */
  wasRefused(topicPartition: TopicPartition): boolean {
    const name = partitionName(topicPartition)
    return this.#refused.has(name) || this.#openedLate.has(name)
  }

  /**
   * Tries again to open a log that was refused at start; what recovering it found, if there is anything to tell, each time
   * until `take` is called. Throws what keeps it closed.
   */
  async openLate(topicPartition: TopicPartition): Promise<RecoveredLog | undefined> {
    const name = partitionName(topicPartition)
    if (this.#openedLate.has(name)) return this.#openedLate.get(name)
    const before = this.#recovered.length
    await this.#loadOne(topicPartition)
    this.#owner.checkOnline()
    const closed = this.#unopened.find((one) => partitionName(one) === name)
    if (closed) throw new KafkaError('KAFKA_STORAGE_ERROR', closed.problem)
    await this.#owner.directory.syncNames()
    const told = this.#recovered.slice(before).find((one) => partitionName(one) === name)
    this.#openedLate.set(name, told)
    return told
  }

  /** A log that was opened late is in use from now on. Throws KAFKA_STORAGE_ERROR when the directory is offline. */
  take(topicPartition: TopicPartition): void {
    this.#owner.checkOnline()
    this.#openedLate.delete(partitionName(topicPartition))
    this.#owner.directory.isLoaded = this.#unopened.length === 0 && this.#openedLate.size === 0
  }

  /** Opens the metadata log, made when there is none. */
  async openMetadataLog(config: LogConfig, tally: LoadingTally): Promise<OpenedLog> {
    this.#tally = tally
    tally.found(1)
    const place = { topicPartition: METADATA_PARTITION, topicId: METADATA_TOPIC_ID, config }
    const path = this.#pathOf(METADATA_PARTITION)
    if (!this.#environment.files.readFile(`${path}/${PARTITION_METADATA}`)) {
      await this.#writePartitionMetadata(path, METADATA_TOPIC_ID)
    }
    const opened = await this.#open(place)
    const told = recoveredLog(METADATA_PARTITION, opened.recovery)
    // Its epochs are those of the controller, which begins one with each start.
    if (told) this.#recovered.push({ ...told, needsNewEpoch: false })
    await this.#owner.directory.syncNames()
    return opened
  }

  /** Makes the directory of a new partition and its log; the partition is on disk when this resolves. */
  async create(place: LogPlace): Promise<OpenedLog> {
    await this.#owner.forget(place.topicPartition)
    const { files } = this.#environment
    const path = this.#pathOf(place.topicPartition)
    // What could not be opened at start, or was left by another cluster, is not this partition's.
    if (files.status(path)) this.#setAside(place.topicPartition)
    try {
      files.makeDirectory(path)
      const metadata = serializePartitionMetadata(place.topicId)
      // Opening the log syncs the directory, and this name with its own.
      await placeFile(files, `${path}/${PARTITION_METADATA}`, metadata)
      await this.#slices.breathe()
      const opened = await this.#openAs(place, NOTHING_LEFT)
      await this.#owner.directory.syncNames()
      return opened
    } catch (error) {
      this.#owner.logs.get(partitionName(place.topicPartition))?.closeNow()
      this.#owner.logs.delete(partitionName(place.topicPartition))
      // After a full disk nothing half made stays; after a fault the directory is not touched any more.
      if (failureKind(error) === 'refusal') files.removeDirectory(path)
      throw error
    }
  }

  /** What was found so far. */
  result(): LoadedDirectory {
    const { directory, left, logs } = this.#owner
    const report: DirectoryReport = {
      path: directory.path,
      directoryId: directory.isIdentified ? directory.directoryId : undefined,
      hadCleanShutdown: left.hadCleanShutdown,
      isNew: directory.isNew,
      isLockSeenByKafka: directory.isLockSeenByKafka,
      logCount: logs.size,
      notes: [...directory.notes, ...(directory.fault ? [directory.fault.message] : [])],
      finishedDeletions: this.#finishedDeletions,
      strays: this.#strays,
      strange: this.#strange,
    }
    return { report, recovered: this.#recovered, unreadable: this.#unopened }
  }

  get #unopened(): UnreadableLog[] {
    return [...this.#unreadable, ...this.#refused.values()]
  }

  async #loadAll(topicPartitions: readonly TopicPartition[], onLoaded: () => void): Promise<void> {
    const queue = topicPartitions.values()
    const worker = async () => {
      for (const topicPartition of queue) {
        await this.#slices.breathe()
        await this.#loadOne(topicPartition)
        onLoaded()
      }
    }
    await Promise.all(Array.from({ length: this.#openedAtATime }, worker))
  }

  async #loadOne({ topic, partition }: TopicPartition): Promise<void> {
    const assigned = this.#assigned
    if (this.#owner.isOffline || !assigned) return
    const topicPartition = { topic, partition }
    const path = this.#pathOf(topicPartition)
    const isAgain = this.#refused.delete(partitionName(topicPartition))
    try {
      // The attempt before may have changed files that it had looked at.
      if (isAgain) forgetFiles(this.#environment, path)
      const topicId = assigned.expectedTopicId(topicPartition)
      const found = this.#readTopicId(path, topicId)
      if (topicId === undefined || (found !== undefined && found !== topicId)) {
        return this.#setAside(topicPartition)
      }
      if (found === undefined) await this.#writePartitionMetadata(path, topicId)
      const config = assigned.configOf(topicPartition.topic)
      const { recovery } = await this.#open({ topicPartition, topicId, config })
      const told = recoveredLog(topicPartition, recovery)
      if (told) this.#recovered.push(told)
    } catch (error) {
      const reported = storageError(error, `Opening ${path}`)
      const fault = faultOf(reported)
      // A fault without a system error behind it is a file that makes no sense: only this log is concerned.
      if (systemCode(fault?.cause) !== undefined) throw reported
      if (!fault && !(reported instanceof KafkaError)) throw reported
      const problem = reported instanceof Error ? reported.message : String(reported)
      const unread = { ...topicPartition, path, problem }
      // No descriptor, no space: that may pass.
      const isRefused = reported instanceof KafkaError && systemCode(reported.cause) !== undefined
      if (isRefused) this.#refused.set(partitionName(topicPartition), unread)
      else this.#unreadable.push(unread)
    }
  }

  #open(place: LogPlace): Promise<OpenedLog> {
    const { left } = this.#owner
    const name = partitionName(place.topicPartition)
    return this.#openAs(place, {
      hadCleanShutdown: left.hadCleanShutdown,
      recoveryPoint: left.recoveryPoints.get(name) ?? 0,
      logStartOffset: left.logStartOffsets.get(name) ?? 0,
      highWatermark: left.highWatermarks.get(name) ?? 0,
      cleanOffset: left.cleanerOffsets.get(name),
    })
  }

  async #openAs(
    place: LogPlace,
    left: typeof NOTHING_LEFT & { readonly cleanOffset?: number | undefined },
  ): Promise<OpenedLog> {
    const opened = await openPartitionLog({
      environment: this.#environment,
      observer: this.#observer,
      slices: this.#slices,
      onScanned: (bytes) => this.#tally?.scanned(bytes),
      directory: this.#pathOf(place.topicPartition),
      ...place,
      ...left,
    })
    // Another log's fault may have taken the directory offline meanwhile.
    if (this.#owner.isOffline) opened.log.closeNow()
    this.#owner.checkOnline()
    this.#owner.add(opened.log, left.cleanOffset)
    return opened
  }

  /** A replica that is not ours is kept, under a name that says so. */
  #setAside(topicPartition: TopicPartition): void {
    const name = renamedDirectory(topicPartition, 'stray', this.#environment.random)
    const to = `${this.#owner.directory.path}/${name}`
    this.#environment.files.rename(this.#pathOf(topicPartition), to)
    this.#strays.push(name)
  }

  /** Undefined when it is to be written: it is missing, or a sum says that it was `expected` before it was damaged. */
  #readTopicId(path: string, expected: Uuid | undefined): Uuid | undefined {
    const { files } = this.#environment
    const bytes = files.readFile(`${path}/${PARTITION_METADATA}`)
    if (!bytes && expected !== undefined) {
      this.#owner.directory.notes.push(
        `The file ${path}/${PARTITION_METADATA} was missing; it is made anew`,
      )
    }
    if (!bytes || expected === undefined) return bytes && parsePartitionMetadata(bytes)
    const wanted = serializePartitionMetadata(expected)
    if (matchesSum(bytes, sumOf(wanted))) return expected
    const sums = files.readFile(`${path}/${SUMS_FILE}`)
    const sum = sums && parseSums(sums)?.get(PARTITION_METADATA)
    if (!sum || matchesSum(bytes, sum) || !matchesSum(wanted, sum)) {
      return parsePartitionMetadata(bytes)
    }
    this.#owner.directory.notes.push(
      `The file ${path}/${PARTITION_METADATA} was damaged; it is made anew`,
    )
    return undefined
  }

  async #writePartitionMetadata(path: string, topicId: Uuid): Promise<void> {
    const { files } = this.#environment
    files.makeDirectory(path)
    await replaceFile(files, `${path}/${PARTITION_METADATA}`, serializePartitionMetadata(topicId))
  }

  #pathOf(topicPartition: TopicPartition): string {
    return `${this.#owner.directory.path}/${partitionName(topicPartition)}`
  }
}

/** When a start tries again what the system refused. What is refused for longer is opened when it is asked for. */
const RETRY_DELAYS_MS = [50, 200, 1_000]

const NOTHING_LEFT = {
  // Should there be anything in the directory after all, it is verified.
  hadCleanShutdown: false,
  recoveryPoint: 0,
  logStartOffset: 0,
  highWatermark: 0,
}
