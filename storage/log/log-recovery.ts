// What a log's recovery found and did, as data.
import type { DamagedRange } from './segment-search.ts'

/** Bytes that recovery took out of the log. */
export interface LogCut {
  /** The first offset that is gone. */
  readonly offset: number
  readonly segmentBaseOffset: number
  /** In the segment's file. */
  readonly position: number
  readonly sizeInBytes: number
  /** The plain file that keeps the bytes; undefined when they were all zero. */
  readonly keptIn: string | undefined
  /** Intact batches among them: offsets that may have been acknowledged without reaching the disk in order. */
  readonly offsetsAtRisk:
    | { readonly from: number; readonly to: number; readonly batches: number }
    | undefined
}

/** The outcome of opening one log. */
export interface LogRecovery {
  readonly hadCleanShutdown: boolean
  /** As it was given. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Bytes whose checksums were verified. */
  readonly scannedBytes: number
  /** Base offsets of the segments whose indexes were made anew. */
  readonly rebuiltSegments: readonly number[]
  readonly cuts: readonly LogCut[]
  /** What is damaged or missing below the recovery point: left where it is, and not served. */
  readonly damages: readonly DamagedRange[]
  /** What else was not as it was left, and was put right: sentences. */
  readonly repairs: readonly string[]
  /** How many offsets lie between the log end and the high watermark of the last checkpoint: consumers had seen them. */
  readonly lostBelowHighWatermark: number
}
