// Reads of one log: what a reader may see of it, from where to where.
import { KafkaError } from '../base/errors.ts'
import type { Int64 } from '../bytes/int64.ts'
import type { Segment } from '../segment/segment.ts'
import type { TimestampOffset } from '../segment/time-index.ts'
import type { LogPosition } from './durability.ts'
import { type LogBounds, LogSlice, type LogSliceSource } from './log-slice.ts'
import {
  abortedTransactions,
  checkUndamaged,
  type DamagedRange,
  endOfUndamaged,
  findBatch,
  findLargestTimestamp,
  findTimestamp,
  floorSegment,
  offsetBeyond,
} from './segment-search.ts'

/** How a read is bounded. */
export interface ReadRequest {
  readonly maxBytes: number
  /** `log_end` is for replicas and for ourselves. */
  readonly isolation: 'read_uncommitted' | 'read_committed' | 'log_end'
  /** Return the first batch whole even when it is larger than `maxBytes`. */
  readonly minOneBatch?: boolean
}

/** What a reader needs of its log. */
export interface ReadableLog {
  readonly source: LogSliceSource
  /** Ascending; the last one is active. */
  readonly segments: readonly Segment[]
  readonly damages: readonly DamagedRange[]
  readonly bounds: LogBounds
  readonly end: LogPosition
  readonly highWatermark: LogPosition
}

/** Finds slices, and offsets by time. It changes nothing but what it remembers. */
export class LogReader {
  readonly #log: ReadableLog
  #stable: LogPosition | undefined

  constructor(log: ReadableLog) {
    this.#log = log
  }

  /** As `PartitionLog.read`. */
  read(offset: number, request: ReadRequest): LogSlice {
    const { bounds, damages, segments, source } = this.#log
    if (!(offset >= bounds.logStartOffset && offset <= bounds.logEndOffset)) {
      const range = `[${bounds.logStartOffset}, ${bounds.logEndOffset}]`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `Offset ${offset} is outside ${range}`)
    }
    const isCommitted = request.isolation === 'read_committed'
    const empty = new LogSlice(source, bounds, isCommitted ? { abortedTransactions: [] } : {})
    const bound = this.#boundOf(request.isolation, bounds.lastStableOffset)
    if (offset >= bound.offset) return empty
    checkUndamaged(damages, offset)
    const found = findBatch(segments, offset, bound, damages)
    if (!found) return empty
    const { segment, header } = found
    const { position, sizeInBytes } = header
    if (sizeInBytes > request.maxBytes && !request.minOneBatch) return empty
    const end = damages.length === 0 ? found.end : endOfUndamaged(damages, found)
    const size = Math.min(Math.max(request.maxBytes, sizeInBytes), end - position)
    const parts = { segment, position, size, isSealed: segment !== segments.at(-1) }
    if (!isCommitted) return new LogSlice(source, bounds, { parts })
    const aborted = this.#abortedIn(segment, position + size, { from: offset, upTo: bound.offset })
    return new LogSlice(source, bounds, { parts, abortedTransactions: aborted })
  }

  /** As `PartitionLog.offsetForTimestamp`. */
  offsetForTimestamp(timestamp: Int64): TimestampOffset | undefined {
    const { segments, bounds } = this.#log
    const first = Math.max(0, floorSegment(segments, bounds.logStartOffset))
    for (const segment of segments.slice(first)) {
      if (segment.size === 0 || segment.largest.timestamp < timestamp) continue
      const found = findTimestamp(segment, timestamp, bounds.logStartOffset)
      if (found) return found
    }
    return undefined
  }

  /** As `PartitionLog.maxTimestamp`. */
  maxTimestamp(): TimestampOffset | undefined {
    let newest: Segment | undefined
    for (const segment of this.#log.segments) {
      if (segment.size === 0) continue
      if (!newest || segment.largest.timestamp > newest.largest.timestamp) newest = segment
    }
    return newest && findLargestTimestamp(newest)
  }

  /** The log was cut: positions may have changed. */
  forget(): void {
    this.#stable = undefined
  }

  #boundOf(isolation: ReadRequest['isolation'], lastStableOffset: number): LogPosition {
    if (isolation === 'log_end') return this.#log.end
    const { highWatermark } = this.#log
    if (isolation === 'read_uncommitted' || lastStableOffset >= highWatermark.offset) {
      return highWatermark
    }
    return this.#stablePosition(lastStableOffset, highWatermark)
  }

  /** The last stable offset with its position, which is looked up once for each value. */
  #stablePosition(offset: number, highWatermark: LogPosition): LogPosition {
    if (this.#stable?.offset === offset) return this.#stable
    const found = findBatch(this.#log.segments, offset, highWatermark, this.#log.damages)
    const segmentBaseOffset = found?.segment.baseOffset ?? highWatermark.segmentBaseOffset
    const position = found?.header.position ?? highWatermark.position
    this.#stable = { offset, segmentBaseOffset, position }
    return this.#stable
  }

  /** Aborted transactions up to where the slice's bytes end; a few too many do no harm. */
  #abortedIn(segment: Segment, end: number, range: { from: number; upTo: number }) {
    const { segments, bounds } = this.#log
    const index = floorSegment(segments, segment.baseOffset)
    const next = segments[index + 1]?.baseOffset ?? bounds.logEndOffset
    const upTo = Math.min(range.upTo, offsetBeyond(segment.indexes.offsets, end, next))
    return abortedTransactions(segments, index, { from: range.from, upTo })
  }
}
