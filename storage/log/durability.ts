// What of a log is on disk, what must be before it may be seen, and the group commit that gets it there (RULES 1-3).
import { StorageFault, systemCode } from '../base/errors.ts'
import type { Clock, Timer } from '../base/world.ts'
import { failureKind, storageError } from '../fs/failures.ts'
import type { Files } from '../fs/files.ts'
import type { Segment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-files.ts'
import type { LogConfig } from './log-config.ts'

/** A place in a log: an offset, and the position of its batch. */
export interface LogPosition {
  readonly offset: number
  readonly segmentBaseOffset: number
  readonly position: number
}

/** What `Durability` needs of its log. */
export interface DurableLog {
  readonly directory: string
  readonly files: Files
  readonly clock: Clock
  /** Ascending; the last one is active. */
  readonly segments: readonly Segment[]
  readonly logEndOffset: number
  /** Resolves when the leader epochs are on disk. */
  saveEpochs(): Promise<void>
  /** Resolves when the checksums of a sealed segment's indexes are on disk. */
  saveSums(segment: Segment): Promise<void>
  /** `durableOffset` has moved, or the recovery point has passed a segment. */
  onDurable(hasPassedSegment: boolean): void
  /** `unflushedBytes` has changed by this. */
  onUnflushed(change: number): void
  /** A sync failed: nothing at or above `durableOffset` may ever be acknowledged. */
  onFault(fault: StorageFault): void
}

interface Waiter {
  readonly lastOffset: number
  resolve(): void
  reject(reason: unknown): void
}

/** A batch that may not be seen before it is on disk. */
interface Held {
  readonly start: LogPosition
  readonly lastOffset: number
}

/** When a refused round is tried again. */
const RETRY_MS = 100

/**
 * Group commit: one fdatasync at a time, begun at once; what is appended meanwhile shares the next one. Durability is a
 * prefix: it goes on into a segment only after the one before is synced, and after the directory that names it is.
 */
export class Durability {
  /** Everything below is on disk, and so are the names of its files. */
  durableOffset: number
  /** Everything below is on disk with its indexes: recovery need not look there. */
  recoveryPoint: number
  readonly #log: DurableLog
  readonly #held: Held[] = []
  #waiters: Waiter[] = []
  #target = 0
  #running: Promise<void> | undefined
  #fault: StorageFault | undefined
  #flushTimer: Timer | undefined
  #unflushedBytes = 0
  /** What kept the last round from getting on; undefined when it ended well. */
  #refusal: unknown
  #retryTimer: Timer | undefined

  constructor(log: DurableLog, durableOffset: number) {
    this.#log = log
    this.durableOffset = durableOffset
    this.recoveryPoint = durableOffset
  }

  /** Bytes that were appended and may not be on disk. */
  get unflushedBytes(): number {
    return this.#unflushedBytes
  }

  /** Where the high watermark is held back; undefined when nothing holds it. */
  get heldAt(): LogPosition | undefined {
    return this.#held[0]?.start
  }

  /** Takes note of appended bytes. With `needsDisk` they hold the high watermark until they are on disk. */
  add(start: LogPosition, lastOffset: number, size: number, needsDisk: boolean): void {
    this.#setUnflushed(this.#unflushedBytes + size)
    if (!needsDisk) return
    this.#held.push({ start, lastOffset })
    this.request(lastOffset + 1)
  }

  /** Has everything below `offset` synced, and sealed segments finished, soon. */
  request(offset: number): void {
    if (offset > this.#target) this.#target = offset
    if (!this.#running && !this.#refusal && this.#hasWork()) this.#running = this.#run()
  }

  /** Gets to the disk what nobody waits for after `flush.ms`. */
  bound({ flushMs }: LogConfig): void {
    if (flushMs === Infinity) return
    this.#flushTimer ??= this.#log.clock.after(flushMs, () => {
      this.#flushTimer = undefined
      this.request(this.#log.logEndOffset)
    })
  }

  /** No more syncs for `flush.ms`, and none is tried again. */
  stopTimers(): void {
    this.#flushTimer?.cancel()
    this.#retryTimer?.cancel()
  }

  /**
   * Resolves when everything up to `lastOffset` is on disk and nothing that is not holds the high watermark back.
   * Rejects with the fault when that can't happen any more, and with KAFKA_STORAGE_ERROR when the system refused: it is
   * tried again, but not for as long as anyone would wait.
   */
  async whenDurable(lastOffset: number): Promise<void> {
    if (lastOffset < this.durableOffset) return
    if (this.#fault) throw this.#fault
    this.request(lastOffset + 1)
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ lastOffset, resolve, reject })
    })
  }

  /** Resolves when no sync is under way and sealed segments are finished. Rejects when the system refused to. */
  async whenIdle(): Promise<void> {
    await this.#running
    if (this.#refusal) throw this.#refusal
  }

  /**
   * The log was cut: nothing at or above `offset` exists any more. `reason` answers those who waited for it. `recoverFrom` is
   * where a batch ends for certain: `offset` may lie inside one that went as a whole.
   */
  truncateTo(offset: number, reason: Error, recoverFrom = offset): void {
    this.durableOffset = Math.min(this.durableOffset, offset)
    this.recoveryPoint = Math.min(this.recoveryPoint, recoverFrom)
    this.#target = Math.min(this.#target, offset)
    while ((this.#held.at(-1)?.lastOffset ?? -1) >= offset) this.#held.pop()
    this.#rejectWaiters((waiter) => waiter.lastOffset >= offset, reason)
    this.#countUnflushed()
  }

  /** Everything below `offset` is gone or on disk: the log was emptied, or its segments were deleted. */
  advanceTo(offset: number): void {
    this.#advance(Math.max(this.durableOffset, offset))
    this.recoveryPoint = Math.max(this.recoveryPoint, offset)
    this.#countUnflushed()
  }

  /** The log was emptied and goes on at `offset`. */
  resetTo(offset: number, reason: Error): void {
    this.truncateTo(0, reason)
    this.durableOffset = offset
    this.recoveryPoint = offset
    this.#target = offset
  }

  /** Ends group commit for good; those who wait are told why. */
  fail(fault: StorageFault): void {
    this.#fault ??= fault
    this.#rejectWaiters(() => true, this.#fault)
    // They wait for nothing any more.
    this.#setUnflushed(0)
  }

  #hasWork(): boolean {
    if (this.#fault) return false
    return this.durableOffset < this.#target || this.#unfinished() !== undefined
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork()) {
        const sealed = this.#unfinished()
        await (sealed ? this.#finish(sealed) : this.#syncNext())
        this.#log.onDurable(sealed !== undefined)
      }
    } catch (error) {
      if (failureKind(error) === 'refusal') this.#retryLater(error)
      else this.#failSync(error)
    } finally {
      this.#running = undefined
    }
  }

  /** No space for an index, no descriptor: nothing is lost, and nobody should wait for it to get better. */
  #retryLater(error: unknown): void {
    if (this.#fault) return
    this.#refusal = storageError(error, `Syncing ${this.#log.directory}`)
    this.#rejectWaiters(() => true, this.#refusal)
    this.#retryTimer = this.#log.clock.after(RETRY_MS, () => {
      this.#refusal = undefined
      this.request(this.#target)
    })
  }

  /** The oldest sealed segment that is on disk, its indexes not. */
  #unfinished(): Segment | undefined {
    const { segments } = this.#log
    // They are finished in order, so mostly one look is enough.
    if (!segments.at(-2)?.isOpen) return undefined
    const sealed = segments.find((segment) => segment.isOpen)
    return sealed && this.#endOf(sealed) <= this.durableOffset ? sealed : undefined
  }

  #failSync(error: unknown): void {
    if (this.#fault) return
    const { directory } = this.#log
    const fault = new StorageFault(`Syncing ${directory} failed`, { cause: error })
    this.fail(fault)
    this.#log.onFault(fault)
  }

  /** Syncs the segment in which durability ends. */
  async #syncNext(): Promise<void> {
    const { segments } = this.#log
    const index = segments.findLastIndex(({ baseOffset }) => baseOffset <= this.durableOffset)
    const segment = segments[Math.max(index, 0)]
    if (!segment) return
    const end = this.#endOf(segment)
    const { syncedSize, generation } = segment
    await syncOrFail(segment)
    if (!segment.isNameDurable) await this.#syncDirectory()
    const isGone = !segments.includes(segment) || generation !== segment.generation
    if (this.#fault || isGone) return
    this.#setUnflushed(this.#unflushedBytes - segment.syncedSize + syncedSize)
    this.#advance(Math.max(this.durableOffset, end))
    const isBehindUnfinished = segments[segments.indexOf(segment) - 1]?.isOpen === true
    if (!isBehindUnfinished) this.recoveryPoint = Math.max(this.recoveryPoint, end)
  }

  /** The offset at which a segment ends: the next one's base, or the log's end. */
  #endOf(segment: Segment): number {
    const { segments, logEndOffset } = this.#log
    return segments[segments.indexOf(segment) + 1]?.baseOffset ?? logEndOffset
  }

  /** Puts a sealed segment's indexes and the snapshot behind it on disk; only then the recovery point passes it. */
  async #finish(segment: Segment): Promise<void> {
    const { files, directory } = this.#log
    const end = this.#endOf(segment)
    const steps = [
      () => this.#log.saveEpochs(),
      () => syncOrFail(segment),
      () => persistIndexes(files, segment, segmentPath(directory, end, 'snapshot')),
      () => this.#log.saveSums(segment),
      () => this.#syncDirectory(),
    ]
    for (const step of steps) {
      await step()
      // Retention or a cut may have taken it meanwhile, files and all.
      if (!this.#isSealed(segment)) return
    }
    segment.release()
    this.recoveryPoint = Math.max(this.recoveryPoint, Math.min(end, this.durableOffset))
  }

  #isSealed(segment: Segment): boolean {
    const { segments } = this.#log
    return segments.includes(segment) && segments.at(-1) !== segment
  }

  async #syncDirectory(): Promise<void> {
    const named = [...this.#log.segments]
    await failOnSyncError(this.#log.files.syncDirectory(this.#log.directory))
    for (const segment of named) segment.isNameDurable = true
  }

  #advance(offset: number): void {
    this.durableOffset = offset
    while (this.#held[0] && this.#held[0].lastOffset < offset) this.#held.shift()
    const ready = this.#waiters.filter(({ lastOffset }) => lastOffset < offset)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter(({ lastOffset }) => lastOffset >= offset)
    for (const waiter of ready) waiter.resolve()
  }

  #rejectWaiters(isConcerned: (waiter: Waiter) => boolean, reason: unknown): void {
    const rejected = this.#waiters.filter(isConcerned)
    this.#waiters = this.#waiters.filter((waiter) => !isConcerned(waiter))
    for (const waiter of rejected) waiter.reject(reason)
  }

  #countUnflushed(): void {
    const { segments } = this.#log
    this.#setUnflushed(segments.reduce((sum, { size, syncedSize }) => sum + size - syncedSize, 0))
  }

  #setUnflushed(bytes: number): void {
    const change = bytes - this.#unflushedBytes
    this.#unflushedBytes = bytes
    if (change !== 0) this.#log.onUnflushed(change)
  }
}

