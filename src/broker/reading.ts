// Records as doors read them, wherever they begin. Part of the one face.
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../access/session.ts'

/** A position in a partition, or a way to find one: -1000 would be 1000 before the end as `{ fromEnd: 1000 }`. */
export type OffsetSpec =
  | number
  | 'earliest'
  | 'latest'
  | { readonly fromEnd: number }
  | { readonly timestamp: Int64 }

/** One stored record. Its bytes belong to the caller. */
export interface StoredRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Int64
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** Whether records of open and aborted transactions are handed out. */
export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** What to read of one partition. */
export interface ReadRequest {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Soft limit on the bytes of stored batches to decode; at least one record is returned when there is one. */
  readonly maxBytes: number
  readonly maxRecords: number
  readonly isolation?: IsolationLevel
}

/** What a read gave. */
export interface ReadResult {
  readonly records: readonly StoredRecord[]
  /** Where the next read goes on: beyond the last record, or beyond control batches and gaps where there was none. */
  readonly nextOffset: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

/** Where a partition begins and ends for its readers. */
export interface PartitionOffsets {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

/** A wait for records at any of several positions. */
export interface WaitRequest {
  readonly positions: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
  }[]
  readonly waitMs: number
  readonly isolation?: IsolationLevel
  readonly signal?: AbortSignal
}

/** Stateless reads: the caller says where it stands. */
export interface RecordReading {
  /** Where a read should start. A timestamp beyond the newest record gives the end. */
  findOffset(
    session: Session,
    at: { readonly topic: string; readonly partition: number; readonly spec: OffsetSpec },
  ): number
  partitionOffsets(session: Session, topic: string, partition: number): PartitionOffsets
  /** Waits for the disk at most, never for records. Throws OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE. */
  readRecords(session: Session, request: ReadRequest): Promise<ReadResult>
  /** Resolves when there is something to read at any position, when the time has passed or the signal aborts; true for the first. */
  waitForRecords(session: Session, request: WaitRequest): Promise<boolean>
}
