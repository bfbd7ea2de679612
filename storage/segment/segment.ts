// One segment of a log: a `.log` file of whole batches, and its indexes.
import { AssertionError } from '../base/errors.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import { type Int64, subtractInt64 } from '../bytes/int64.ts'
import { failureKind } from '../fs/failures.ts'
import type { FilePool } from '../fs/file-pool.ts'
import type { Files, OpenFile } from '../fs/files.ts'
import type { ReadBufferPool } from '../fs/read-buffer.ts'
import { type BatchHeader, BatchHeaderReader } from './batch-header.ts'
import { BatchScanner } from './batch-scanner.ts'
import { type IndexSums, loadIndexes } from './checked-indexes.ts'
import { copyBytes, renameTogether } from './file-changes.ts'
import type { IndexCache } from './index-cache.ts'
import type { RollLimits, RollRequest } from './roll.ts'
import { segmentPath } from './segment-files.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { readLastTimeEntry } from './segment-timestamps.ts'
import type { TimestampOffset } from './time-index.ts'
import { WriteBehind } from './write-behind.ts'

/** What all segments of a log share. */
export interface SegmentEnvironment {
  readonly files: Files
  readonly pool: FilePool
  readonly indexCache: IndexCache
  readonly buffers: ReadBufferPool
  readonly directory: string
  /** What the indexes of sealed segments were when they were written, where that is known. */
  readonly sums?: IndexSums
}

const LARGEST_RELATIVE_OFFSET = 2_147_483_647

/**
 * One segment. It is *active* while it owns its file and its indexes in memory; once sealed, both are opened on demand,
 * through the pool and the index cache. Only the last segment of a log is active (until its flush is done, the one
 * before keeps its file as well). `size` is the position where its batches end: bytes beyond it in the file are the
 * rest of a failed append, and the next append overwrites them.
 */
export class Segment {
  readonly baseOffset: number
  readonly createdMs: number
  /** The bytes known to be on disk, from the beginning. */
  syncedSize = 0
  /** False until the directory that names the file has been synced. */
  isNameDurable = true
  readonly #environment: SegmentEnvironment
  readonly #writeBehind = new WriteBehind()
  /** What the names of its files end with. */
  #suffix: string
  #path: string
  #size: number
  #file: OpenFile | undefined
  #indexes: SegmentIndexes | undefined
  #largest: TimestampOffset | undefined
  #firstTimestamp: Int64 | undefined
  #bytesSinceLastIndexEntry = 0
  #lastAppend: { offset: number; position: number } | undefined
  #generation = 0
  /** Bytes behind the end were cut off, and may come back until the next sync. */
  #hasCutTail = false
  /** Behind the end may stand what a refused append has written. */
  #hasRest = false

  private constructor(
    environment: SegmentEnvironment,
    state: { baseOffset: number; size: number; createdMs: number; suffix?: string },
  ) {
    this.#environment = environment
    this.baseOffset = state.baseOffset
    this.createdMs = state.createdMs
    this.#suffix = state.suffix ?? ''
    this.#path = segmentPath(environment.directory, state.baseOffset, 'log') + this.#suffix
    this.#size = state.size
  }

  /** Makes the files of a new, active segment. A leftover log file of that name, `suffix` included, is emptied. */
  static create(
    environment: SegmentEnvironment,
    baseOffset: number,
    createdMs: number,
    suffix = '',
  ): Segment {
    const segment = new Segment(environment, { baseOffset, size: 0, createdMs, suffix })
    const file = environment.pool.open(segment.path, 'write')
    try {
      if (file.size() > 0) file.truncate(0)
    } catch (error) {
      file.close()
      throw error
    }
    segment.isNameDurable = false
    segment.#file = file
    segment.#indexes = new SegmentIndexes(baseOffset)
    segment.#largest = segment.#indexes.times.lastEntry
    // Whatever files of that name hold is not of this segment.
    segment.#indexes.markUnwritten()
    return segment
  }

  /** A segment whose files are all written and synced, but not their names, which end with `suffix`. */
  static adopt(
    environment: SegmentEnvironment,
    state: { baseOffset: number; size: number; createdMs: number; suffix: string },
    indexes: SegmentIndexes,
  ): Segment {
    const segment = Segment.open(environment, state)
    segment.isNameDurable = false
    segment.#indexes = indexes
    segment.#largest = indexes.times.lastEntry
    return segment
  }

  /** A segment that exists, sealed. All of its `size` bytes count as synced. */
  static open(
    environment: SegmentEnvironment,
    state: { baseOffset: number; size: number; createdMs: number; suffix?: string },
  ): Segment {
    const segment = new Segment(environment, state)
    segment.syncedSize = state.size
    return segment
  }

