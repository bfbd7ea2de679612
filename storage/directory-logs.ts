// The logs of one log directory, and their checkpoints.
import { KafkaError, StorageFault } from './base/errors.ts'
import type { TimeSlices } from './base/time-slices.ts'
import { parsePartitionName, partitionName, type TopicPartition } from './base/topic-partition.ts'
import type { Uuid } from './base/uuid.ts'
import type { DataDirectory, LeftState, NamedDirectory } from './data-directory.ts'
import { METADATA_PARTITION } from './directory-names.ts'
import { storageError } from './fs/failures.ts'
import type { LogEnvironment } from './log/log-parts.ts'
import type { PartitionLog } from './log/partition-log.ts'
import type { UnflushedBytes } from './log/unflushed-bytes.ts'
import type { PartitionOffset } from './state/offset-checkpoint.ts'

/** Which of the checkpoint files. */
export type CheckpointKind =
  | 'recoveryPoints'
  | 'logStartOffsets'
  | 'highWatermarks'
  | 'cleanerOffsets'

/** A log directory, and the logs that are open in it, the metadata log apart. */
export interface LogDirectoryState {
  readonly path: string
  readonly isOffline: boolean
  readonly logs: readonly PartitionLog[]
}

/** How fast the logs of a directory are opened and closed. */
export interface WorkPace {
  readonly slices: TimeSlices
  /** How many are under way at a time; most of them wait for the disk. */
  readonly logsAtATime: number
}

/** One log directory with the logs that are open in it. */
export class DirectoryLogs {
  readonly directory: DataDirectory
  /** What the last run left; of use until the logs are loaded. */
  readonly left: LeftState
  /** Names of partitions that are not open, yet or at all: their lines stay in the checkpoints. */
  readonly #unopened: Set<string>
  /** By partition name. The metadata log is among them where it lives. */
  readonly logs = new Map<string, PartitionLog>()
  /** Up to where compacted logs are clean, by partition name. */
  readonly #clean = new Map<string, number>()
  /** What of its logs waits in the page cache. */
  readonly unflushed: UnflushedBytes
  /** Partitions that are being created here, for the choice of the next directory. */
  creating = 0

  constructor(directory: DataDirectory, left: LeftState, unflushed: UnflushedBytes) {
    this.unflushed = unflushed
    this.directory = directory
    this.left = left
    const { recoveryPoints, logStartOffsets, highWatermarks, cleanerOffsets } = left
    const known = [recoveryPoints, logStartOffsets, highWatermarks, cleanerOffsets]
    this.#unopened = new Set(known.flatMap((offsets) => [...offsets.keys()]))
  }

  get isOffline(): boolean {
    return this.directory.fault !== undefined
  }

  /** Takes a log that was opened. It is clean up to `cleanOffset`, unless it ends before that. */
  add(log: PartitionLog, cleanOffset = Infinity): void {
    const name = partitionName(log.topicPartition)
    this.logs.set(name, log)
    this.#unopened.delete(name)
    if (cleanOffset <= log.logEndOffset) this.#clean.set(name, cleanOffset)
  }

