// What a consumer inside the broker is made of, and how it is to behave.
import type { Clock, Random } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../../access/session.ts'
import type { IsolationLevel, RecordReading } from '../reading.ts'
import type { CommittedOffset, PartitionName } from './committed-offsets.ts'
import type { GroupCalls } from './group-calls.ts'

/** Offsets that retention removed before they were read. */
export interface Gap extends PartitionName {
  readonly from: number
  readonly to: number
}

/** How a consumer behaves. */
export interface ConsumerOptions {
  readonly groupId: string
  /** A static member (KIP-345); null for one that leaves when it closes. */
  readonly instanceId: string | null
  /** Where it begins without a committed offset, or when that is gone; `none` refuses. */
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none' | { readonly timestamp: Int64 }
  /** Commits what is settled so long after it was, when partitions are taken away, and at the end. Undefined: never by itself. */
  readonly autoCommitIntervalMs: number | undefined
  /**
   * Who says when records are dealt with: the next poll says it of all before, or `acknowledge()` of each partition. Of what
   * is sent, the next poll says only that it is on its way: it is committed an interval later, and when the reader is
   * lost, not what was sent within the last one.
   */
  readonly settledBy: 'poll' | 'acknowledgement' | 'sending'
  readonly isolation: IsolationLevel
  /** How long the group waits for this member to give partitions back. */
  readonly rebalanceTimeoutMs: number
  /** How long a partition that is taken away waits for its records that are handed out and not settled. Less than the former. */
  readonly handoverMs: number
  /** Told of every gap that retention made; with it, reading goes on at the log's start whatever `autoOffsetReset` says. */
  readonly onGap?: ((gap: Gap) => void) | undefined
  /** Told which partitions have come. */
  readonly onAssigned?: ((partitions: readonly PartitionName[]) => void) | undefined
  /** Told which partitions are about to go, so that what was read of them can be acknowledged. */
  readonly onLeaving?: ((partitions: readonly PartitionName[]) => void) | undefined
  /** Told of everything that has been committed. */
  readonly onCommitted?: ((offsets: readonly CommittedOffset[]) => void) | undefined
}

/** What a consumer lives on. */
export interface ConsumerParts {
  readonly broker: RecordReading
  readonly groups: GroupCalls
  /** Must say the same of its client each time it is asked. */
  readonly session: Session
  readonly clock: Clock
  readonly random: Random
  /** What the ids of members in this broker begin with. */
  readonly memberPrefix: string
  /** The name of a topic that an assignment names by id; undefined when it is gone. */
  topicName(topicId: string): string | undefined
  /** Puts members out of the group that lived in this broker before it was killed. */
  buryGhosts(groupId: string): Promise<void>
  /** Called once, when the consumer has closed. */
  onClosed(): void
}

/** How much a poll may give, and how long it waits for the first record. */
export interface PollLimits {
  /** Bytes of stored batches; at least one record is given when there is one. */
  readonly maxBytes: number
  readonly maxRecords: number
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}
