// One partition's log: append, read, roll, truncate. The heart of the product.
//
// An append is synchronous, from validated bytes to bytes in the page cache; `Durability` brings them to the disk. What a
// reader sees ends at the high watermark, which waits for batches that need the disk. `open-log.ts` opens logs, and
// recovers them; `storage/log-manager.ts` owns them.
import { KafkaError, StorageFault } from '../base/errors.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import type { Int64 } from '../bytes/int64.ts'
import { storageError } from '../fs/failures.ts'
import type { Segment } from '../segment/segment.ts'
import type { TimestampOffset } from '../segment/time-index.ts'
import type { EpochEnd, LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { ProducerAppend } from '../state/producer-append.ts'
import type { ProducerState } from '../state/producer-state.ts'
import { AdvanceListeners } from './advance-listeners.ts'
import {
  type AppendRequest,
  type AppendResult,
  answerDuplicate,
  type PlacedBatches,
  placeBatches,
} from './append.ts'
import { CleanEnd } from './clean-end.ts'
import { Durability, type DurableLog, type LogPosition } from './durability.ts'
import { EpochFile } from './epoch-file.ts'
import { LogCleaning } from './log-cleaning.ts'
import type { LogConfig } from './log-config.ts'
import { LogGuard } from './log-guard.ts'
import type { LogEnvironment, LogParts } from './log-parts.ts'
import { LogReader, type ReadableLog, type ReadRequest } from './log-reader.ts'
import { LogScrub } from './log-scrub.ts'
import { type DeletedSegments, LogSegments } from './log-segments.ts'
import type { LogBounds, LogSlice } from './log-slice.ts'
import { LogTruncation, type Truncated } from './log-truncation.ts'
import type { DamagedRange } from './segment-search.ts'
import { readTransactionMarker } from './transaction-marker.ts'

/** One partition's log. Everything but what returns a promise happens at once. */
export class PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
  readonly scrub: LogScrub
  readonly #parts: LogParts
  readonly #environment: LogEnvironment
  readonly #segments: LogSegments
  readonly #producers: ProducerState
  readonly #epochs: LeaderEpochCache
  readonly #epochFile: EpochFile
  readonly #cleanEnd: CleanEnd
  readonly #guard: LogGuard
  readonly #durability: Durability
  readonly #reader: LogReader
  readonly #truncation: LogTruncation
  readonly #listeners = new AdvanceListeners()
  #config: LogConfig
  #logStartOffset: number
  #logEndOffset: number

  /** Use `openPartitionLog`. The last segment must be active. */
  constructor(parts: LogParts) {
    this.topicPartition = parts.topicPartition
    this.topicId = parts.topicId
    this.directory = parts.directory
    this.#parts = parts
    this.#environment = parts.environment
    this.#segments = new LogSegments(parts.environment, parts.segmentEnvironment, parts.segments)
    this.#segments.drawJitter(parts.config)
    this.#producers = parts.producers
    this.#epochs = parts.epochs
    this.#epochFile = new EpochFile(parts, (fault) => this.#guard.fail(fault))
    this.#cleanEnd = new CleanEnd(parts)
    this.#truncation = new LogTruncation(parts, this.#segments, this.#cleanEnd)
    this.#config = parts.config
    this.#logStartOffset = parts.logStartOffset
    this.#logEndOffset = parts.logEndOffset
    this.#guard = new LogGuard(this.#name, (fault) => {
      this.#durability.fail(fault)
      parts.observer.onFault(fault)
    })
    this.scrub = new LogScrub(parts, this.#segments, this.#guard)
    this.#durability = new Durability(this.#durableLog(), parts.logEndOffset)
    this.#reader = new LogReader(this.#readableLog())
    this.#producers.releaseBelow(this.highWatermark)
  }

  get config(): LogConfig {
    return this.#config
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }

  /** Consumers see what lies below. */
  get highWatermark(): number {
    return this.#durability.heldAt?.offset ?? this.#logEndOffset
  }

  /** read_committed consumers see what lies below. Never below the log start, where a transaction may have begun. */
  get lastStableOffset(): number {
    const unstable = this.#producers.firstUnstableAt(this.highWatermark) ?? Infinity
    return Math.min(Math.max(unstable, this.#logStartOffset), this.highWatermark)
  }

  /** Everything below is on disk. */
  get durableOffset(): number {
    return this.#durability.durableOffset
  }

  /** Recovery need not look below. */
  get recoveryPoint(): number {
    return this.#durability.recoveryPoint
  }

  get sizeInBytes(): number {
    return this.#segments.sizeInBytes
  }

  /** Bytes that wait in the page cache (RULES 10). */
  get unflushedBytes(): number {
    return this.#durability.unflushedBytes
  }

  /** Undefined when there is room to append; else to be awaited first: too much of the directory waits for the disk. */
  room(): Promise<void> | undefined {
    return this.#parts.observer.unflushed?.room()
  }

  /** Ascending; the last one is active. Read only, and gone after the next wait. */
  get segments(): readonly Segment[] {
    return this.#segments.list
  }

  get latestEpoch(): number | undefined {
    return this.#epochs.latestEpoch
  }

  /** What the log knows of its producers. Read only. */
  get producers(): Pick<ProducerState, 'producers' | 'producer'> {
    return this.#producers
  }

  /** Ranges below the recovery point that were found damaged. Their reads fail. */
  get damages(): readonly DamagedRange[] {
    return this.#parts.damages
  }

  /** Why the log is offline; undefined while it is not. */
  get fault(): StorageFault | undefined {
    return this.#guard.fault
  }

  /**
   * Appends the batches in `bytes`, which are patched in place. A refusal (`KafkaError`) leaves the log as it was, a
   * `StorageFault` takes it offline. A batch that its producer sent before is answered with its first offsets; it waits
   * for `whenCommitted` like its original, which `flush.messages` may hold (RULES 3).
   */
  append(bytes: Uint8Array, request: AppendRequest): AppendResult {
    this.#guard.check()
    const now = this.#environment.clock.now()
    const end = { baseOffset: this.#logEndOffset, config: this.#config, now }
    const placed = placeBatches(bytes, request, end)
    const changes = this.#producers.prepare(request.origin)
    for (const batch of placed.batches) {
      const marker = batch.isControl ? readTransactionMarker(batch) : undefined
      const duplicate = changes.add(batch, marker)
      if (duplicate) {
        const needsDisk = request.needsDisk || duplicate.lastOffset >= this.highWatermark
        if (needsDisk) this.#durability.request(duplicate.lastOffset + 1)
        return answerDuplicate(duplicate, needsDisk, this)
      }
    }
    return this.#settle(placed, request, changes, this.#write(placed, now))
  }

  /**
   * The batches from the one that holds `offset` on, in one segment. Throws OFFSET_OUT_OF_RANGE outside
   * [log start, log end], KAFKA_STORAGE_ERROR in a damaged range and CORRUPT_MESSAGE where no batch can be made out.
   */
  read(offset: number, request: ReadRequest): LogSlice {
    return this.#guard.run('Reading', () => this.#reader.read(offset, request))
  }

  /**
   * Resolves when everything up to `lastOffset` is on disk and visible. Rejects with the fault when that can no longer
   * happen, and with NOT_LEADER_OR_FOLLOWER when it was truncated.
   */
  whenCommitted(lastOffset: number): Promise<void> {
    return this.#durability.whenDurable(lastOffset)
  }

  /** Calls `listener` whenever high watermark, last stable offset or log start have moved; returns the way to stop it. */
  onAdvance(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** The first record with `timestamp` or a later one; undefined when there is none, not even above the high watermark. */
  offsetForTimestamp(timestamp: Int64): TimestampOffset | undefined {
    return this.#guard.run('Searching', () => this.#reader.offsetForTimestamp(timestamp))
  }

  /** The first record that has the largest timestamp; undefined when no record has one. */
  maxTimestamp(): TimestampOffset | undefined {
    return this.#guard.run('Searching', () => this.#reader.maxTimestamp())
  }

  /** Where `epoch` ends, as OffsetForLeaderEpoch answers. */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  /** The epoch in which `offset` was written. */
  epochOf(offset: number): number | undefined {
    return this.#epochs.epochOf(offset)
  }

  /** A leader begins `leaderEpoch` at the log's end. */
  assignEpochStart(leaderEpoch: number): void {
    this.#epochFile.begin(leaderEpoch, this.#logEndOffset)
  }

  /**
   * Cuts everything at and beyond `offset` off; a batch that holds it goes as a whole (RULES 9). A refusal (`KafkaError`)
   * leaves the log whole, with less cut off than was asked.
   */
  truncateTo(offset: number): void {
    this.#guard.check()
    if (offset >= this.#logEndOffset) return
    if (offset < this.#segments.baseOffset) this.truncateFullyAndStartAt(offset)
    else this.#truncate(() => this.#truncation.cutTo(offset, this))
  }

  /** Removes everything; the log goes on, empty, at `offset`. A refusal is as in `truncateTo`. */
  truncateFullyAndStartAt(offset: number): void {
    this.#truncate(() => this.#truncation.restartAt(offset, this))
  }

  /**
   * Moves the log start to `offset`; retention removes what lies below. Throws OFFSET_OUT_OF_RANGE above the high
   * watermark. Below the log start it changes nothing.
   */
  deleteRecordsBefore(offset: number): void {
    this.#guard.check()
    if (offset < 0 || offset > this.highWatermark) {
      const detail = `Offset ${offset} is outside [0, ${this.highWatermark}]`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
    }
    this.#advanceStart(offset)
  }

  /** Resolves when the log start is on disk, as it is now. Rejects with KAFKA_STORAGE_ERROR and the fault. */
  async whenStartSaved(): Promise<void> {
    await this.#parts.observer.saveLogStart?.()
  }

  /**
   * Moves the log start past the oldest segments that size or age allow to remove; returns it. They go with
   * `deleteOldSegments`, once the log start is on disk: of several files that go, a crash may bring back any.
   */
  passOldSegments(now: number): number {
    this.#guard.run('Deleting segments of', () => this.#passSegments(now))
    return this.#logStartOffset
  }

  /** Removes the oldest segments that log start, size or age allow to remove, below `saved`. Their files go after a delay. */
  deleteOldSegments(now: number, saved = Infinity): DeletedSegments {
    return this.#guard.run('Deleting segments of', () => this.#deleteSegments(now, saved))
  }

  /** Begins to replace sealed segments by cleaned ones; undefined while that is under way. To be ended. */
  beginCleaning(): LogCleaning | undefined {
    this.#guard.check()
    if (this.#segments.isBeingReplaced) return undefined
    const { fileDeleteDelayMs: removeAfterMs } = this.#config
    const own = { segments: this.#segments, guard: this.#guard, removeAfterMs }
    return new LogCleaning({ ...this.#parts, ...own })
  }

  /** Forgets idle producers (`producer.id.expiration.ms`). */
  removeExpiredProducers(now: number): void {
    this.#producers.removeExpired(now)
  }

  /** New settings, from now on. */
  updateConfig(config: LogConfig): void {
    this.#config = config
    this.#segments.drawJitter(config)
    if (!config.cleanupPolicy.compact) this.#segments.cancelReplacement()
  }

  /** Has everything appended so far on disk soon. */
  flushSoon(): void {
    this.#durability.request(this.#logEndOffset)
  }

  /** Resolves when everything appended so far is on disk. */
  async flush(): Promise<void> {
    await this.#durability.whenDurable(this.#logEndOffset - 1)
  }

  /** Closes the log so that the next start needs no recovery: all on disk, indexes and a snapshot written. */
  async close(): Promise<void> {
    if (this.#guard.isClosed) return
    this.#guard.check()
    await this.flush()
    await this.#durability.whenIdle()
    this.#guard.check()
    this.#stop()
    try {
      await this.#cleanEnd.write({
        active: this.#segments.active,
        logEndOffset: this.#logEndOffset,
        producers: this.#producers,
        epochFile: this.#epochFile,
        hasSegment: (baseOffset) => this.#segments.has(baseOffset),
      })
    } catch (error) {
      throw storageError(error, `Closing ${this.#name}`)
    }
  }

  /** Lets go of the files as they are. For faults. */
  closeNow(): void {
    if (this.#guard.isClosed) return
    this.#stop()
    this.#durability.fail(this.#guard.fault ?? new StorageFault(`${this.#name} was closed`))
    this.#segments.release()
  }

  get #name(): string {
    return partitionName(this.topicPartition)
  }

  #durableLog(): DurableLog {
    const log = this
    return {
      directory: this.directory,
      files: this.#environment.files,
      clock: this.#environment.clock,
      segments: this.#segments.list,
      get logEndOffset() {
        return log.#logEndOffset
      },
      saveEpochs: () => this.#epochFile.save(),
      saveSums: ({ baseOffset }) => {
        return this.#parts.sums.finish(baseOffset, (offset) => this.#segments.has(offset))
      },
      onDurable: (hasPassedSegment: boolean) => {
        this.#announce()
        if (hasPassedSegment) this.#parts.observer.onRecoveryPoint?.()
      },
      onUnflushed: (change: number) => this.#parts.observer.unflushed?.note(this, change),
      onFault: (fault: StorageFault) => this.#guard.fail(fault),
    }
  }

  #readableLog(): ReadableLog {
    const log = this
    return {
      source: {
        maps: this.#environment.maps,
        buffers: this.#environment.buffers,
        onFault: (fault) => this.#guard.fail(fault),
      },
      segments: this.#segments.list,
      damages: this.#parts.damages,
      get bounds() {
        return log.#bounds()
      },
      get end() {
        const { baseOffset: segmentBaseOffset, size: position } = log.#segments.active
        return { offset: log.#logEndOffset, segmentBaseOffset, position }
      },
      get highWatermark() {
        return log.#durability.heldAt ?? this.end
      },
    }
  }

  /** Rolls if need be, and writes. Nothing but the segments has changed when it returns, nothing at all when it throws. */
  #write(placed: PlacedBatches, now: number): LogPosition {
    return this.#guard.run('Appending to', () => {
      const { size, lastOffset, maxTimestamp } = placed
      if (this.#segments.isFull({ size, lastOffset, maxTimestamp, now }, this.#config)) this.#roll()
      const active = this.#segments.active
      const position = active.size
      this.#cleanEnd.changed() // Also when the write is refused: a part of it may stand in the file.
      active.append(placed.pieces, placed.batches, this.#config.indexIntervalBytes)
      return { offset: placed.baseOffset, segmentBaseOffset: active.baseOffset, position }
    })
  }

  /** Takes note of what was written. */
  #settle(
    placed: PlacedBatches,
    request: AppendRequest,
    changes: ProducerAppend,
    start: LogPosition,
  ): AppendResult {
    const { logStartOffset } = this
    const { baseOffset, lastOffset, logAppendTime, size } = placed
    this.#logEndOffset = lastOffset + 1
    this.#epochFile.appended(request.leaderEpoch, baseOffset)
    for (const completed of this.#producers.apply(changes, this.#logEndOffset)) {
      if (completed.isAborted) this.#segments.active.addAborted(completed)
    }
    const unflushed = this.#logEndOffset - this.#durability.durableOffset
    const needsDisk = request.needsDisk || unflushed >= this.#config.flushMessages
    this.#durability.add(start, lastOffset, size, needsDisk)
    if (!needsDisk) this.#durability.bound(this.#config)
    this.#announce()
    return { baseOffset, lastOffset, logAppendTime, logStartOffset, isDuplicate: false, needsDisk }
  }

  /** Begins a new segment at the log's end. The old one is synced in the background. */
  #roll(): void {
    const base = this.#logEndOffset
    if (this.#segments.active.baseOffset === base) return
    this.#cleanEnd.changed()
    this.#parts.snapshots.write(base, this.#producers.snapshot())
    this.#segments.roll(base, this.#config)
    this.#durability.request(base)
  }

  #truncate(action: () => Truncated): void {
    const { end, isEmptied, refusal } = this.#guard.run('Truncating', action)
    this.#logEndOffset = end
    this.#logStartOffset = isEmptied ? end : Math.min(this.#logStartOffset, end)
    const reason = new KafkaError('NOT_LEADER_OR_FOLLOWER', `The log was truncated to ${end}`)
    if (isEmptied) this.#durability.resetTo(end, reason)
    else this.#durability.truncateTo(end, reason, this.#segments.active.baseOffset)
    this.#reader.forget()
    this.scrub.cut(end)
    this.#epochFile.saveInBackground()
    this.#parts.observer.onRecoveryPoint?.()
    this.#parts.observer.onCut?.(this.topicPartition, end)
    this.#announce()
    if (refusal !== undefined) throw storageError(refusal, `Truncating ${this.#name}`)
  }

  /** How many segments the log start has passed, or may pass now. */
  #passSegments(now: number): number {
    const count = this.#segments.countDeletable(this.#bounds(), this.#config, now)
    if (count === 0) return 0
    if (count === this.segments.length) this.#roll()
    this.#advanceStart(this.#segments.list[count]?.baseOffset ?? this.#logEndOffset)
    return count
  }

  #deleteSegments(now: number, saved: number): DeletedSegments {
    const passed = this.#passSegments(now)
    const below = this.#segments.list.findLastIndex(({ baseOffset }) => baseOffset <= saved)
    const count = Math.min(passed, Math.max(below, 0))
    if (count === 0) return { count, sizeInBytes: 0 }
    this.#cleanEnd.changed()
    const start = this.#segments.list[count]?.baseOffset ?? this.#logEndOffset
    const sizeInBytes = this.#segments.removeOldest(count, this.#config.fileDeleteDelayMs)
    this.#parts.snapshots.removeWhere((offset) => offset < start)
    this.#durability.advanceTo(start)
    this.#announce()
    return { count, sizeInBytes }
  }

  #advanceStart(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#epochs.truncateFromStart(offset)
    this.#producers.advanceStartTo(offset)
    this.#epochFile.saveInBackground()
    this.#announce()
  }

  #announce(): void {
    this.#producers.releaseBelow(this.highWatermark)
    this.#listeners.announce(this.#bounds())
  }

  #bounds(): LogBounds {
    const { logStartOffset, highWatermark, lastStableOffset, logEndOffset } = this
    return { logStartOffset, highWatermark, lastStableOffset, logEndOffset }
  }

  #stop(): void {
    this.#guard.close()
    this.#durability.stopTimers()
    this.#segments.stopRemoval()
    this.#listeners.clear()
  }
}
