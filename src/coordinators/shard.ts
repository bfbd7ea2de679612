// What a coordinator is made of: for each partition of its topic a shard, whose state is the replay of that partition's records.
import type { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Deadlines } from '../partitions/deadlines.ts'

/** Where a record stands in its log, and who wrote it. */
export interface RecordPlace {
  /** -1 where a record is applied that is not in the log yet: never seen by a shard today. */
  readonly offset: number
  /** -1 outside transactions. */
  readonly producerId: Int64
  /** -1 outside transactions. */
  readonly producerEpoch: number
}

/**
 * The state machine over one partition. Only `replay` and `endTransaction` change what is logged: they are called for
 * every record that the log holds when the shard is loaded, and for each record of a plan right after its append. So a
 * shard that is loaded again is the same as before. What is not logged (timers, parked answers) is its own.
 */
export interface Shard<Record> {
  /** Applies one record. Must not throw for anything that a log may hold. */
  replay(record: Record, place: RecordPlace): void
  /** The transaction of this producer has ended in this partition: what it wrote counts now, or never did. */
  endTransaction(producerId: Int64, isCommitted: boolean): void
  /** All that the log holds has been replayed; from now on there are calls. Sets timers. */
  loaded(): void
  /** The last call: this broker no longer coordinates the partition. Cancels timers and refuses parked answers with `reason`. */
  unloaded(reason: KafkaError): void
}

/** What a shard wants to be written, and what it answers once that is committed. */
export interface Plan<Record, Answer> {
  /** One batch: all or none. May be empty: the answer then waits for all that was written before it. */
  readonly records: readonly Record[]
  /** The records have nothing to do with each other: where one batch can't hold them, they may be written as several. */
  readonly isDivisible?: boolean
  /** May be a promise where the answer is parked beyond the commit (a join waits for the other members). */
  readonly answer: Answer | Promise<Answer>
  /**
   * Called once: when the records are committed, before the answer is given, or with the reason why they could not be.
   * For state that is not logged and follows the log. Not called after `unloaded`.
   */
  readonly settled?: (error: KafkaError | undefined) => void
}

/** What a shard is given to live with. */
export interface ShardHost<Record> {
  /** The partition of the coordinator's topic. */
  readonly partition: number
  readonly clock: Clock
  /** One timer for all. */
  readonly deadlines: Deadlines
  /**
   * Plans on the newest state, appends, applies and resolves with the answer when it is committed; for what the shard
   * begins by itself. Rejects with what the plan threw, or with why it could not be written.
   */
  write<Answer>(plan: () => Plan<Record, Answer>): Promise<Answer>
}

/** What the shards of one coordinator are. */
export interface ShardKind<Record, S extends Shard<Record>> {
  readonly recordCodec: RecordCodec<Record>
  newShard(host: ShardHost<Record>): S
}

/** Between records and the bytes of the log. */
export interface RecordCodec<Record> {
  encode(record: Record): { readonly key: Uint8Array; readonly value: Uint8Array | null }
  /** Undefined for a type or a version that nobody here knows: it is skipped, and never tombstoned. */
  decode(key: Uint8Array, value: Uint8Array | null): Record | undefined
}
