// What decides whether an append begins a new segment.
import type { Int64 } from '../bytes/int64.ts'

/** The limits that decide when a segment rolls, from the log's config. */
export interface RollLimits {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
}

/** What is about to be appended. */
export interface RollRequest {
  readonly size: number
  readonly lastOffset: number
  readonly maxTimestamp: Int64
  readonly now: number
}
