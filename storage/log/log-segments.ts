// The segments of one log: which one is active, when it rolls, which ones go.
import { assert } from '../base/errors.ts'
import { failureKind, orFault } from '../fs/failures.ts'
import type { RollRequest } from '../segment/roll.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { DeferredRemoval } from './deferred-removal.ts'
import type { LogConfig } from './log-config.ts'
import type { LogEnvironment } from './log-parts.ts'
import type { LogBounds } from './log-slice.ts'
import { countDeletableSegments } from './retention.ts'
import { floorSegment } from './segment-search.ts'

/** Segments that are about to be replaced by a cleaned one. */
export interface SegmentReplacement {
  /** Nothing may be replaced any more: the segments are about to be cut. Finishes or undoes what has begun. */
  abort(): void
  /** Nobody wants it any more: it ends where that leaves the log whole. */
  cancel(): void
  /** The log goes away as it stands. */
  stop(): void
}

/** What one round of retention removed. */
export interface DeletedSegments {
  readonly count: number
  readonly sizeInBytes: number
}

/** What a cut came to. */
export interface SegmentCut {
  /** Where the log ends now; undefined when nothing has changed. */
  readonly end: number | undefined
  /** What kept it from being carried out as a whole. */
  readonly refusal: unknown
}

/**
 * The segments in ascending order; there is always one, and the last is active. Readers and group commit look at the
 * same `list`. Segments that go keep their files for `file.delete.delay.ms`, for those who are reading them.
 */
export class LogSegments {
  readonly list: readonly Segment[]
  readonly #list: Segment[]
  readonly #environment: LogEnvironment
  readonly #segmentEnvironment: SegmentEnvironment
  readonly #removal: DeferredRemoval
  #sealedBytes = 0
  #rollJitterMs = 0
  #replacement: SegmentReplacement | undefined

  constructor(
    environment: LogEnvironment,
    segmentEnvironment: SegmentEnvironment,
    list: Segment[],
  ) {
    this.list = list
    this.#list = list
    this.#environment = environment
    this.#segmentEnvironment = segmentEnvironment
    this.#removal = new DeferredRemoval(environment)
    this.#countSealedBytes()
  }

  get active(): Segment {
    const active = this.#list.at(-1)
    assert(active, 'A log has at least one segment')
    return active
  }

  get baseOffset(): number {
    return this.#list[0]?.baseOffset ?? 0
  }

  /** The one that holds `offset`: at or above the first base offset. */
  floor(offset: number): Segment {
    const segment = this.#list[floorSegment(this.#list, offset)]
    assert(segment, `Offset ${offset} must not lie below the first segment`)
    return segment
  }

  get sizeInBytes(): number {
    return this.#sealedBytes + this.active.size
  }

  /** Draws the roll jitter that the active segment keeps. */
  drawJitter(config: LogConfig): void {
    const largest = Math.min(config.segmentJitterMs, longestSegmentMs(config))
    this.#rollJitterMs = Math.floor(this.#environment.random.float() * largest)
  }

  /** Whether a new segment must begin before `request` is appended. */
  isFull(request: RollRequest, config: LogConfig): boolean {
    const { segmentBytes, segmentIndexBytes } = config
    const segmentMs = longestSegmentMs(config) - this.#rollJitterMs
    return this.active.shouldRoll(request, { segmentBytes, segmentMs, segmentIndexBytes })
  }

  /** Begins a new segment. When it throws, nothing has changed. */
  roll(baseOffset: number, config: LogConfig): void {
    const next = this.#create(baseOffset)
    this.active.seal()
    this.#list.push(next)
    this.#countSealedBytes()
    this.drawJitter(config)
  }

