// What a cleaning of a log is told and tells: plain data, which may cross to another thread.
import type { Int64 } from '../bytes/int64.ts'
import type { AbortedTransaction } from '../segment/transaction-index.ts'
import type { LastOfProducer } from './batch-filter.ts'

/** What holds for a cleaning from its beginning to its end. */
export interface CleaningJob {
  readonly directory: string
  readonly firstDirtyOffset: number
  readonly firstUncleanableOffset: number
  /** In milliseconds since the epoch. */
  readonly now: number
  readonly deleteRetentionMs: number
  readonly maxDecompressedBytes: number
  readonly indexIntervalBytes: number
  /** What keys are hashed under: 16 bytes. */
  readonly secret: Uint8Array
  /** For the map of keys, and how full it may get. */
  readonly mapBytes: number
  readonly loadFactor: number
  /** For reading; as much again for writing. */
  readonly bufferBytes: number
  readonly bytesPerSecond: number
  readonly producers: ReadonlyMap<Int64, LastOfProducer>
}

/** A sealed segment that is read. */
export interface SourceSegment {
  readonly path: string
  readonly size: number
}

/** A segment whose keys are mapped. */
export interface DirtySegment extends SourceSegment {
  /** Where a batch begins, not behind the first dirty offset. */
  readonly position: number
  /** Behind the last offset. */
  readonly endOffset: number
}

/** The dirty part of a log. */
export interface DirtyRange {
  readonly segments: readonly DirtySegment[]
  readonly aborted: readonly AbortedTransaction[]
}

/** How far the map of keys goes. */
export interface MapSummary {
  /** Records beyond it are not in the map. */
  readonly latestOffset: number
  readonly mapBytes: number
  readonly bytesRead: number
}

/** Segments that become one. */
export interface SegmentGroup {
  readonly baseOffset: number
  readonly createdMs: number
  /** In order, each with the aborted transactions that overlap it. */
  readonly segments: readonly (SourceSegment & {
    readonly aborted: readonly AbortedTransaction[]
  })[]
}

/** A cleaned segment, on disk under names that end with `.cleaned`. */
export interface CleanedSegment {
  readonly size: number
  readonly bytesRead: number
  /** What its index files hold. */
  readonly indexes: {
    readonly offsets: Uint8Array
    readonly times: Uint8Array
    readonly transactions: Uint8Array
  }
}

/**
 * The part of a cleaning that reads and writes records, and knows nothing of the log: `buildMap` first, then `clean` for
 * group after group. What they throw is the system's error, CORRUPT_MESSAGE, or of no matter because they were
 * interrupted.
 */
export interface CleaningStage {
  buildMap(range: DirtyRange): Promise<MapSummary>
  clean(group: SegmentGroup): Promise<CleanedSegment>
}

/** What the thread of a cleaning is asked, `begin` once and first. */
export type CleaningRequest =
  | { readonly begin: CleaningJob }
  | { readonly map: DirtyRange }
  | { readonly clean: SegmentGroup }
