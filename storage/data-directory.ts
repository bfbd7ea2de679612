// One of the broker's log directories: its lock, its identity, its marker and checkpoints.
import { KafkaError, StorageFault, systemCode } from './base/errors.ts'
import type { TopicPartition } from './base/topic-partition.ts'
import type { Uuid } from './base/uuid.ts'
import { CheckpointFile } from './checkpoint-file.ts'
import { type DirectoryKind, directoryKind } from './directory-names.ts'
import { parentOf, replaceFileNow } from './fs/atomic-file.ts'
import type { FileLock, Files } from './fs/files.ts'
import { SharedSync } from './shared-sync.ts'
import {
  CLEAN_SHUTDOWN_FILE,
  parseCleanShutdown,
  serializeCleanShutdown,
} from './state/clean-shutdown.ts'
import {
  META_PROPERTIES,
  type MetaProperties,
  parseMetaProperties,
  serializeMetaProperties,
} from './state/meta-properties.ts'
import {
  CLEANER_CHECKPOINT,
  LOG_START_CHECKPOINT,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
} from './state/offset-checkpoint.ts'
import { matchesSum, parseSums, SUMS_FILE, serializeSums, sumOf } from './state/sums.ts'

/** The file that a running broker holds locked. */
export const LOCK_FILE = '.lock'
const NO_OFFSETS: ReadonlyMap<string, number> = new Map()

/** A directory under a log directory. */
export interface NamedDirectory {
  readonly name: string
  readonly kind: DirectoryKind
}

/** What the last run left in a log directory, offsets by partition name. */
export interface LeftState {
  readonly hadCleanShutdown: boolean
  /** -1 when it is not known. */
  readonly brokerEpoch: number
  readonly recoveryPoints: ReadonlyMap<string, number>
  readonly logStartOffsets: ReadonlyMap<string, number>
  readonly highWatermarks: ReadonlyMap<string, number>
  /** Up to where compacted logs are clean. */
  readonly cleanerOffsets: ReadonlyMap<string, number>
}

/** What is known of a directory that can't be read. */
export const NOTHING_KNOWN: LeftState = {
  hadCleanShutdown: false,
  brokerEpoch: -1,
  recoveryPoints: NO_OFFSETS,
  logStartOffsets: NO_OFFSETS,
  highWatermarks: NO_OFFSETS,
  cleanerOffsets: NO_OFFSETS,
}

/**
 * One log directory, locked for as long as it is open. Life: `lock` → `readMeta` / `writeMeta` → `takeLeftState` → logs
 * are loaded → checkpoints while it runs → `markClean` → `unlock`.
 */
export class DataDirectory {
  readonly path: string
  readonly recoveryPoints: CheckpointFile
  readonly logStartOffsets: CheckpointFile
  readonly highWatermarks: CheckpointFile
  readonly cleanerOffsets: CheckpointFile
  /** What was odd at start, as sentences. */
  readonly notes: string[] = []
  /** Why it is offline; undefined while it works. */
  fault: StorageFault | undefined
  /** False until all its logs are loaded: before that no stop is clean. */
  isLoaded = false
  /** True when it had no identity before this start: nothing was left there, and nothing stopped. */
  isNew = false
  readonly #files: Files
  readonly #lock: FileLock
  readonly #hadLockFile: boolean
  readonly #names: SharedSync
  #directoryId: Uuid | undefined

  private constructor(files: Files, path: string, lock: FileLock, hadLockFile: boolean) {
    this.#files = files
    this.path = path
    this.#lock = lock
    this.#hadLockFile = hadLockFile
    this.#names = new SharedSync(files, path)
    this.recoveryPoints = new CheckpointFile(files, path, RECOVERY_POINT_CHECKPOINT)
    this.logStartOffsets = new CheckpointFile(files, path, LOG_START_CHECKPOINT)
    this.highWatermarks = new CheckpointFile(files, path, REPLICATION_CHECKPOINT)
    this.cleanerOffsets = new CheckpointFile(files, path, CLEANER_CHECKPOINT)
  }