  /** All logs are open but these; of others there is nothing to remember. */
  loaded(unopened: readonly TopicPartition[]): void {
    const names = new Set(unopened.map(partitionName))
    for (const name of this.#unopened) if (!names.has(name)) this.#unopened.delete(name)
  }

  /** Up to where a log is clean; undefined when it was never compacted. */
  cleanOffset(topicPartition: TopicPartition): number | undefined {
    return this.#clean.get(partitionName(topicPartition))
  }

  /** A log is clean up to `offset`; on disk when it resolves. */
  async setCleanOffset(topicPartition: TopicPartition, offset: number): Promise<void> {
    this.#clean.set(partitionName(topicPartition), offset)
    await this.checkpoint('cleanerOffsets')
  }

  /** A log was cut and ends at `logEndOffset`. True when it was clean beyond that: the checkpoint is to be rewritten. */
  cut(topicPartition: TopicPartition, logEndOffset: number): boolean {
    if ((this.cleanOffset(topicPartition) ?? 0) <= logEndOffset) return false
    this.#clean.set(partitionName(topicPartition), logEndOffset)
    return true
  }

  /** Brings one kind of checkpoint up to date; on disk when it resolves. */
  async checkpoint(kind: CheckpointKind): Promise<void> {
    if (this.isOffline) return
    await this.directory[kind].write(() => this.#offsets(kind))
  }

  /** Has the log starts on disk. Throws KAFKA_STORAGE_ERROR when the directory is offline, at the beginning or the end. */
  async saveLogStarts(): Promise<void> {
    this.checkOnline()
    await this.checkpoint('logStartOffsets')
    this.checkOnline()
  }

  /**
   * The next recovery looks at a log from `recoveryPoint` on: it is about to be cut. On disk when it returns: a crash must
   * not find bytes missing below a recovery point. Throws the system's error.
   */
  fence(topicPartition: TopicPartition, recoveryPoint: number): void {
    const { recoveryPoints } = this.directory
    if (this.isOffline || !recoveryPoints.mayExceed(topicPartition, recoveryPoint)) return
    const name = partitionName(topicPartition)
    const lowered = this.#offsets('recoveryPoints').map((line) => {
      return partitionName(line) === name ? { ...line, offset: recoveryPoint } : line
    })
    recoveryPoints.writeNow(lowered)
  }

  /**
   * Rewrites the checkpoints if one of them may still speak of a partition of this name: what it says would be taken
   * for the new partition's after a crash.
   */
  async forget(topicPartition: TopicPartition): Promise<void> {
    this.#clean.delete(partitionName(topicPartition))
    this.#unopened.delete(partitionName(topicPartition))
    if (!this.directory.mayRemember(topicPartition)) return
    await this.checkpoint('recoveryPoints')
    await this.checkpoint('logStartOffsets')
    await this.checkpoint('highWatermarks')
    await this.checkpoint('cleanerOffsets')
  }

  /**
   * Closes all logs, the metadata log last, and marks the directory clean if nothing is in doubt: then it resolves with
   * true.
   */
  async close(brokerEpoch: number, pace: WorkPace): Promise<boolean> {
    const metadataName = partitionName(METADATA_PARTITION)
    const logs = Array.from(this.logs).filter(([name]) => name !== metadataName)
    const queue = logs.map(([, log]) => log).values()
    const worker = async () => {
      for (const log of queue) {
        await pace.slices.breathe()
        if (!this.isOffline) await log.close()
      }
    }
    await Promise.all(Array.from({ length: pace.logsAtATime }, worker))
    if (!this.isOffline) await this.logs.get(metadataName)?.close()
    await this.checkpoint('recoveryPoints')
    await this.checkpoint('logStartOffsets')
    await this.checkpoint('highWatermarks')
    const isClean = !this.isOffline && this.directory.isLoaded
    if (isClean) this.directory.markClean(brokerEpoch)
    return isClean
  }

  /** Lets go of all files as they are. */
  closeNow(): void {
    for (const log of this.logs.values()) log.closeNow()
  }

  /** Resolves when no checkpoint is being written. What failed was told to who wrote it. */
  async idle(): Promise<void> {
    const { recoveryPoints, logStartOffsets, highWatermarks, cleanerOffsets } = this.directory
    const files = [recoveryPoints, logStartOffsets, highWatermarks, cleanerOffsets]
    await Promise.all(files.map((file) => file.idle()))
  }

