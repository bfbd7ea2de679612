// The records of the group coordinator: which types there are, and their form in `__consumer_offsets`.
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import type { RecordCodec } from '../coordinators/shard.ts'
import type { Infer, Message } from '../protocol/codec/message.ts'
import * as consumer from '../protocol/records/groups/consumer-group.ts'
import * as classic from '../protocol/records/groups/group-metadata.ts'
import * as offsets from '../protocol/records/groups/offset-commit.ts'
import * as share from '../protocol/records/groups/share-group.ts'
import * as streams from '../protocol/records/groups/streams-group.ts'

/** Key and value of each record type, by Kafka's names. The schema's `key` is the type's number. */
const GROUP_RECORDS = {
  OffsetCommit: [offsets.OffsetCommitKey, offsets.OffsetCommitValue],
  GroupMetadata: [classic.GroupMetadataKey, classic.GroupMetadataValue],
  ConsumerGroupMetadata: [consumer.ConsumerGroupMetadataKey, consumer.ConsumerGroupMetadataValue],
  ConsumerGroupPartitionMetadata: [
    consumer.ConsumerGroupPartitionMetadataKey,
    consumer.ConsumerGroupPartitionMetadataValue,
  ],
  ConsumerGroupMemberMetadata: [
    consumer.ConsumerGroupMemberMetadataKey,
    consumer.ConsumerGroupMemberMetadataValue,
  ],
  ConsumerGroupTargetAssignmentMetadata: [
    consumer.ConsumerGroupTargetAssignmentMetadataKey,
    consumer.ConsumerGroupTargetAssignmentMetadataValue,
  ],
  ConsumerGroupTargetAssignmentMember: [
    consumer.ConsumerGroupTargetAssignmentMemberKey,
    consumer.ConsumerGroupTargetAssignmentMemberValue,
  ],
  ConsumerGroupCurrentMemberAssignment: [
    consumer.ConsumerGroupCurrentMemberAssignmentKey,
    consumer.ConsumerGroupCurrentMemberAssignmentValue,
  ],
  ConsumerGroupRegularExpression: [
    consumer.ConsumerGroupRegularExpressionKey,
    consumer.ConsumerGroupRegularExpressionValue,
  ],
  ShareGroupMemberMetadata: [
    share.ShareGroupMemberMetadataKey,
    share.ShareGroupMemberMetadataValue,
  ],
  ShareGroupMetadata: [share.ShareGroupMetadataKey, share.ShareGroupMetadataValue],
  ShareGroupTargetAssignmentMetadata: [
    share.ShareGroupTargetAssignmentMetadataKey,
    share.ShareGroupTargetAssignmentMetadataValue,
  ],
  ShareGroupTargetAssignmentMember: [
    share.ShareGroupTargetAssignmentMemberKey,
    share.ShareGroupTargetAssignmentMemberValue,
  ],
  ShareGroupCurrentMemberAssignment: [
    share.ShareGroupCurrentMemberAssignmentKey,
    share.ShareGroupCurrentMemberAssignmentValue,
  ],
  ShareGroupStatePartitionMetadata: [
    share.ShareGroupStatePartitionMetadataKey,
    share.ShareGroupStatePartitionMetadataValue,
  ],
  StreamsGroupMetadata: [streams.StreamsGroupMetadataKey, streams.StreamsGroupMetadataValue],
  StreamsGroupMemberMetadata: [
    streams.StreamsGroupMemberMetadataKey,
    streams.StreamsGroupMemberMetadataValue,
  ],
  StreamsGroupTargetAssignmentMetadata: [
    streams.StreamsGroupTargetAssignmentMetadataKey,
    streams.StreamsGroupTargetAssignmentMetadataValue,
  ],
  StreamsGroupTargetAssignmentMember: [
    streams.StreamsGroupTargetAssignmentMemberKey,
    streams.StreamsGroupTargetAssignmentMemberValue,
  ],
  StreamsGroupCurrentMemberAssignment: [
    streams.StreamsGroupCurrentMemberAssignmentKey,
    streams.StreamsGroupCurrentMemberAssignmentValue,
  ],
  StreamsGroupTopology: [streams.StreamsGroupTopologyKey, streams.StreamsGroupTopologyValue],
} as const

