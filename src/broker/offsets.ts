// Offsets and what is known about them: by time, by leader epoch, by producer; and records deleted below one.
import { KafkaError } from '#storage/base/errors.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { PartitionId, PartitionLookup } from '../partitions/lookup.ts'
import type { Partition } from '../partitions/partition.ts'
import { isInternalTopic } from './internal-topic-names.ts'

/** Timestamps that stand for a place, as ListOffsets numbers them. */
export const SPECIAL_TIMESTAMP = {
  LATEST: -1,
  EARLIEST: -2,
  /** The record with the largest timestamp. */
  MAX: -3,
  /** The first offset on local disks. */
  EARLIEST_LOCAL: -4,
  /** The last offset in tiered storage: there is none. */
  LATEST_TIERED: -5,
  /** The first offset that waits to be tiered: there is none. */
  EARLIEST_PENDING_UPLOAD: -6,
} as const

/** A search for an offset. */
export interface OffsetSearch extends PartitionId {
  /** A time, or one of SPECIAL_TIMESTAMP. */
  readonly timestamp: Int64
  /** `log_end` is for replicas and debugging. */
  readonly isolation: 'read_uncommitted' | 'read_committed' | 'log_end'
  /** -1 when the client knows none. */
  readonly currentLeaderEpoch: number
}

/** What was found; all -1 for nothing. */
export interface FoundOffset {
  readonly offset: number
  readonly timestamp: Int64
  readonly leaderEpoch: number
}

/** A question where an epoch ended. */
export interface EpochQuestion extends PartitionId {
  readonly leaderEpoch: number
  /** -1 when the client knows none. */
  readonly currentLeaderEpoch: number
}

/** The largest epoch at or below the one asked for, and its end; both -1 when unknown. */
export interface FoundEpoch {
  readonly leaderEpoch: number
  readonly endOffset: number
}

/** What a partition knows of one producer. -1 stands for nothing. */
export interface ActiveProducer {
  readonly producerId: Int64
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: Int64
  readonly coordinatorEpoch: number
  readonly currentTxnStartOffset: number
}

const NOTHING: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 }

/** Answers questions about offsets. Every call throws what `PartitionLookup.get` throws. */
export class Offsets {
  readonly #lookup: PartitionLookup

  constructor(lookup: PartitionLookup) {
    this.#lookup = lookup
  }

  /** Throws FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; UNSUPPORTED_VERSION for a negative time without a meaning. */
  find(search: OffsetSearch): FoundOffset {
    const partition = this.#lookup.get(search)
    partition.checkLeaderEpoch(search.currentLeaderEpoch)
    const { log } = partition
    const { timestamp, isolation } = search
    const end = partition.readableEnd(isolation)
    switch (timestamp) {
      case SPECIAL_TIMESTAMP.LATEST:
        return { offset: end, timestamp: -1, leaderEpoch: partition.leaderEpoch }
      case SPECIAL_TIMESTAMP.EARLIEST:
      case SPECIAL_TIMESTAMP.EARLIEST_LOCAL: {
        const offset = log.logStartOffset
        return { offset, timestamp: -1, leaderEpoch: log.epochOf(offset) ?? -1 }
      }
      case SPECIAL_TIMESTAMP.LATEST_TIERED:
      case SPECIAL_TIMESTAMP.EARLIEST_PENDING_UPLOAD:
        return NOTHING
      case SPECIAL_TIMESTAMP.MAX:
        return foundBelow(end, partition, log.maxTimestamp())
    }
    if (timestamp >= 0) return foundBelow(end, partition, log.offsetForTimestamp(timestamp))
    throw new KafkaError('UNSUPPORTED_VERSION', `Timestamp ${timestamp} has no meaning`)
  }

  /** Throws FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH. */
  epochEnd(question: EpochQuestion): FoundEpoch {
    const partition = this.#lookup.get(question)
    partition.checkLeaderEpoch(question.currentLeaderEpoch)
    const { epoch, endOffset } = partition.log.endOffsetForEpoch(question.leaderEpoch)
    if (endOffset === -1) return { leaderEpoch: -1, endOffset }
    return { leaderEpoch: epoch, endOffset }
  }

  /** In no particular order. */
  producers(at: PartitionId): ActiveProducer[] {
    const { log } = this.#lookup.get(at)
    return Array.from(log.producers.producers(), (producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.currentTxnFirstOffset,
    }))
  }

  /**
   * Deletes the records below `offset`, all visible ones for -1, and returns the log start, which is on disk then. Throws
   * OFFSET_OUT_OF_RANGE, POLICY_VIOLATION on a topic that is only compacted, INVALID_TOPIC_EXCEPTION on an internal one,
   * KAFKA_STORAGE_ERROR when nobody knows what a crash would find.
   */
  async deleteRecords(at: PartitionId, offset: number): Promise<number> {
    const { log } = this.#lookup.get(at)
    if (isInternalTopic(at.topic)) {
      const detail = `Records of the internal topic ${at.topic} are not deleted`
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', detail)
    }
    const { cleanupPolicy } = log.config
    if (cleanupPolicy.compact && !cleanupPolicy.delete) {
      const detail = `Topic ${at.topic} is compacted, and its records are not deleted otherwise`
      throw new KafkaError('POLICY_VIOLATION', detail)
    }
    log.deleteRecordsBefore(offset === -1 ? log.highWatermark : offset)
    const { logStartOffset } = log
    await log.whenStartSaved()
    return logStartOffset
  }
}

/** What the reader may see of a find. */
function foundBelow(
  end: number,
  { log }: Partition,
  found: { readonly offset: number; readonly timestamp: Int64 } | undefined,
): FoundOffset {
  if (!found || found.offset >= end) return NOTHING
  const { offset, timestamp } = found
  return { offset, timestamp, leaderEpoch: log.epochOf(offset) ?? -1 }
}
