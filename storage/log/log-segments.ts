// The segments of one log: which one is active, when it rolls, which ones go.
import { assert } from '../base/errors.ts'
import type { RollRequest } from '../segment/segment.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { DeferredRemoval } from './deferred-removal.ts'
import type { LogConfig } from './log-config.ts'
import type { LogEnvironment } from './log-parts.ts'
import { countDeletableSegments, type RetentionLimits } from './retention.ts'
import { floorSegment } from './segment-search.ts'

/** What one round of retention removed. */
export interface DeletedSegments {
  readonly count: number
  readonly sizeInBytes: number
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

  get sizeInBytes(): number {
    return this.#sealedBytes + this.active.size
  }

  /** Draws the roll jitter that the active segment keeps. */
  drawJitter({ segmentJitterMs, segmentMs }: LogConfig): void {
    const largest = Math.min(segmentJitterMs, segmentMs)
    this.#rollJitterMs = Math.floor(this.#environment.random.float() * largest)
  }

  /** Whether a new segment must begin before `request` is appended. */
  isFull(request: RollRequest, { segmentBytes, segmentMs, segmentIndexBytes }: LogConfig): boolean {
    const limits = { segmentBytes, segmentMs: segmentMs - this.#rollJitterMs, segmentIndexBytes }
    return this.active.shouldRoll(request, limits)
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
   * prefix goes into a new file (RULES 9).
   */
  cutTo(offset: number, options: { isBelowWatermark: boolean; removeAfterMs: number }): void {
    const keep = floorSegment(this.#list, offset)
    const last = this.#list[keep]
    assert(last, `Offset ${offset} must not lie below the first segment`)
    const position = last.cutPosition(offset)
    for (const segment of this.#list.splice(keep + 1)) {
      this.#removal.add(segment, options.removeAfterMs)
    }
    last.activate()
    this.#environment.maps.evict(last.path)
    if (options.isBelowWatermark) last.truncateByCopy(offset, position)
    else last.truncate(offset, position)
    this.#countSealedBytes()
  }

  /** Removes everything and begins anew at `offset`. */
  restartAt(offset: number, removeAfterMs: number): void {
    for (const segment of this.#list.splice(0)) this.#removal.add(segment, removeAfterMs)
    this.#list.push(this.#create(offset))
    this.#countSealedBytes()
  }

  /** How many of the oldest segments retention may take. */
  countDeletable(logEndOffset: number, limits: RetentionLimits): number {
    const segments = this.#list.map((segment) => ({
      baseOffset: segment.baseOffset,
      nextOffset: logEndOffset,
      size: segment.size,
      get largestTimestamp() {
        return segment.largestTimestamp
      },
    }))
    return countDeletableSegments(segments, limits)
  }

  /** Removes the oldest `count` segments; returns their bytes. */
  removeOldest(count: number, removeAfterMs: number): number {
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
  }

  /** Lets go of all files. */
  release(): void {
    for (const segment of this.#list) segment.release()
  }

  #create(baseOffset: number): Segment {
    return Segment.create(this.#segmentEnvironment, baseOffset, this.#environment.clock.now())
  }

  #countSealedBytes(): void {
    this.#sealedBytes = this.#list.slice(0, -1).reduce((sum, { size }) => sum + size, 0)
  }
}
