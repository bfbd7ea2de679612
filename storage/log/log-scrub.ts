// What a log's scrub knows: which sealed segments were read once and found sound, and what was found damaged (RULES 13).
import type { StorageFault } from '../base/errors.ts'
import { failureKind, storageError } from '../fs/failures.ts'
import type { Segment } from '../segment/segment.ts'
import { persistIndexes } from './durability.ts'
import type { LogGuard } from './log-guard.ts'
import type { LogParts } from './log-parts.ts'
import type { LogSegments } from './log-segments.ts'
import type { DamagedRange } from './segment-search.ts'

/** The log was closed, or the segment is not what it was: there is no point in going on, and nothing is wrong. */
export class ScrubAborted extends Error {
  override readonly name = 'ScrubAborted'
}

/** The scrubbing of one log. What it finds damaged is not served from then on; nothing is ever cut. */
export class LogScrub {
  readonly #parts: LogParts
  readonly #segments: LogSegments
  readonly #guard: LogGuard
  /** Those that are done with, for as long as they are as they were. */
  readonly #done = new WeakMap<Segment, number>()
  #isUnsaved = false

  constructor(parts: LogParts, segments: LogSegments, guard: LogGuard) {
    this.#parts = parts
    this.#segments = segments
    this.#guard = guard
  }

  /** Sealed segments, with their indexes on disk, that were not read since they were written. */
  pending(): Segment[] {
    if (this.#guard.isClosed || this.#guard.fault) return []
    const sealed = this.#segments.list.slice(0, -1).filter((segment) => !segment.isOpen)
    return sealed.filter((segment) => this.#done.get(segment) !== segment.generation)
  }

  /** True when a segment was read before the start, and is as it was then. */
  isKnownSound(segment: Segment): boolean {
    const { sums } = this.#parts
    if (!sums.mayBeScrubbed(segment.baseOffset)) return false
    const isKnown = segment.withFile((file) => sums.isScrubbed(segment.baseOffset, file))
    if (isKnown) this.#done.set(segment, segment.generation)
    return isKnown
  }

  /** Throws `ScrubAborted` when the segment has gone, or changed since it had this generation. */
  check(segment: Segment, generation: number): void {
    const isHere = this.#segments.list.includes(segment) && this.#segments.active !== segment
    if (isHere && segment.generation === generation && !this.#guard.isClosed) return
    throw new ScrubAborted('The segment is not what it was')
  }

  /** The offset at which a sealed segment ends at the latest. */
  endOf(segment: Segment): number {
    const { list } = this.#segments
    return list[list.indexOf(segment) + 1]?.baseOffset ?? segment.baseOffset
  }

  /** The segment was read; `damages` is what does not fit its checksums. Returns those that nobody knew. */
  settle(segment: Segment, damages: readonly DamagedRange[]): DamagedRange[] {
    this.#done.set(segment, segment.generation)
    const known = this.#parts.damages
    const fresh = damages.filter(({ from, to }) => {
      return !known.some((other) => other.from <= from && other.to >= to)
    })
    known.push(...fresh)
    // What is damaged is read again after each start: nobody else keeps it in mind.
    if (damages.length > 0) return fresh
    segment.withFile((file) => this.#parts.sums.addScrubbed(segment.baseOffset, file))
    this.#isUnsaved = true
    return fresh
  }

  /** Makes a time index anew that does not fit its sum. True when it was. */
  async repairIndexes(segment: Segment): Promise<boolean> {
    const { sums, environment, snapshots } = this.#parts
    const { baseOffset, generation } = segment
    if (sums.fits(baseOffset, { isThorough: true })) return false
    // Loaded anew it is checked, and made from the log.
    environment.indexCache.delete(segment.path)
    if (segment.indexes.areTransactionsDamaged) return false
    await persistIndexes(environment.files, segment, snapshots.path(this.endOf(segment)))
    this.check(segment, generation)
    await sums.finish(baseOffset, (offset) => this.#segments.has(offset))
    return true
  }

  /** Has on disk what was found sound, for the next start. Without it that reads it again. */
  async save(): Promise<void> {
    if (!this.#isUnsaved || this.#guard.isClosed) return
    this.#isUnsaved = false
    await this.#parts.sums.save((offset) => this.#segments.has(offset))
  }

  /** What is to be told of a failure: nothing of a fault, which takes the log directory offline, nor of a log that is gone. */
  report(error: unknown): unknown {
    if (error instanceof ScrubAborted || this.#guard.isClosed) return undefined
    const reported = storageError(error, `Scrubbing ${this.#parts.directory}`)
    if (failureKind(reported) !== 'fault') return reported
    this.#guard.fail(reported as StorageFault)
    return undefined
  }

  /** The log was cut at `offset`: what was damaged beyond is gone. */
  cut(offset: number): void {
    const { damages } = this.#parts
    for (const damage of damages.splice(0)) {
      if (damage.from < offset) damages.push({ ...damage, to: Math.min(damage.to, offset) })
    }
  }
}
