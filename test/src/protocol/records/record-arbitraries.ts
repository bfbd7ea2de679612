// Arbitrary metadata records of every type and version, made from what each version can hold.
import fc from 'fast-check'
import {
  METADATA_RECORDS,
  type MetadataRecordName,
  type NewMetadataRecord,
} from '../../../../src/protocol/records/metadata-record.ts'

const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const blob = fc.uint8Array({ maxLength: 150 })
const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const ids = fc.array(int(32), { maxLength: 4 })
const uuids = fc.array(uuid, { maxLength: 4 })
const epoch = fc.maxSafeInteger()
const exact = fc.oneof(epoch, fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }))
const features = fc.array(
  fc.record({ name: text, minSupportedVersion: int(16), maxSupportedVersion: int(16) }),
  { maxLength: 3 },
)
const endPoints = fc.array(
  fc.record({ name: text, host: text, port: fc.nat(65_535), securityProtocol: int(16) }),
  { maxLength: 3 },
)

type Model = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** The fields of a record in one version. */
const MODELS: Readonly<Record<MetadataRecordName, (version: number) => Model>> = {
  RegisterBrokerRecord: (version) => ({
    brokerId: int(32),
    incarnationId: uuid,
    brokerEpoch: epoch,
    endPoints,
    features,
    rack: fc.option(text),
    fenced: fc.boolean(),
    ...(version >= 1 && { inControlledShutdown: fc.boolean() }),
    ...(version >= 2 && { isMigratingZkBroker: fc.boolean() }),
    ...(version >= 3 && { logDirs: uuids }),
    ...(version >= 4 && { cordonedLogDirs: fc.option(uuids) }),
  }),
  UnregisterBrokerRecord: () => ({ brokerId: int(32), brokerEpoch: epoch }),
  TopicRecord: () => ({ name: text, topicId: uuid }),
  PartitionRecord: (version) => ({
    partitionId: int(32),
    topicId: uuid,
    replicas: ids,
    isr: ids,
    removingReplicas: ids,
    addingReplicas: ids,
    leader: int(32),
    leaderRecoveryState: int(8),
    leaderEpoch: int(32),
    partitionEpoch: int(32),
    ...(version >= 1 && { directories: uuids }),
    ...(version >= 2 && { eligibleLeaderReplicas: fc.option(ids), lastKnownElr: fc.option(ids) }),
  }),
  ConfigRecord: () => ({
    resourceType: int(8),
    resourceName: text,
    name: text,
    value: fc.option(text),
  }),
  PartitionChangeRecord: (version) => ({
    partitionId: int(32),
    topicId: uuid,
    isr: fc.option(ids),
    leader: int(32),
    replicas: fc.option(ids),
    removingReplicas: fc.option(ids),
    addingReplicas: fc.option(ids),
    leaderRecoveryState: int(8),
    ...(version >= 1 && { directories: fc.option(uuids) }),
    ...(version >= 2 && { eligibleLeaderReplicas: fc.option(ids), lastKnownElr: fc.option(ids) }),
  }),
  FenceBrokerRecord: () => ({ id: int(32), epoch }),
  UnfenceBrokerRecord: () => ({ id: int(32), epoch }),
  RemoveTopicRecord: () => ({ topicId: uuid }),
  DelegationTokenRecord: () => ({
    owner: text,
    requester: text,
    renewers: fc.array(text, { maxLength: 3 }),
    issueTimestamp: exact,
    maxTimestamp: exact,
    expirationTimestamp: exact,
    tokenId: text,
  }),
  UserScramCredentialRecord: () => ({
    name: text,
    mechanism: int(8),
    salt: blob,
    storedKey: blob,
    serverKey: blob,
    iterations: int(32),
  }),
  FeatureLevelRecord: () => ({ name: text, featureLevel: int(16) }),
  ClientQuotaRecord: () => ({
    entity: fc.array(fc.record({ entityType: text, entityName: fc.option(text) }), {
      maxLength: 3,
    }),
    key: text,
    value: fc.double({ noNaN: true }),
    remove: fc.boolean(),
  }),
  ProducerIdsRecord: () => ({ brokerId: int(32), brokerEpoch: epoch, nextProducerId: exact }),
  BrokerRegistrationChangeRecord: (version) => ({
    brokerId: int(32),
    brokerEpoch: epoch,
    fenced: fc.integer({ min: -1, max: 1 }),
    ...(version >= 1 && { inControlledShutdown: fc.integer({ min: 0, max: 1 }) }),
    ...(version >= 2 && { logDirs: uuids }),
    ...(version >= 3 && { cordonedLogDirs: fc.option(uuids) }),
  }),
  AccessControlEntryRecord: () => ({
    id: uuid,
    resourceType: int(8),
    resourceName: text,
    patternType: int(8),
    principal: text,
    host: text,
    operation: int(8),
    permissionType: int(8),
  }),
  RemoveAccessControlEntryRecord: () => ({ id: uuid }),
  NoOpRecord: () => ({}),
  ZkMigrationStateRecord: () => ({ zkMigrationState: int(8) }),
  RemoveUserScramCredentialRecord: () => ({ name: text, mechanism: int(8) }),
  BeginTransactionRecord: () => ({ name: fc.option(text) }),
  EndTransactionRecord: () => ({}),
  AbortTransactionRecord: () => ({ reason: fc.option(text) }),
  RemoveDelegationTokenRecord: () => ({ tokenId: text }),
  RegisterControllerRecord: () => ({
    controllerId: int(32),
    incarnationId: uuid,
    zkMigrationReady: fc.boolean(),
    endPoints,
    features,
  }),
  ClearElrRecord: () => ({ topicName: text }),
}

/** Every type and version there is. */
export const TYPES_AND_VERSIONS = Object.entries(METADATA_RECORDS).flatMap(([name, schema]) => {
  const [oldest, latest] = schema.versions
  return Array.from({ length: latest - oldest + 1 }, (_, at) => ({
    type: name as MetadataRecordName,
    version: oldest + at,
  }))
})

/** Records of one type and version. */
export function arbitraryRecord(
  type: MetadataRecordName,
  version: number,
): fc.Arbitrary<NewMetadataRecord> {
  const data = fc.record(MODELS[type](version))
  return data.map((value) => ({ type, version, data: value }) as NewMetadataRecord)
}