/** The name of a record type. */
export type GroupRecordType = keyof typeof GROUP_RECORDS

/** A record of one type. */
export interface GroupRecordOf<T extends GroupRecordType> {
  readonly type: T
  readonly key: Infer<(typeof GROUP_RECORDS)[T][0]>
  /** Null removes what the key names. */
  readonly value: Infer<(typeof GROUP_RECORDS)[T][1]> | null
  /** Of the value: where it is left out, what Kafka 4.3 writes. A decoded record says what it had. */
  readonly version?: number
}

/** A record of the group coordinator; `type` tells what key and value have. */
export type GroupRecord = { [T in GroupRecordType]: GroupRecordOf<T> }[GroupRecordType]

interface KnownType {
  readonly type: GroupRecordType
  readonly key: Message
  readonly value: Message
  /** Whether a decoded value has views on the bytes of the log. */
  readonly hasBytes: boolean
}

const LEGACY_OFFSET_COMMIT = 0
const OFFSET_COMMIT_VERSION = 4
const OFFSET_COMMIT_WITH_EXPIRY_VERSION = 1
/** v4 is known since Kafka 3.5, and still not written. */
const GROUP_METADATA_VERSION = 3

const BY_NUMBER = knownTypes()

/**
 * Records as Kafka 4.3 writes them:
 * ```
 * key: int16 type, fields, classic   value: int16 version, fields
 * ```
 * A decoded record owns its bytes. `decode` throws CORRUPT_MESSAGE for a record of a known type and version whose
 * bytes do not hold what they should.
 */
export const groupRecordCodec: RecordCodec<GroupRecord> = {
  encode(record) {
    const [keySchema, valueSchema] = GROUP_RECORDS[record.type] as unknown as [Message, Message]
    const key = new ByteWriter(64)
    key.int16(keySchema.key ?? 0)
    keySchema.write(key, record.key, 0)
    if (record.value === null) return { key: key.written, value: null }
    const version = record.version ?? writtenVersion(record)
    const value = new ByteWriter(128)
    value.int16(version)
    valueSchema.write(value, record.value, version)
    return { key: key.written, value: value.written }
  },
  decode(keyBytes, valueBytes) {
    const reader = new ByteReader(keyBytes)
    const known = BY_NUMBER[reader.int16()]
    if (known === undefined) return undefined
    const { type } = known
    if (valueBytes === null) {
      return { type, key: known.key.read(reader, 0), value: null } as GroupRecord
    }
    const valueReader = new ByteReader(known.hasBytes ? valueBytes.slice() : valueBytes)
    const version = valueReader.int16()
    if (!(version >= known.value.versions[0] && version <= known.value.versions[1]))
      return undefined
    const key = known.key.read(reader, 0)
    return { type, key, value: known.value.read(valueReader, version), version } as GroupRecord
  },
}

function writtenVersion(record: GroupRecord): number {
  switch (record.type) {
    case 'OffsetCommit': {
      const hasExpiry = record.value !== null && record.value.expireTimestamp !== -1
      return hasExpiry ? OFFSET_COMMIT_WITH_EXPIRY_VERSION : OFFSET_COMMIT_VERSION
    }
    case 'GroupMetadata':
      return GROUP_METADATA_VERSION
    default:
      return 0
  }
}

function knownTypes(): readonly (KnownType | undefined)[] {
  const byNumber: KnownType[] = []
  for (const [name, [key, value]] of Object.entries(GROUP_RECORDS)) {
    const type = name as GroupRecordType
    const hasBytes = type === 'GroupMetadata' || type === 'ConsumerGroupMemberMetadata'
    const known = { type, key, value, hasBytes } as unknown as KnownType
    byNumber[key.key ?? 0] = known
    if (type === 'OffsetCommit') byNumber[LEGACY_OFFSET_COMMIT] = known
  }
  return byNumber
}
