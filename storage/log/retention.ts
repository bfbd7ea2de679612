// Which segments a log may drop: Kafka's rules (`UnifiedLog.deleteOldSegments`), as a pure function.
import type { Int64 } from '../bytes/int64.ts'

/** What the rules look at in one segment. */
export interface RetainedSegment {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly size: number
  /** The largest record timestamp, or the file's modification time when no record has one. */
  readonly largestTimestamp: Int64
}

/** The limits; `Infinity` switches one off. */
export interface RetentionLimits {
  readonly now: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** False for topics that are compacted only: then nothing but the log start drops segments. */
  readonly isDeleting: boolean
}

/**
 * How many of the oldest segments to drop: a prefix, as long as the next one is breached by log start, size or
 * time. A segment goes only when the high watermark has reached the base of the next one, and an empty last
 * segment stays. All of them may go; then the caller rolls an empty one first.
 */
export function countDeletableSegments(
  segments: readonly RetainedSegment[],
  limits: RetentionLimits,
): number {
  const byLogStart = countPrefix(segments, limits, (_, next) => {
    return next !== undefined && next <= limits.logStartOffset
  })
  if (!limits.isDeleting) return byLogStart
  let surplus = segments.reduce((sum, { size }) => sum + size, 0) - limits.retentionBytes
  const bySize = countPrefix(segments, limits, ({ size }) => {
    surplus -= size
    return surplus >= 0
  })
  const oldest = limits.now - limits.retentionMs
  // Of what the others leave.
  const count = Math.max(byLogStart, bySize)
  const isOld = (segment: RetainedSegment) => segment.largestTimestamp < oldest
  return count + countPrefix(segments.slice(count), limits, isOld)
}

function countPrefix(
  segments: readonly RetainedSegment[],
  limits: RetentionLimits,
  isBreached: (segment: RetainedSegment, nextBase: number | undefined) => boolean,
): number {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const end = next?.baseOffset ?? segment.nextOffset
    const isEmptyLast = next === undefined && segment.size === 0
    if (limits.highWatermark < end || isEmptyLast || !isBreached(segment, next?.baseOffset)) {
      return index
    }
  }
  return segments.length
}