  /**
   * Cuts everything at and beyond `offset` off. Below the high watermark views of the old bytes may be in use: then the
   * prefix goes into a new file (RULES 9). When it is refused halfway, less than that is cut off, and the log is whole.
   */
  cutTo(offset: number, options: { isBelowWatermark: boolean; removeAfterMs: number }): SegmentCut {
    this.#replacement?.abort()
    const last = this.floor(offset)
    const position = last.cutPosition(offset)
    if (options.isBelowWatermark) last.copyForCut(position)
    if (last !== this.active) last.activate()
    const removed = this.#removeBehind(this.#list.indexOf(last), options.removeAfterMs)
    if (removed.refusal !== undefined) return removed
    // What is appended here may not be told to be on disk while a crash could bring back what stood behind it.
    if (removed.end !== undefined) last.isNameDurable = false
    return this.#unlessRefused(removed.end, () => {
      this.#environment.maps.evict(last.path)
      if (options.isBelowWatermark) last.truncateByCopy(offset, position)
      else last.truncate(offset, position)
      return offset
    })
  }

  /**
   * Removes everything and begins anew at `offset`. Blocks until that is on disk: before a checkpoint may say that the log
   * begins there, a power loss must not bring back what was there. When it is refused halfway, as in `cutTo`.
   */
  restartAt(offset: number, removeAfterMs: number): SegmentCut {
    this.#replacement?.abort()
    const { files } = this.#environment
    // In the place of one that is there it can be made only when that is gone.
    const next = this.has(offset) ? undefined : this.#create(offset)
    const removed = this.#removeBehind(-1, removeAfterMs)
    if (removed.refusal !== undefined) {
      next?.release()
      if (next) files.remove(next.path)
      return removed
    }
    return orFault('Truncating', () => {
      this.#list.push(next ?? this.#create(offset))
      files.syncDirectoryNow(this.#segmentEnvironment.directory)
      this.#countSealedBytes()
      return { end: offset, refusal: undefined }
    })
  }

  /** True while some are about to be replaced: none of them may be deleted. */
  get isBeingReplaced(): boolean {
    return this.#replacement !== undefined
  }

  /** Begins a replacement; there is one at a time. It ends with undefined. */
  setReplacement(replacement: SegmentReplacement | undefined): void {
    this.#replacement = replacement
  }

  /** The log is not to be compacted any more. */
  cancelReplacement(): void {
    this.#replacement?.cancel()
  }

  /** Where segments are made that are to take the place of others. */
  get environment(): SegmentEnvironment {
    return this.#segmentEnvironment
  }

  /**
   * Puts a segment into the place of `replaced`, neighbours whose files go after a while. When it is refused, the log is as
   * it was, and it may be tried again.
   */
  replace(replaced: readonly Segment[], cleaned: Segment, removeAfterMs: number): void {
    const first = this.#list.indexOf(replaced[0] as Segment)
    assert(first >= 0, 'Segments that are replaced must be there')
    for (const segment of replaced) this.#removal.hide(segment)
    for (const segment of replaced) this.#removal.add(segment, removeAfterMs)
    this.#list.splice(first, replaced.length, cleaned)
    this.#countSealedBytes()
  }

  /** How many of the oldest segments retention may take. */
  countDeletable(bounds: LogBounds, config: LogConfig, now: number): number {
    if (this.isBeingReplaced) return 0
    const { logStartOffset, highWatermark, logEndOffset } = bounds
    const { retentionMs, retentionBytes, cleanupPolicy } = config
    const segments = this.#list.map((segment) => ({
      baseOffset: segment.baseOffset,
      nextOffset: logEndOffset,
      size: segment.size,
      get largestTimestamp() {
        return segment.largestTimestamp
      },
    }))
    return countDeletableSegments(segments, {
      now,
      retentionMs,
      retentionBytes,
      logStartOffset,
      highWatermark,
      isDeleting: cleanupPolicy.delete,
    })
  }

  /** Removes the oldest `count` segments, once the name of the next one is on disk; returns their bytes. */
  removeOldest(count: number, removeAfterMs: number): number {
    // Were it lost and they are gone, the log would begin anew, and offsets that were acknowledged would be used again.
    if (this.#list[count]?.isNameDurable === false) {
      this.#environment.files.syncDirectoryNow(this.#segmentEnvironment.directory)
    }
    const removed = this.#list.splice(0, count)
    for (const segment of removed) this.#removal.add(segment, removeAfterMs)
    this.#countSealedBytes()
    return removed.reduce((sum, { size }) => sum + size, 0)
  }

  /** True for the base offset of a segment that is here. */
  has(baseOffset: number): boolean {
    return this.#list[floorSegment(this.#list, baseOffset)]?.baseOffset === baseOffset
  }

  /** What awaits removal is left to the next start. */
  stopRemoval(): void {
    this.#removal.stop()
    this.#replacement?.stop()
  }

  /** Lets go of all files. */
  release(): void {
    for (const segment of this.#list) segment.release()
  }

  #create(baseOffset: number): Segment {
    return Segment.create(this.#segmentEnvironment, baseOffset, this.#environment.clock.now())
  }

  /**
   * Removes the segments behind that of the index `keep`, the last ones first: whichever is refused, what is left is a log,
   * and its last segment is active.
   */
  #removeBehind(keep: number, removeAfterMs: number): SegmentCut {
    let end: number | undefined
    while (this.#list.length > keep + 1) {
      const segment = this.active
      const cut = this.#unlessRefused(end, () => {
        this.#removal.add(segment, removeAfterMs)
        return segment.baseOffset
      })
      if (cut.refusal !== undefined) {
        if (!segment.isOpen) orFault('Truncating', () => segment.activate())
        return cut
      }
      end = cut.end
      this.#list.pop()
    }
    this.#countSealedBytes()
    return { end, refusal: undefined }
  }

  #unlessRefused(end: number | undefined, action: () => number): SegmentCut {
    try {
      return { end: action(), refusal: undefined }
    } catch (refusal) {
      if (failureKind(refusal) !== 'refusal') throw refusal
      return { end, refusal }
    } finally {
      this.#countSealedBytes()
    }
  }

  #countSealedBytes(): void {
    this.#sealedBytes = this.#list.slice(0, -1).reduce((sum, { size }) => sum + size, 0)
  }
}

/** A compacted log also rolls so that no record stays uncompacted for longer than it may. */
function longestSegmentMs({ cleanupPolicy, segmentMs, maxCompactionLagMs }: LogConfig): number {
  const isBounded = cleanupPolicy.compact && maxCompactionLagMs > 0
  return isBounded ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}