/** Writes and syncs a sealed segment's indexes, and the producer snapshot behind it if there is one. */
export async function persistIndexes(
  files: Files,
  segment: Segment,
  snapshotPath: string,
): Promise<void> {
  // After a refusal halfway nobody knows what the files hold.
  segment.indexes.markUnwritten()
  const paths = segment.writeIndexes()
  if (files.status(snapshotPath)) paths.push(snapshotPath)
  // Together: a file system commits them in one go.
  await Promise.all(paths.map((path) => syncFile(files, path)))
}

/** fdatasync of a file that nobody holds open. */
export async function syncFile(files: Files, path: string): Promise<void> {
  const file = files.open(path, 'write')
  try {
    await file.sync()
  } finally {
    file.close()
  }
}

function syncOrFail(segment: Segment): Promise<void> {
  return failOnSyncError(segment.sync())
}

/**
 * A sync that fails is a fault whatever the reason: the kernel takes the pages for clean, and the next sync claims
 * success (RULES 11). But without a descriptor there was no sync: Deno duplicates one for each call.
 */
async function failOnSyncError(sync: Promise<void>): Promise<void> {
  try {
    await sync
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EMFILE' || code === 'ENFILE') throw error
    throw new StorageFault(`A sync failed with ${code}`, { cause: error })
  }
}
