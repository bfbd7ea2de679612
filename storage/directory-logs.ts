// The logs of one log directory, and their checkpoints.
import { KafkaError, StorageFault } from './base/errors.ts'
import type { TimeSlices } from './base/time-slices.ts'
import { partitionName, type TopicPartition } from './base/topic-partition.ts'
import type { Uuid } from './base/uuid.ts'
import type { DataDirectory, LeftState } from './data-directory.ts'
import { METADATA_PARTITION } from './directory-names.ts'
import { storageError } from './fs/failures.ts'
import type { PartitionLog } from './log/partition-log.ts'
import type { UnflushedBytes } from './log/unflushed-bytes.ts'
import type { PartitionOffset } from './state/offset-checkpoint.ts'

/** Which of the checkpoint files. */
export type CheckpointKind = 'recoveryPoints' | 'logStartOffsets' | 'highWatermarks'

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
  /** By partition name. The metadata log is among them where it lives. */
  readonly logs = new Map<string, PartitionLog>()
  /** What of its logs waits in the page cache. */
  readonly unflushed: UnflushedBytes
  /** Partitions that are being created here, for the choice of the next directory. */
  creating = 0

  constructor(directory: DataDirectory, left: LeftState, unflushed: UnflushedBytes) {
    this.unflushed = unflushed
    this.directory = directory
    this.left = left
  }

  get isOffline(): boolean {
    return this.directory.fault !== undefined
  }

  /** Brings one kind of checkpoint up to date; on disk when it resolves. */
  async checkpoint(kind: CheckpointKind): Promise<void> {
    if (this.isOffline) return
    await this.directory[kind].write(this.#offsets(kind))
  }

  /**
   * Rewrites the checkpoints if one of them may still speak of a partition of this name: what it says would be taken
   * for the new partition's after a crash.
   */
  async forget(topicPartition: TopicPartition): Promise<void> {
    if (!this.directory.mayRemember(topicPartition)) return
    await this.checkpoint('recoveryPoints')
    await this.checkpoint('logStartOffsets')
    await this.checkpoint('highWatermarks')
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
    const { recoveryPoints, logStartOffsets, highWatermarks } = this.directory
    await Promise.all([recoveryPoints.idle(), logStartOffsets.idle(), highWatermarks.idle()])
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
    const offsetOf = (log: PartitionLog) => {
      if (kind === 'recoveryPoints') return log.recoveryPoint
      return kind === 'logStartOffsets' ? log.logStartOffset : log.highWatermark
    }
    const offsets = Array.from(this.logs.values(), (log) => {
      return { ...log.topicPartition, offset: offsetOf(log) }
    })
    // A log that begins at 0 needs no line. Kafka leaves out more, and takes no harm from the others.
    return kind === 'logStartOffsets' ? offsets.filter(({ offset }) => offset > 0) : offsets
  }
}

/** The fault in a thrown value, if it is one. */
export function faultOf(error: unknown): StorageFault | undefined {
  return error instanceof StorageFault ? error : undefined
}

/** The directory that the metadata names, or the one with the fewest partitions. Throws KAFKA_STORAGE_ERROR when it is offline. */
export function chooseDirectory(
  directories: readonly DirectoryLogs[],
  directoryId: Uuid | undefined,
): DirectoryLogs {
  const named = directories.find(({ directory }) => directory.directoryId === directoryId)
  if (named) {
    named.checkOnline()
    return named
  }
  const countOf = ({ logs, creating }: DirectoryLogs) => logs.size + creating
  const [best] = directories
    .filter(({ isOffline }) => !isOffline)
    .sort((left, right) => countOf(left) - countOf(right))
  if (best) return best
  throw new KafkaError('KAFKA_STORAGE_ERROR', 'All data directories are offline')
}
