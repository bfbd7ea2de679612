// One partition's log: append, read, roll, truncate. The heart of the product.
//
// An append is synchronous, from validated bytes to bytes in the page cache; `Durability` brings them to the disk. What a
// reader sees ends at the high watermark, which waits for batches that need the disk. `open-log.ts` opens logs, and
// recovers them; `storage/log-manager.ts` owns them.
import { KafkaError, StorageFault } from '../base/errors.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import type { Timer } from '../base/world.ts'
import type { Int64 } from '../bytes/int64.ts'
import { failureKind, storageError } from '../fs/failures.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import type { TimestampOffset } from '../segment/time-index.ts'
import type { EpochEnd, LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { DuplicateBatch, ProducerAppend } from '../state/producer-append.ts'
import type { CompletedTransaction, ProducerState } from '../state/producer-state.ts'
import { countDeletableSegments } from '../upkeep/retention.ts'
import {
  type AppendRequest,
  type AppendResult,
  type PlacedBatches,
  placeBatches,
} from './append.ts'
import { DeferredRemoval } from './deferred-removal.ts'
import { Durability, type DurableLog, type LogPosition, persistIndexes } from './durability.ts'
import { EpochFile } from './epoch-file.ts'
import type { LogConfig } from './log-config.ts'
import type { LogEnvironment, LogObserver, LogParts } from './log-parts.ts'
import { LogReader, type ReadableLog, type ReadRequest } from './log-reader.ts'
import type { LogSlice } from './log-slice.ts'
import { replayProducers } from './replay.ts'
import { type DamagedRange, floorSegment } from './segment-search.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import type { SumFile } from './sum-file.ts'
import { readTransactionMarker } from './transaction-marker.ts'

export type { LogEnvironment, LogObserver, ReadRequest }

/** What one round of retention removed. */
export interface DeletedSegments {
  readonly count: number
  readonly sizeInBytes: number
}

/** One partition's log. Everything but what returns a promise happens at once. */
export class PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly directory: string
  readonly #environment: LogEnvironment
  readonly #observer: LogObserver
  readonly #segmentEnvironment: SegmentEnvironment
  readonly #segments: Segment[]
  readonly #producers: ProducerState
  readonly #epochs: LeaderEpochCache
  readonly #epochFile: EpochFile
  readonly #snapshots: SnapshotFiles
  readonly #sums: SumFile
  readonly #durability: Durability
  readonly #reader: LogReader
  readonly #removal: DeferredRemoval
  readonly #damages: readonly DamagedRange[]
  readonly #listeners = new Set<() => void>()
  #config: LogConfig
  #logStartOffset: number
  #logEndOffset: number
  #fault: StorageFault | undefined
  #isClosed = false
  #flushTimer: Timer | undefined
  #rollJitterMs: number
  #sizeInBytes: number
  #announced = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }

  /** Use `openPartitionLog`. The last segment must be active. */
  constructor(parts: LogParts) {
    const { environment, directory, segments } = parts
    this.topicPartition = parts.topicPartition
    this.topicId = parts.topicId
    this.directory = directory
    this.#environment = environment
    this.#observer = parts.observer
    this.#segmentEnvironment = parts.segmentEnvironment
    this.#segments = segments
    this.#producers = parts.producers
    this.#epochs = parts.epochs
    this.#epochFile = new EpochFile(
      environment.files,
      directory,
      parts.epochs,
      parts.areEpochsSaved,
    )
    this.#snapshots = new SnapshotFiles(environment.files, directory)
    this.#sums = parts.sums
    this.#damages = parts.damages
    this.#config = parts.config
    this.#logStartOffset = parts.logStartOffset
    this.#logEndOffset = parts.logEndOffset
    this.#sizeInBytes = segments.reduce((sum, { size }) => sum + size, 0)
    this.#rollJitterMs = this.#newJitter()
    this.#durability = new Durability(this.#durableLog(), parts.logEndOffset)
    this.#reader = new LogReader(this.#readableLog())
    this.#removal = new DeferredRemoval(environment)
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

  /** read_committed consumers see what lies below. */
  get lastStableOffset(): number {
    return Math.min(this.#producers.firstUnstableOffset ?? Infinity, this.highWatermark)
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
    return this.#sizeInBytes
  }

  /** Bytes that wait in the page cache (RULES 10). */
  get unflushedBytes(): number {
    return this.#durability.unflushedBytes
  }

  get segmentCount(): number {
    return this.#segments.length
  }

  get latestEpoch(): number | undefined {
    return this.#epochs.latestEpoch
  }

  /** What the log knows of its producers. Read only. */
  get producers(): Pick<ProducerState, 'producers' | 'producer'> {
    return this.#producers
  }

  /** Ranges that recovery found damaged below the recovery point. Their reads fail. */
  get damages(): readonly DamagedRange[] {
    return this.#damages
  }

  /** Why the log is offline; undefined while it is not. */
  get fault(): StorageFault | undefined {
    return this.#fault
  }

  /**
   * Appends the batches in `bytes`, which are patched in place. A refusal (`KafkaError`) leaves the log as it was, a
   * `StorageFault` takes it offline. A batch that its producer sent before is answered with its first offsets; it waits
   * for `whenCommitted` like its original (RULES 3).
   */
  append(bytes: Uint8Array, request: AppendRequest): AppendResult {
    this.#checkOnline()
    const now = this.#environment.clock.now()
    const placed = placeBatches(bytes, request, {
      baseOffset: this.#logEndOffset,
      config: this.#config,
      now,
    })
    const changes = this.#producers.prepare(request.origin)
    for (const batch of placed.batches) {
      const marker = batch.isControl ? readTransactionMarker(batch) : undefined
      const duplicate = changes.add(batch, marker)
      if (duplicate) return this.#answerDuplicate(duplicate, request)
    }
    const start = this.#write(placed, now)
    return this.#settle(placed, request, changes, start)
  }

  /**
   * The batches from the one that holds `offset` on, in one segment. Throws OFFSET_OUT_OF_RANGE outside
   * [log start, log end], KAFKA_STORAGE_ERROR in a damaged range and CORRUPT_MESSAGE where no batch can be made out.
   */
  read(offset: number, request: ReadRequest): LogSlice {
    this.#checkOnline()
    return this.#guarded('Reading', () => this.#reader.read(offset, request))
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
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The first record with `timestamp` or a later one; undefined when there is none, not even above the high watermark. */
  offsetForTimestamp(timestamp: Int64): TimestampOffset | undefined {
    this.#checkOnline()
    return this.#guarded('Searching', () => this.#reader.offsetForTimestamp(timestamp))
  }

  /** The first record that has the largest timestamp; undefined when no record has one. */
  maxTimestamp(): TimestampOffset | undefined {
    this.#checkOnline()
    return this.#guarded('Searching', () => this.#reader.maxTimestamp())
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
    if (leaderEpoch <= (this.#epochs.latestEpoch ?? -1)) return
    this.#epochs.assign({ epoch: leaderEpoch, startOffset: this.#logEndOffset })
    this.#saveEpochs()
  }

  /** Cuts everything at and beyond `offset` off; a batch that holds it goes as a whole (RULES 9). */
  truncateTo(offset: number): void {
    this.#checkOnline()
    if (offset >= this.#logEndOffset) return
    if (offset < (this.#segments[0]?.baseOffset ?? 0)) {
      this.truncateFullyAndStartAt(offset)
      return
    }
    this.#guarded('Truncating', () => this.#cut(offset))
    this.#afterTruncation()
  }

  /** Removes everything; the log goes on, empty, at `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    this.#checkOnline()
    this.#guarded('Truncating', () => {
      const removed = this.#segments.splice(0)
      for (const segment of removed) this.#removeLater(segment)
      this.#snapshots.removeWhere(() => true)
      this.#segments.push(this.#createSegment(offset))
      this.#producers.clear(offset)
    })
    this.#epochs.clear()
    this.#logStartOffset = offset
    this.#logEndOffset = offset
    this.#durability.resetTo(offset, truncated(offset))
    this.#afterTruncation()
  }

  /**
   * Moves the log start to `offset`; retention removes what lies below. Throws OFFSET_OUT_OF_RANGE above the high
   * watermark. Below the log start it changes nothing.
   */
  deleteRecordsBefore(offset: number): void {
    this.#checkOnline()
    if (offset < 0 || offset > this.highWatermark) {
      const detail = `Offset ${offset} is outside [0, ${this.highWatermark}]`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
    }
    this.#advanceStart(offset)
    this.#announce()
  }

  /** Removes the oldest segments that log start, size or age allow to remove. Their files go after a delay. */
  deleteOldSegments(now: number): DeletedSegments {
    this.#checkOnline()
    return this.#guarded('Deleting segments of', () => this.#deleteSegments(now))
  }

  /** Forgets producers that were idle for longer than `producer.id.expiration.ms`. */
  removeExpiredProducers(now: number): void {
    this.#producers.removeExpired(now)
  }

  /** New settings, from now on. */
  updateConfig(config: LogConfig): void {
    this.#config = config
    this.#rollJitterMs = this.#newJitter()
  }

  /** Resolves when everything appended so far is on disk. */
  async flush(): Promise<void> {
    await this.#durability.whenDurable(this.#logEndOffset - 1)
  }

  /** Closes the log so that the next start needs no recovery: all on disk, indexes and a snapshot written. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#checkOnline()
    await this.flush()
    await this.#durability.whenIdle()
    this.#checkOnline()
    this.#stop()
    try {
      await this.#persistActive()
    } catch (error) {
      throw storageError(error, `Closing ${this.#name}`)
    }
  }

  /** Lets go of the files as they are. For faults. */
  closeNow(): void {
    if (this.#isClosed) return
    this.#stop()
    this.#durability.fail(this.#fault ?? new StorageFault(`${this.#name} was closed`))
    for (const segment of this.#segments) segment.release()
  }

  get #name(): string {
    return partitionName(this.topicPartition)
  }

  get #active(): Segment {
    const active = this.#segments.at(-1)
    if (!active) throw new StorageFault(`${this.#name} has no segment`)
    return active
  }

  #durableLog(): DurableLog {
    const log = this
    return {
      directory: this.directory,
      files: this.#environment.files,
      segments: this.#segments,
      get logEndOffset() {
        return log.#logEndOffset
      },
      saveEpochs: () => this.#epochFile.save(),
      saveSums: (segment: Segment) => this.#saveSums(segment),
      onDurable: (hasPassedSegment: boolean) => {
        this.#announce()
        if (hasPassedSegment) this.#observer.onRecoveryPoint?.()
      },
      onFault: (fault: StorageFault) => this.#goOffline(fault),
    }
  }

  #readableLog(): ReadableLog {
    const log = this
    return {
      source: this.#environment,
      segments: this.#segments,
      damages: this.#damages,
      get bounds() {
        const { logStartOffset, highWatermark, lastStableOffset, logEndOffset } = log
        return { logStartOffset, highWatermark, lastStableOffset, logEndOffset }
      },
      get end() {
        const { baseOffset: segmentBaseOffset, size: position } = log.#active
        return { offset: log.#logEndOffset, segmentBaseOffset, position }
      },
      get highWatermark() {
        return log.#durability.heldAt ?? this.end
      },
    }
  }

  #answerDuplicate(duplicate: DuplicateBatch, request: AppendRequest): AppendResult {
    const { baseOffset, lastOffset, timestamp } = duplicate
    if (request.needsDisk) this.#durability.request(lastOffset + 1)
    const isAppendTime = this.#config.messageTimestampType === 'LogAppendTime'
    return {
      baseOffset,
      lastOffset,
      logAppendTime: isAppendTime ? timestamp : -1,
      logStartOffset: this.#logStartOffset,
      isDuplicate: true,
      needsDisk: request.needsDisk,
    }
  }

  /** Rolls if need be, and writes. Nothing but the segments has changed when it returns, nothing at all when it throws. */
  #write(placed: PlacedBatches, now: number): LogPosition {
    return this.#guarded('Appending to', () => {
      this.#rollIfFull(placed, now)
      const active = this.#active
      const position = active.size
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
    const { baseOffset, lastOffset, logAppendTime, size } = placed
    this.#logEndOffset = lastOffset + 1
    this.#sizeInBytes += size
    if (request.leaderEpoch > (this.#epochs.latestEpoch ?? -1)) {
      this.#epochs.assign({ epoch: request.leaderEpoch, startOffset: baseOffset })
      this.#saveEpochs()
    }
    this.#noteAborted(this.#producers.apply(changes, this.#logEndOffset))
    const unflushed = this.#logEndOffset - this.#durability.durableOffset
    const needsDisk = request.needsDisk || unflushed >= this.#config.flushMessages
    this.#durability.add(start, lastOffset, size, needsDisk)
    if (!needsDisk) this.#boundUnflushed()
    this.#announce()
    const { logStartOffset } = this
    return { baseOffset, lastOffset, logAppendTime, logStartOffset, isDuplicate: false, needsDisk }
  }

  #noteAborted(completed: readonly CompletedTransaction[]): void {
    for (const transaction of completed) {
      if (transaction.isAborted) this.#active.addAborted(transaction)
    }
  }

  /** What nobody waits for gets to the disk too: after `flush.ms`, or when too much of it has gathered. */
  #boundUnflushed(): void {
    const { flushMs, unflushedMaxBytes } = this.#config
    if (this.unflushedBytes > unflushedMaxBytes) this.#durability.request(this.#logEndOffset)
    if (flushMs === Infinity || this.#flushTimer) return
    this.#flushTimer = this.#environment.clock.after(flushMs, () => {
      this.#flushTimer = undefined
      this.#durability.request(this.#logEndOffset)
    })
  }

  #rollIfFull(placed: PlacedBatches, now: number): void {
    const { size, lastOffset, maxTimestamp } = placed
    const { segmentBytes, segmentMs, segmentIndexBytes } = this.#config
    const limits = { segmentBytes, segmentMs: segmentMs - this.#rollJitterMs, segmentIndexBytes }
    if (this.#active.shouldRoll({ size, lastOffset, maxTimestamp, now }, limits)) this.#roll()
  }

  /** Begins a new segment at the log's end. The old one is synced in the background. */
  #roll(): void {
    const base = this.#logEndOffset
    const old = this.#active
    if (old.baseOffset === base) return
    this.#snapshots.write(base, this.#producers.snapshot())
    const segment = this.#createSegment(base)
    old.seal()
    this.#segments.push(segment)
    this.#rollJitterMs = this.#newJitter()
    this.#durability.request(base)
  }

  #createSegment(baseOffset: number): Segment {
    return Segment.create(this.#segmentEnvironment, baseOffset, this.#environment.clock.now())
  }

  /** What a clean stop leaves: a last time entry, indexes and snapshot on disk, no bytes behind the last batch. */
  async #persistActive(): Promise<void> {
    const { files } = this.#environment
    const active = this.#active
    active.seal()
    this.#snapshots.write(this.#logEndOffset, this.#producers.snapshot())
    await this.#epochFile.save()
    await active.sync()
    await persistIndexes(files, active, this.#snapshots.path(this.#logEndOffset))
    this.#sums.addEpochs()
    await this.#saveSums(active)
    active.release()
  }

  /** Also syncs the directory. */
  #saveSums(segment: Segment): Promise<void> {
    this.#sums.add(segment.baseOffset)
    return this.#sums.save((offset) =>
      this.#segments.some(({ baseOffset }) => baseOffset === offset),
    )
  }

  #newJitter(): number {
    const { segmentJitterMs, segmentMs } = this.#config
    return Math.floor(this.#environment.random.float() * Math.min(segmentJitterMs, segmentMs))
  }

  #cut(offset: number): void {
    const isBelowWatermark = offset < this.highWatermark
    const keep = floorSegment(this.#segments, offset)
    const last = this.#segments[keep]
    if (!last) return
    const position = last.cutPosition(offset)
    for (const segment of this.#segments.splice(keep + 1)) this.#removeLater(segment)
    last.activate()
    this.#environment.maps.evict(last.path)
    if (isBelowWatermark) last.truncateByCopy(offset, position)
    else last.truncate(offset, position)
    this.#logEndOffset = offset
    this.#logStartOffset = Math.min(this.#logStartOffset, offset)
    this.#epochs.truncateFromEnd(offset)
    this.#durability.truncateTo(offset, truncated(offset))
    this.#snapshots.removeWhere((snapshot) => snapshot > offset)
    this.#rebuildProducers()
  }

  #rebuildProducers(): void {
    const target = {
      segments: this.#segments,
      logEndOffset: this.#logEndOffset,
      producers: this.#producers,
      snapshots: this.#snapshots,
      now: this.#environment.clock.now(),
      damages: [...this.#damages],
    }
    const none = { skip: 0, atMost: Infinity, rebuilt: new Set<Segment>() }
    for (const _ of replayProducers(target, none));
    this.#producers.releaseBelow(this.highWatermark)
  }

  #afterTruncation(): void {
    this.#sizeInBytes = this.#segments.reduce((sum, { size }) => sum + size, 0)
    this.#reader.forget()
    this.#saveEpochs()
    this.#observer.onRecoveryPoint?.()
    this.#announce()
  }

  #deleteSegments(now: number): DeletedSegments {
    const { retentionMs, retentionBytes, cleanupPolicy } = this.#config
    const { logStartOffset, highWatermark, logEndOffset } = this
    const segments = this.#segments.map((segment) => ({
      baseOffset: segment.baseOffset,
      nextOffset: logEndOffset,
      size: segment.size,
      get largestTimestamp() {
        return segment.largestTimestamp
      },
    }))
    const isDeleting = cleanupPolicy.delete
    const limits = { now, retentionMs, retentionBytes, logStartOffset, highWatermark, isDeleting }
    const count = countDeletableSegments(segments, limits)
    if (count === 0) return { count, sizeInBytes: 0 }
    if (count === this.#segments.length) this.#roll()
    const start = this.#segments[count]?.baseOffset ?? logEndOffset
    this.#advanceStart(start)
    const removed = this.#segments.splice(0, count)
    const sizeInBytes = removed.reduce((sum, { size }) => sum + size, 0)
    for (const segment of removed) this.#removeLater(segment)
    this.#snapshots.removeWhere((offset) => offset < start)
    this.#sizeInBytes -= sizeInBytes
    this.#durability.advanceTo(start)
    this.#announce()
    return { count, sizeInBytes }
  }

  #advanceStart(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#epochs.truncateFromStart(offset)
    this.#producers.advanceStartTo(offset)
    this.#saveEpochs()
  }

  /** Readers that found the segment before may still want its bytes: its files go after `file.delete.delay.ms`. */
  #removeLater(segment: Segment): void {
    this.#removal.add(segment, this.#config.fileDeleteDelayMs)
  }

  /** The file is written off the append path; a refusal waits for the next change, or for the recovery point. */
  #saveEpochs(): void {
    this.#epochFile.save().catch((error: unknown) => {
      if (failureKind(error) === 'refusal' || this.#isClosed) return
      this.#goOffline(
        new StorageFault(`Writing the epochs of ${this.#name} failed`, { cause: error }),
      )
    })
  }

  #announce(): void {
    const { highWatermark, logStartOffset } = this
    this.#producers.releaseBelow(highWatermark)
    const { lastStableOffset, ...last } = { ...this.#announced }
    const now = { highWatermark, lastStableOffset: this.lastStableOffset, logStartOffset }
    const isSame =
      last.highWatermark === highWatermark &&
      lastStableOffset === now.lastStableOffset &&
      last.logStartOffset === logStartOffset
    if (isSame) return
    this.#announced = now
    for (const listener of this.#listeners) listener()
  }

  #checkOnline(): void {
    if (this.#fault) {
      throw new StorageFault(`${this.#name} is offline`, { cause: this.#fault })
    }
    if (this.#isClosed) throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.#name} is closed`)
  }

  /** Runs what touches files. A system error becomes a refusal or a fault; a fault takes the log offline. */
  #guarded<T>(verb: string, action: () => T): T {
    try {
      return action()
    } catch (error) {
      const reported = storageError(error, `${verb} ${this.#name}`)
      if (reported instanceof StorageFault) this.#goOffline(reported)
      throw reported
    }
  }

  #goOffline(fault: StorageFault): void {
    if (this.#fault) return
    this.#fault = fault
    this.#durability.fail(fault)
    this.#observer.onFault(fault)
  }

  #stop(): void {
    this.#isClosed = true
    this.#flushTimer?.cancel()
    this.#removal.stop()
    this.#listeners.clear()
  }
}

function truncated(offset: number): KafkaError {
  return new KafkaError('NOT_LEADER_OR_FOLLOWER', `The log was truncated to ${offset}`)
}