  /** Locks the directory, made when missing. Throws KAFKA_STORAGE_ERROR when another broker holds it. */
  static lock(files: Files, path: string): DataDirectory {
    const isFormatted = files.status(`${path}/${META_PROPERTIES}`) !== undefined
    // A start that was killed may have made it, and its name is not on disk.
    if (!isFormatted && files.status(path)) syncParent(files, path)
    makeDurableDirectory(files, path)
    const lockPath = `${path}/${LOCK_FILE}`
    const hadLockFile = files.status(lockPath) !== undefined
    const lock = files.lock(lockPath)
    if (lock) return new DataDirectory(files, path, lock, hadLockFile)
    const pid = holderOf(files, lockPath)
    const holder = pid ? ` (process ${pid})` : ''
    const detail = `Another broker${holder} is using the data directory ${path}; stop it, or choose another directory`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }

  /** One that can't even be locked: offline from the beginning. */
  static unreadable(files: Files, path: string, fault: StorageFault): DataDirectory {
    const lock = { isSeenByKafka: true, release: () => undefined }
    const directory = new DataDirectory(files, path, lock, true)
    directory.fault = fault
    return directory
  }

  /** False when a running Kafka could not have been noticed. */
  get isLockSeenByKafka(): boolean {
    return this.#lock.isSeenByKafka
  }

  /** False for one that can't be read, and before it has an identity. */
  get isIdentified(): boolean {
    return this.#directoryId !== undefined
  }