  /** Does something with the directory's files. A refusal is thrown as `KafkaError`, a fault as `StorageFault`. */
  async attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw storageError(error, `${what} in ${this.directory.path}`)
    }
  }

  /** Throws KAFKA_STORAGE_ERROR when the directory is offline. */
  checkOnline(): void {
    const { fault, path } = this.directory
    if (!fault) return
    const detail = `The data directory ${path} is offline: ${fault.message}`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail, { cause: fault })
  }

  #offsets(kind: CheckpointKind): PartitionOffset[] {
    const unopened = Array.from(this.#unopened).flatMap((name) => {
      const offset = this.left[kind].get(name)
      const topicPartition = parsePartitionName(name)
      return topicPartition && offset !== undefined ? [{ ...topicPartition, offset }] : []
    })
    const open = Array.from(this.logs.values()).flatMap((log) => {
      const offset = this.#offsetOf(kind, log)
      return offset === undefined ? [] : [{ ...log.topicPartition, offset }]
    })
    return [...open, ...unopened]
  }

  #offsetOf(kind: CheckpointKind, log: PartitionLog): number | undefined {
    if (kind === 'recoveryPoints') return log.recoveryPoint
    if (kind === 'highWatermarks') return log.highWatermark
    if (kind === 'cleanerOffsets') return this.cleanOffset(log.topicPartition)
    // A log that begins at 0 needs no line. Kafka leaves out more, and takes no harm from the others.
    return log.logStartOffset > 0 ? log.logStartOffset : undefined
  }
}

/** Throws KAFKA_STORAGE_ERROR when a partition is in two of the directories. Those that can't be read are passed over. */
export function checkDistinct(
  directories: readonly DirectoryLogs[],
  onUnreadable: (owner: DirectoryLogs, error: unknown) => void,
): void {
  if (directories.length < 2) return
  const paths = new Map<string, string>()
  for (const owner of directories) {
    const { directory } = owner
    for (const { name, kind } of listOrNote(owner, onUnreadable)) {
      if (kind.kind !== 'partition') continue
      const other = paths.get(name)
      if (other !== undefined) {
        const detail = `The partition ${name} is in both ${other} and ${directory.path}; move one of them away`
        throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
      }
      paths.set(name, directory.path)
    }
  }
}

function listOrNote(
  owner: DirectoryLogs,
  onUnreadable: (owner: DirectoryLogs, error: unknown) => void,
): NamedDirectory[] {
  try {
    return owner.directory.list()
  } catch (error) {
    onUnreadable(owner, error)
    if (!owner.isOffline) throw storageError(error, `Listing ${owner.directory.path}`)
    return []
  }
}

/** The fault in a thrown value, if it is one. */
export function faultOf(error: unknown): StorageFault | undefined {
  return error instanceof StorageFault ? error : undefined
}

/** What a thrown value is to a directory that can't go on. */
export function asFault(error: unknown): StorageFault {
  return faultOf(error) ?? new StorageFault('The data directory failed', { cause: error })
}

/**
 * The directory that the metadata names, or the one with the fewest partitions. Throws KAFKA_STORAGE_ERROR when it is
 * offline, or when it may be one that could not even be identified: what is there must not be made anew elsewhere.
 */
export function chooseDirectory(
  directories: readonly DirectoryLogs[],
  directoryId: Uuid | undefined,
): DirectoryLogs {
  const isIdentified = ({ directory }: DirectoryLogs) => directory.isIdentified
  const named = directories
    .filter(isIdentified)
    .find((one) => one.directory.directoryId === directoryId)
  if (named) {
    named.checkOnline()
    return named
  }
  directories.find((one) => !isIdentified(one))?.checkOnline()
  const countOf = ({ logs, creating }: DirectoryLogs) => logs.size + creating
  const [best] = directories
    .filter(({ isOffline }) => !isOffline)
    .sort((left, right) => countOf(left) - countOf(right))
  if (best) return best
  throw new KafkaError('KAFKA_STORAGE_ERROR', 'All data directories are offline')
}

/** Drops what is cached of the files in a directory: others of the same names may come. */
export function forgetFiles(environment: LogEnvironment, directory: string): void {
  const { files, pool, maps, indexCache } = environment
  for (const { name } of files.list(directory)) {
    const path = `${directory}/${name}`
    pool.evict(path)
    maps.evict(path)
    indexCache.delete(path)
  }
}