  /** Changes with every cut. */
  get generation(): number {
    return this.#generation
  }

  /** Of the log file. Changes when the segment is deleted, or takes its place. */
  get path(): string {
    return this.#path
  }

  get size(): number {
    return this.#size
  }

  /** True while the segment owns its open file. */
  get isOpen(): boolean {
    return this.#file !== undefined
  }

  get indexes(): SegmentIndexes {
    if (this.#indexes) return this.#indexes
    return this.#environment.indexCache.get(this.path, () => {
      // Also while it is about to be replaced, and has the name of one that is gone.
      const named = { baseOffset: this.baseOffset, suffix: this.#suffix }
      return loadIndexes(this.#environment, named, (make) =>
        this.withFile((file) => make(new BatchHeaderReader(file, this.#size))),
      )
    })
  }

  /** The largest timestamp and the last offset of the batch that has it; -1 when no batch has one. */
  get largest(): TimestampOffset {
    if (!this.#largest) {
      const { files, directory, sums } = this.#environment
      const isSound = (entry: Uint8Array) => sums?.fitsLastTime(this.baseOffset, entry) !== false
      const path = segmentPath(directory, this.baseOffset, 'timeindex') + this.#suffix
      const last = readLastTimeEntry(files, path, { baseOffset: this.baseOffset, isSound })
      this.#largest = last ?? this.indexes.times.lastEntry
    }
    return this.#largest
  }

  /** The largest timestamp; the file's modification time when no batch has one. */
  get largestTimestamp(): Int64 {
    if (this.largest.timestamp >= 0) return this.largest.timestamp
    return this.#environment.files.status(this.path)?.modifiedMs ?? this.createdMs
  }

  /** The largest timestamp of the first batch; -1 when there is none. */
  get firstTimestamp(): Int64 {
    this.#firstTimestamp ??= this.withFile((file) => {
      return new BatchHeaderReader(file, this.#size).at(0)?.maxTimestamp ?? -1
    })
    return this.#firstTimestamp
  }

  /** Takes the file and pins the indexes, so that appends may follow. `indexes` replaces what the files hold. */
  activate(indexes?: SegmentIndexes): void {
    const { pool, indexCache } = this.#environment
    if (!this.#file) {
      pool.evict(this.path)
      this.#file = pool.attach(this.path)
    }
    this.#indexes = indexes ?? this.indexes
    indexCache.delete(this.path)
    this.#largest = this.#indexes.times.lastEntry
    this.#bytesSinceLastIndexEntry = 0
  }

  /** Kafka's conditions for a new segment before `request` is appended (`LogSegment.shouldRoll`). */
  shouldRoll(request: RollRequest, limits: RollLimits): boolean {
    if (request.lastOffset - this.baseOffset > LARGEST_RELATIVE_OFFSET) return true
    if (this.#size === 0) return false
    if (this.#size > limits.segmentBytes - request.size) return true
    return this.#waited(request) > limits.segmentMs || this.indexes.isFull(limits.segmentIndexBytes)
  }

  /**
   * Writes `pieces`, the bytes of `batches`, behind the last batch, and indexes them. Their offsets are final. When the
   * write fails, nothing has changed but bytes beyond `size`, and those are cut off if the system lets us.
   */
  append(
    pieces: readonly Uint8Array[],
    batches: readonly RecordBatch[],
    indexIntervalBytes: number,
  ): void {
    this.#write(pieces, batches)
    const { offsets, times } = this.indexes
    let position = this.#size
    for (const batch of batches) {
      const offset = batch.lastOffset
      if (position === 0) this.#firstTimestamp = batch.maxTimestamp
      if (batch.maxTimestamp > this.largest.timestamp) {
        this.#largest = { timestamp: batch.maxTimestamp, offset }
      }
      if (this.#bytesSinceLastIndexEntry > indexIntervalBytes) {
        offsets.append({ offset, position })
        times.maybeAppend(this.largest)
        this.#bytesSinceLastIndexEntry = 0
      }
      this.#lastAppend = { offset: batch.baseOffset, position }
      position += batch.sizeInBytes
      this.#bytesSinceLastIndexEntry += batch.sizeInBytes
    }
    this.#size = position
    if (this.#file) this.#writeBehind.follow(this.#file, position, this.syncedSize)
  }

  /**
   * The batch that holds `offset`, else the first one beyond it, below the position `end`; undefined when there is none.
   * It is looked for from the position `from` on, where a batch begins.
   */
  find(offset: number, { end = this.#size, from = 0 } = {}): BatchHeader | undefined {
    return this.withFile((file) => {
      const reader = readerFor(file, Math.min(end, this.#size))
      const recent = this.#lastAppend
      // Most reads at the tail ask for the batch that came last.
      if (recent && offset === recent.offset) return reader.at(recent.position)
      let header = this.#seek(reader, offset, from)
      while (header && header.lastOffset < offset) {
        header = reader.at(header.position + header.sizeInBytes)
      }
      return header
    })
  }

  /** Looks past damage for the next intact batch, one window at a time (`BatchScanner.search`). */
  findIntact(
    position: number,
    minOffset: number,
  ): { readonly header: BatchHeader | undefined; readonly searchedTo: number } {
    return this.withFile((file) => {
      const scanner = new BatchScanner(file, this.#size, this.#environment.buffers)
      try {
        const { found, searchedTo } = scanner.search(position, minOffset)
        return { header: found?.header, searchedTo }
      } finally {
        scanner.release()
      }
    })
  }

  /** The sizes of the index files of a sealed segment. */
  indexSizes(): { readonly indexBytes: number; readonly timeIndexBytes: number } {
    const { files, directory } = this.#environment
    const sizeOf = (kind: 'index' | 'timeindex') =>
      files.status(segmentPath(directory, this.baseOffset, kind))?.size ?? 0
    return { indexBytes: sizeOf('index'), timeIndexBytes: sizeOf('timeindex') }
  }

  /** Calls `use` with the open file. It must not keep it. */
  withFile<T>(use: (file: OpenFile) => T): T {
    return this.#file ? use(this.#file) : this.#environment.pool.use(this.path, use)
  }

  /** Records an aborted transaction whose marker this segment holds. */
  addAborted(aborted: Parameters<SegmentIndexes['transactions']['append']>[0]): void {
    this.indexes.transactions.append(aborted)
  }

  /** The segment takes no more appends: its last time entry is made. File and indexes stay until `release`. */
  seal(): void {
    this.indexes.times.maybeAppend(this.largest)
  }

  /** fdatasync of the log file, off this thread. When it resolves, what `size` counted at the call is on disk. */
  async sync(): Promise<void> {
    const size = this.#size
    const generation = this.#generation
    if (size <= this.syncedSize && !this.#hasCutTail) return
    const hadCutTail = this.#hasCutTail
    this.#hasCutTail = false
    try {
      await (this.#file ?? this.#mustBeActive()).sync()
    } catch (error) {
      this.#hasCutTail ||= hadCutTail
      throw error
    }
    // After a cut in between, bytes that the sync did not see may stand there.
    if (generation === this.#generation) this.syncedSize = size
  }

  /** Writes the indexes to their files; returns the files' paths, for syncing. */
  writeIndexes(): string[] {
    const { files, directory } = this.#environment
    return this.indexes.write(files, directory, this.#suffix)
  }

  /** Closes the file and gives the indexes to the cache: the segment is sealed and all of it written. */
  release(): void {
    this.#file?.close()
    this.#file = undefined
    this.#indexes = undefined
    this.#lastAppend = undefined
  }

  /**
   * Gives the files names that no start takes for a segment, and returns them: they are to be removed after a while.
   * Until then readers that hold the segment still find its bytes. When it is refused, nothing has changed.
   */
  markDeleted(): string[] {
    const { files, indexCache } = this.#environment
    indexCache.delete(this.path)
    // A segment that replaced this one may be deleted while this one is still being read.
    let suffix = '.deleted'
    for (let number = 1; files.status(this.path + suffix); number++) suffix = `.${number}.deleted`
    const renamed = this.rename(suffix)
    this.release()
    return renamed
  }

  /** Gives the files names that end with `suffix`, and returns them. When it is refused, nothing has changed. */
  rename(suffix: string): string[] {
    const { files, pool, directory } = this.#environment
    const before = this.path
    const kinds = ['log', 'index', 'timeindex', 'txnindex'] as const
    const paths = kinds.map((kind) => segmentPath(directory, this.baseOffset, kind))
    const wanted = paths.map((path) => ({ from: path + this.#suffix, to: path + suffix }))
    const renamed = renameTogether(files, wanted)
    this.#suffix = suffix
    this.#path = segmentPath(directory, this.baseOffset, 'log') + suffix
    pool.renamed(before, this.#path)
    return renamed
  }

  /** The position at which `offset` would be cut off: that of its batch, or the end. */
  cutPosition(offset: number): number {
    return this.find(offset)?.position ?? this.#size
  }

  /** Cuts the file at `position`, where the batch that holds `offset` starts. The segment must be active. */
  truncate(offset: number, position: number): void {
    this.#file?.truncate(position)
    this.#afterCut(offset, position)
  }

  /**
   * The first half of a cut through a new file, which leaves maps of the old one whole (RULES 9): blocks until the new one
   * is on disk. `truncateByCopy` puts it into the old one's place.
   */
  copyForCut(position: number): void {
    const { files } = this.#environment
    try {
      const copy = files.open(this.#cutCopy, 'write')
      try {
        copy.truncate(0)
        this.withFile((from) => copyBytes(from, copy, position))
        copy.syncNow()
      } finally {
        copy.close()
      }
    } catch (error) {
      if (failureKind(error) === 'refusal') files.remove(this.#cutCopy)
      throw error
    }
  }

  /** The second half, on disk when it returns; without a descriptor to sync the directory, it is before the next append is. */
  truncateByCopy(offset: number, position: number): void {
    const { files, pool, directory } = this.#environment
    files.rename(this.#cutCopy, this.path)
    this.isNameDurable = false
    this.#file?.close()
    pool.evict(this.path)
    this.#file = pool.attach(this.path)
    this.#afterCut(offset, position)
    this.syncedSize = position
    try {
      files.syncDirectoryNow(directory)
      this.isNameDurable = true
    } catch (error) {
      if (failureKind(error) !== 'refusal') throw error
    }
  }

  get #cutCopy(): string {
    return `${this.path}.cut`
  }

  #afterCut(offset: number, position: number): void {
    this.#generation++
    this.#hasCutTail = true
    this.#size = position
    this.syncedSize = Math.min(this.syncedSize, position)
    this.#writeBehind.cut(position)
    this.indexes.truncateTo(offset)
    this.#largest = this.#scanLargest()
    this.#bytesSinceLastIndexEntry = 0
    this.#lastAppend = undefined
    if (position === 0) this.#firstTimestamp = undefined
  }

  #write(pieces: readonly Uint8Array[], batches: readonly RecordBatch[]): void {
    const file = this.#file ?? this.#mustBeActive()
    if (this.#hasRest) this.#cutRest(file)
    let position = this.#size
    try {
      for (const piece of pieces) {
        file.write(piece, position)
        position += piece.length
      }
    } catch (error) {
      this.#hasCutTail = true
      this.#hasRest = true
      this.#cutRest(file, batches[0]?.sizeInBytes)
      throw error
    }
  }

  /**
   * Cuts off what a refused append wrote. When that may hold a whole batch, it is gone from the disk when this returns:
   * a recovery would take it for an appended one, and its producer was told that it was not.
   */
  #cutRest(file: OpenFile, batchBytes = 0): void {
    const hasWholeBatch = file.size() - this.#size >= batchBytes
    file.truncate(this.#size)
    if (hasWholeBatch) file.syncNow()
    this.#hasRest = false
  }

  /** The largest timestamp, of which the time index may not know yet: batches behind its last entry are looked at. */
  #scanLargest(): TimestampOffset {
    const { offsets, times } = this.indexes
    let largest = times.lastEntry
    return this.withFile((file) => {
      const reader = new BatchHeaderReader(file, this.#size)
      let header = reader.at(offsets.lookup(largest.offset).position)
      while (header) {
        const { maxTimestamp, lastOffset, position, sizeInBytes } = header
        if (maxTimestamp > largest.timestamp) {
          largest = { timestamp: maxTimestamp, offset: lastOffset }
        }
        header = reader.at(position + sizeInBytes)
      }
      return largest
    })
  }

  #mustBeActive(): never {
    throw new AssertionError(`Segment ${this.path} must be active`)
  }

  #waited(request: RollRequest): Int64 {
    const { firstTimestamp } = this
    if (firstTimestamp < 0) return request.now - this.createdMs
    return subtractInt64(request.maxTimestamp, firstTimestamp)
  }

  /** The batch to which the index leads. The index only saves time: where it does not fit the log, the log decides. */
  #seek(reader: BatchHeaderReader, offset: number, from: number): BatchHeader | undefined {
    const entry = this.indexes.offsets.lookup(offset)
    if (entry.position > from) {
      const header = reader.peek(entry.position)
      if (header && header.lastOffset === entry.offset) return header
    }
    return reader.at(from)
  }
}

let shared: BatchHeaderReader | undefined

/** For `find` alone, which never runs inside itself. */
function readerFor(file: OpenFile, end: number): BatchHeaderReader {
  if (shared) shared.reset(file, end)
  else shared = new BatchHeaderReader(file, end)
  return shared
}
