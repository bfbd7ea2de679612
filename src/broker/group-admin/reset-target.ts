// Where a group is to go on reading, and what that means for one partition: arithmetic, without a group.
import { KafkaError } from '#storage/base/errors.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { GroupPartition } from './group-description.ts'

/** A place in a partition; Kafka's ConsumerGroupCommand has the same ones. */
export type ResetTarget =
  | 'earliest'
  | 'latest'
  /** Where the group stands; the end where it has committed nothing. */
  | 'current'
  /** As near as the log has it. */
  | { readonly offset: number }
  /** The first record at or after a time, in milliseconds since the epoch; the end where there is none. */
  | { readonly timestamp: Int64 }
  /** So many offsets on, or back where negative, from what is committed; as near as the log has it. */
  | { readonly shiftBy: number }

/** What is known of a partition. */
export interface ResetFacts extends GroupPartition {
  /** Null where nothing is committed. */
  readonly committed: number | null
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The offset of the first record at or after a time; the end where there is none. */
  offsetAt(timestamp: Int64): number
}

/** What a reset does to one partition. */
export interface PartitionReset extends GroupPartition {
  /** What was committed before; null for nothing. */
  readonly from: number | null
  readonly to: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The target lay outside of the log. */
  readonly isClamped: boolean
  /** Offsets that the group has passed and comes to again; null where nobody knows how far it has come. */
  readonly readAgain: number | null
  /** Offsets that the group has not come to and now passes over; null as above. */
  readonly skipped: number | null
}

/** The partition's next offset to read. Throws INVALID_REQUEST for a shift from nowhere. */
export function resetPartition(target: ResetTarget, facts: ResetFacts): PartitionReset {
  const { topic, partition, committed: from, logStartOffset, logEndOffset } = facts
  const wanted = wantedOffset(target, facts)
  const isKept = target === 'current' && from !== null
  const to = isKept ? wanted : within(wanted, logStartOffset, logEndOffset)
  // What lies outside of the log can be neither read nor passed over.
  const start = from === null ? 0 : within(from, logStartOffset, logEndOffset)
  const end = within(to, logStartOffset, logEndOffset)
  return {
    topic,
    partition,
    from,
    to,
    logStartOffset,
    logEndOffset,
    isClamped: to !== wanted,
    readAgain: from === null ? null : Math.max(0, start - end),
    skipped: from === null ? null : Math.max(0, end - start),
  }
}

function wantedOffset(target: ResetTarget, facts: ResetFacts): number {
  const { topic, partition, committed, logStartOffset, logEndOffset } = facts
  if (target === 'earliest') return logStartOffset
  if (target === 'latest') return logEndOffset
  if (target === 'current') return committed ?? logEndOffset
  if ('offset' in target) return target.offset
  if ('timestamp' in target) return facts.offsetAt(target.timestamp)
  if (committed !== null) return committed + target.shiftBy
  const detail = `The group has committed nothing for ${topic}-${partition} that could be shifted`
  throw new KafkaError('INVALID_REQUEST', detail)
}

function within(offset: number, lowest: number, highest: number): number {
  return Math.max(lowest, Math.min(offset, highest))
}
