// What a group has committed for one partition, and how that becomes a record.
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { GroupRecordOf } from '../group-record.ts'

/** The expiry of an offset that expires with its group alone. */
export const NO_EXPIRY = -1

/** The committed offset of a partition, as its record says. */
export interface CommittedOffset {
  /** As the client sent it: Kafka stores negative ones too. */
  readonly offset: number
  /** -1 when the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: Int64
  /** When it expires whatever the group does; NO_EXPIRY is usual since KIP-211. */
  readonly expireTimestamp: Int64
  /** ZERO_UUID where the record has none, as those before Kafka 4.2. */
  readonly topicId: Uuid
}

/** A committed offset and where its record stands in the log. */
export interface StoredOffset extends CommittedOffset {
  readonly recordOffset: number
}

/** Which partition of which group an offset is for. */
export interface OffsetPlace {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

/** The record that commits an offset; null forgets it. */
export function offsetRecord(
  { groupId, topic, partition }: OffsetPlace,
  value: CommittedOffset | null,
): GroupRecordOf<'OffsetCommit'> {
  return { type: 'OffsetCommit', key: { group: groupId, topic, partition }, value }
}

/** False when both ids are known and differ: the offset is of another topic that had this name. */
export function isOfTopic(offset: CommittedOffset, topicId: Uuid): boolean {
  return offset.topicId === topicId || offset.topicId === ZERO_UUID || topicId === ZERO_UUID
}