  /** Known once meta.properties was read or written with one. */
  get directoryId(): Uuid {
    if (this.#directoryId) return this.#directoryId
    throw new StorageFault(`The data directory ${this.path} has no directory.id yet`)
  }

  /** The identity; undefined when the directory is not formatted. Throws `StorageFault` when it is malformed. */
  readMeta(): MetaProperties | undefined {
    const bytes = this.#files.readFile(`${this.path}/${META_PROPERTIES}`)
    if (!bytes) {
      this.isNew = true
      return undefined
    }
    const meta = parseMetaProperties(bytes)
    this.#directoryId = meta.directoryId
    return meta
  }

  /** Formats the directory, or completes an older format. */
  writeMeta(meta: MetaProperties & { readonly directoryId: Uuid }): void {
    const path = `${this.path}/${META_PROPERTIES}`
    replaceFileNow(this.#files, path, serializeMetaProperties(meta))
    this.#directoryId = meta.directoryId
  }

  /** The directories under it, by name. */
  list(): NamedDirectory[] {
    return this.#files
      .list(this.path)
      .filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => ({ name, kind: directoryKind(name) }))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /**
   * Reads what the last run left and removes the marker, so that a crash from here on counts as one. A checkpoint that is
   * malformed or damaged counts as empty, and a note says so. Then logs are verified from their first segment on, deleted
   * records that are still there come back, all is dirty to the cleaner, and nobody can tell whether consumers had seen
   * what a crash took: worse than to know it, and better than not to start.
   */
  takeLeftState(): LeftState {
    const marker = this.#files.readFile(`${this.path}/${CLEAN_SHUTDOWN_FILE}`)
    const damaged = marker ? this.#damagedSince(marker) : []
    const left: LeftState = {
      hadCleanShutdown: marker !== undefined,
      brokerEpoch: marker ? parseCleanShutdown(marker) : -1,
      recoveryPoints: this.#readLeniently(this.recoveryPoints, damaged),
      logStartOffsets: this.#readLeniently(this.logStartOffsets, damaged),
      highWatermarks: this.#readLeniently(this.highWatermarks, damaged),
      cleanerOffsets: this.#readLeniently(this.cleanerOffsets, damaged),
    }
    if (!this.#files.status(this.cleanerOffsets.path)) this.cleanerOffsets.assumeEmpty()
    this.#files.remove(`${this.path}/${CLEAN_SHUTDOWN_FILE}`)
    this.#files.remove(`${this.path}/${SUMS_FILE}`)
    this.#files.syncDirectoryNow(this.path)
    return left
  }

  /** Says that every log was closed and every checkpoint written: the last thing that a clean stop does. */
  markClean(brokerEpoch: number): void {
    const marker = serializeCleanShutdown(brokerEpoch)
    const sums = new Map([[CLEAN_SHUTDOWN_FILE, sumOf(marker)]])
    for (const { path } of this.#checkpoints) {
      const bytes = this.#files.readFile(path)
      if (bytes) sums.set(nameOf(path), sumOf(bytes))
    }
    replaceFileNow(this.#files, `${this.path}/${SUMS_FILE}`, serializeSums(sums))
    replaceFileNow(this.#files, `${this.path}/${CLEAN_SHUTDOWN_FILE}`, marker)
  }

  /** Gives the directory up. After a clean stop the lock file goes too; nothing may be written after that. */
  unlock(isClean: boolean): void {
    try {
      if (isClean) this.#files.remove(`${this.path}/${LOCK_FILE}`)
    } finally {
      this.#lock.release()
    }
  }

  /** Gives the directory up as it was found: nothing was written but the lock. */
  giveBack(): void {
    this.unlock(!this.#hadLockFile)
  }

  /** Resolves when all names in the directory are on disk: new, renamed and removed ones. */
  async syncNames(): Promise<void> {
    await this.#names.sync()
  }

  /** Whether a checkpoint on disk may still speak of a partition of this name that lived before. */
  mayRemember(topicPartition: TopicPartition): boolean {
    return this.#checkpoints.some((file) => file.mayHold(topicPartition))
  }

  get #checkpoints(): readonly CheckpointFile[] {
    return [this.recoveryPoints, this.logStartOffsets, this.highWatermarks, this.cleanerOffsets]
  }

  /**
   * The checkpoints that are not what our last stop summed. The marker's own sum tells whether the sums are from that
   * stop: when a Kafka ran meanwhile they are out of date, and say nothing.
   */
  #damagedSince(marker: Uint8Array): string[] {
    const bytes = this.#files.readFile(`${this.path}/${SUMS_FILE}`)
    const sums = bytes && parseSums(bytes)
    const ofMarker = sums?.get(CLEAN_SHUTDOWN_FILE)
    if (!sums || !ofMarker || !matchesSum(marker, ofMarker)) return []
    const damaged: string[] = []
    for (const [name, sum] of sums) {
      const content = this.#files.readFile(`${this.path}/${name}`)
      if (!content || !matchesSum(content, sum)) damaged.push(name)
    }
    return damaged
  }

  #readLeniently(file: CheckpointFile, damaged: readonly string[]): ReadonlyMap<string, number> {
    try {
      return this.#readSound(file, damaged)
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error
      this.notes.push(`${error.message}; it counts as empty`)
      return NO_OFFSETS
    }
  }

  #readSound(file: CheckpointFile, damaged: readonly string[]): ReadonlyMap<string, number> {
    const name = nameOf(file.path)
    if (!damaged.includes(name)) return file.read()
    this.notes.push(`The file ${name} is not what was written at the last stop; it counts as empty`)
    return NO_OFFSETS
  }
}

/** Makes a directory and its missing parents, and has all their names on disk. */
function makeDurableDirectory(files: Files, path: string): void {
  if (files.status(path)) return
  const parent = parentOf(path)
  makeDurableDirectory(files, parent)
  files.makeDirectory(path)
  files.syncDirectoryNow(parent)
}

/** Has a directory's name on disk. Where that may not be read in which it lies, somebody else made it. */
function syncParent(files: Files, path: string): void {
  try {
    files.syncDirectoryNow(parentOf(path))
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error
  }
}

/** The pid in the file beside the lock, if there is one. */
function holderOf(files: Files, lockPath: string): string | undefined {
  const bytes = files.readFile(`${lockPath}.pid`)
  return bytes && /^\d+/.exec(new TextDecoder().decode(bytes))?.[0]
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
