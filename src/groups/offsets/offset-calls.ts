// What is asked of the offsets of a group, and what is answered.
import type { KafkaErrorName } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { OffsetClient, OffsetReader } from '../group.ts'

/** Something for each of some partitions of a topic. */
export interface OfTopic<T> {
  readonly topic: string
  /** ZERO_UUID where the topic is not known. */
  readonly topicId: Uuid
  readonly partitions: readonly T[]
}

/** An offset to commit. */
export interface OffsetToCommit {
  readonly partition: number
  readonly offset: number
  /** -1 for unknown. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** A commit of offsets by a member, a simple consumer or a tool. The topics exist. */
export interface OffsetCommit {
  readonly groupId: string
  readonly client: OffsetClient
  /** How long to keep the offsets, whatever the group does; -1 for as long as the broker keeps them. */
  readonly retentionTimeMs: Int64
  readonly topics: readonly OfTopic<OffsetToCommit>[]
}

/** Offsets to read; `topics` null for all that the group has. */
export interface OffsetQuery {
  readonly groupId: string
  readonly client: OffsetReader
  readonly topics: readonly OfTopic<number>[] | null
  /** Refuses partitions that an open transaction has committed to, with UNSTABLE_OFFSET_COMMIT. */
  readonly requireStable: boolean
}

/** Offsets to forget. */
export interface OffsetDeletion {
  readonly groupId: string
  readonly topics: readonly OfTopic<number>[]
}

/** What became of one partition of a commit or a deletion. */
export interface PartitionOutcome {
  readonly partition: number
  readonly error: KafkaErrorName | undefined
}

/** The committed offset of a partition; offset -1 and metadata `''` where there is none or there is an error. */
export interface FetchedOffset {
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly error: KafkaErrorName | undefined
}

/** A topic that is gone, by the id that it had. */
export interface DeletedTopic {
  readonly name: string
  readonly id: Uuid
}

/** How many offsets were committed, let expire and deleted. */
export interface OffsetCounters {
  committed: number
  expired: number
  deleted: number
}
