// All metadata record types of metadata.version 30 (Kafka 4.3), and the frame that a record's value has in the log.
import { KafkaError } from '#storage/base/errors.ts'
import { ByteReader } from '#storage/bytes/byte-reader.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import type { Infer, InferInput, Message } from '../codec/message.ts'
import { RegisterBrokerRecord } from './00-register-broker.ts'
import { UnregisterBrokerRecord } from './01-unregister-broker.ts'
import { TopicRecord } from './02-topic.ts'
import { PartitionRecord } from './03-partition.ts'
import { ConfigRecord } from './04-config.ts'
import { PartitionChangeRecord } from './05-partition-change.ts'
import { FenceBrokerRecord } from './07-fence-broker.ts'
import { UnfenceBrokerRecord } from './08-unfence-broker.ts'
import { RemoveTopicRecord } from './09-remove-topic.ts'
import { DelegationTokenRecord } from './10-delegation-token.ts'
import { UserScramCredentialRecord } from './11-user-scram-credential.ts'
import { FeatureLevelRecord } from './12-feature-level.ts'
import { ClientQuotaRecord } from './14-client-quota.ts'
import { ProducerIdsRecord } from './15-producer-ids.ts'
import { BrokerRegistrationChangeRecord } from './17-broker-registration-change.ts'
import { AccessControlEntryRecord } from './18-access-control-entry.ts'
import { RemoveAccessControlEntryRecord } from './19-remove-access-control-entry.ts'
import { NoOpRecord } from './20-no-op.ts'
import { ZkMigrationStateRecord } from './21-zk-migration-state.ts'
import { RemoveUserScramCredentialRecord } from './22-remove-user-scram-credential.ts'
import { BeginTransactionRecord } from './23-begin-transaction.ts'
import { EndTransactionRecord } from './24-end-transaction.ts'
import { AbortTransactionRecord } from './25-abort-transaction.ts'
import { RemoveDelegationTokenRecord } from './26-remove-delegation-token.ts'
import { RegisterControllerRecord } from './27-register-controller.ts'
import { ClearElrRecord } from './28-clear-elr.ts'

/** The record types by name. `key` is the type's number. */
export const METADATA_RECORDS = {
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  DelegationTokenRecord,
  UserScramCredentialRecord,
  FeatureLevelRecord,
  ClientQuotaRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
  NoOpRecord,
  ZkMigrationStateRecord,
  RemoveUserScramCredentialRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  RemoveDelegationTokenRecord,
  RegisterControllerRecord,
  ClearElrRecord,
} as const

/** The name of a metadata record type. */
export type MetadataRecordName = keyof typeof METADATA_RECORDS

/** A decoded record of one type. */
export type MetadataRecordOf<N extends MetadataRecordName> = {
  readonly type: N
  readonly version: number
  readonly data: Infer<(typeof METADATA_RECORDS)[N]>
}

/** A decoded record; `type` tells which fields `data` has. */
export type MetadataRecord = { [N in MetadataRecordName]: MetadataRecordOf<N> }[MetadataRecordName]

/** A record to write: fields with a default may be left out. */
export type NewMetadataRecord = {
  [N in MetadataRecordName]: {
    readonly type: N
    readonly version: number
    readonly data: InferInput<(typeof METADATA_RECORDS)[N]>
  }
}[MetadataRecordName]

const FRAME_VERSION = 1

const BY_KEY = new Map<number, readonly [MetadataRecordName, Message]>(
  Object.entries(METADATA_RECORDS).map(([name, schema]) => [
    schema.key ?? -1,
    [name as MetadataRecordName, schema as Message],
  ]),
)

/**
 * The value of a record in the metadata log:
 * ```
 * uvarint frame version = 1 | uvarint type | uvarint version | fields, flexible
 * ```
 */
export function encodeMetadataRecord(record: NewMetadataRecord): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(128)
  const schema = METADATA_RECORDS[record.type] as Message
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(schema.key ?? 0)
  writer.uvarint(record.version)
  schema.write(writer, record.data, record.version)
  return writer.written
}

/**
 * The record that a value holds. Throws UNSUPPORTED_VERSION for a type or version that is not of metadata.version 30
 * (going on without it would lose what it says), CORRUPT_MESSAGE for bytes that are no record.
 */
export function decodeMetadataRecord(value: Uint8Array): MetadataRecord {
  const reader = new ByteReader(value)
  const frame = reader.uvarint()
  if (frame !== FRAME_VERSION) {
    throw new KafkaError('UNSUPPORTED_VERSION', `Metadata record has frame version ${frame}`)
  }
  const key = reader.uvarint()
  const version = reader.uvarint()
  const known = BY_KEY.get(key)
  if (known === undefined) {
    throw new KafkaError('UNSUPPORTED_VERSION', `Metadata record type ${key} is unknown`)
  }
  const [type, schema] = known
  const data = schema.read(reader, version)
  if (reader.remaining > 0) {
    throw new KafkaError('CORRUPT_MESSAGE', `${reader.remaining} bytes follow the ${type}`)
  }
  return { type, version, data } as MetadataRecord
}
