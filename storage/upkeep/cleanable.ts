// What of a log may be compacted, and how urgent that is: Kafka's rules (`LogCleanerManager`), as pure functions.
import { type Int64, subtractInt64 } from '../bytes/int64.ts'

/** What the rules look at in one segment. */
export interface CleanableSegment {
  readonly baseOffset: number
  readonly size: number
  /** The largest record timestamp, or the file's modification time when no record has one. */
  readonly largestTimestamp: Int64
  /** Of the first batch; -1 when there is none. */
  readonly firstTimestamp: Int64
}

/** What the rules look at in a log. */
export interface CleanableLog {
  /** Ascending; the last one is active. */
  readonly segments: readonly CleanableSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Not above the high watermark. */
  readonly lastStableOffset: number
  /** Everything below is on disk, indexes included: no flush has to do with it any more. */
  readonly recoveryPoint: number
  readonly config: {
    readonly minCompactionLagMs: number
    readonly maxCompactionLagMs: number
    readonly minCleanableDirtyRatio: number
  }
}

/** The part of a log that is to be compacted. */
export interface CleanableRange {
  /** Below it, no key is there twice. */
  readonly firstDirtyOffset: number
  /** The base of the first segment that must not be touched. */
  readonly firstUncleanableOffset: number
  readonly cleanableBytes: number
  /** The share of the dirty bytes in all that may be compacted; 0 when there is nothing. */
  readonly dirtyRatio: number
  /** The ratio is above `min.cleanable.dirty.ratio`, or a dirty record is older than `max.compaction.lag.ms`. */
  readonly isDue: boolean
  /** The checkpoint did not fit the log: what it says is void. */
  readonly isReset: boolean
}

/** Assesses a log whose checkpoint says that it is dirty from `checkpoint` on; undefined when there is none. */
export function assessLog(
  log: CleanableLog,
  checkpoint: number | undefined,
  now: number,
): CleanableRange {
  const { segments, config } = log
  const known = checkpoint ?? log.logStartOffset
  const isReset = known < log.logStartOffset || known > log.logEndOffset
  const firstDirtyOffset = isReset ? log.logStartOffset : known
  const firstUncleanableOffset = findUncleanable(log, firstDirtyOffset, now)
  const sizeOf = (from: number, to: number) =>
    segmentsIn(segments, from, to).reduce((sum, { size }) => sum + size, 0)
  // Of a segment that is dirty in part, all counts, once on each side.
  const cleanBytes = sizeOf(-1, firstDirtyOffset)
  const cleanableBytes = sizeOf(
    Math.min(firstDirtyOffset, firstUncleanableOffset),
    firstUncleanableOffset,
  )
  const allBytes = cleanBytes + cleanableBytes
  const dirtyRatio = allBytes === 0 ? 0 : cleanableBytes / allBytes
  const isOverdue = cleanableBytes > 0 && hasOverdue(log, firstDirtyOffset, now)
  const isDue = isOverdue || dirtyRatio > config.minCleanableDirtyRatio
  return { firstDirtyOffset, firstUncleanableOffset, cleanableBytes, dirtyRatio, isDue, isReset }
}

/** The base of the first segment that holds something uncleanable. */
function findUncleanable(log: CleanableLog, firstDirtyOffset: number, now: number): number {
  const { segments, config, lastStableOffset, recoveryPoint } = log
  const active = segments.at(-1)?.baseOffset ?? 0
  const lagMs = Math.max(config.minCompactionLagMs, 0)
  const young =
    lagMs === 0
      ? undefined
      : sealedFrom(segments, firstDirtyOffset).find(
          ({ largestTimestamp }) => largestTimestamp > now - lagMs,
        )
  const bounds = [lastStableOffset, recoveryPoint, active, young?.baseOffset ?? Infinity]
  const uncleanable = Math.max(firstDirtyOffset, Math.min(...bounds))
  return sealedFrom(segments, uncleanable)[0]?.baseOffset ?? active
}

function hasOverdue({ segments, config }: CleanableLog, from: number, now: number): boolean {
  const { maxCompactionLagMs } = config
  if (maxCompactionLagMs === Infinity) return false
  const oldest = now - Math.max(maxCompactionLagMs, 0)
  return sealedFrom(segments, from).some(({ firstTimestamp }) => {
    return firstTimestamp > 0 && subtractInt64(firstTimestamp, oldest) < 0
  })
}

/** The sealed segments from the one that holds `offset` on. */
function sealedFrom(segments: readonly CleanableSegment[], offset: number) {
  return segmentsIn(segments, offset, segments.at(-1)?.baseOffset ?? 0)
}

/** The segments from the one that holds `from` on that begin below `to`. */
function segmentsIn<T extends CleanableSegment>(segments: readonly T[], from: number, to: number) {
  return segments.filter(({ baseOffset }, index) => {
    const next = segments[index + 1]?.baseOffset ?? Infinity
    return next > from && baseOffset < to
  })
}
