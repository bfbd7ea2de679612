// An image as records: what a snapshot of it holds.
import type { NewMetadataRecord } from '../protocol/records/metadata-record.ts'
import type { MetadataImage, PartitionImage, TopicImage } from './image.ts'
import { recordVersions } from './record-versions.ts'

/** The records that make this image out of nothing, in Kafka's order; control records are the snapshot writer's. */
export function* imageRecords(image: MetadataImage): Generator<NewMetadataRecord> {
  const { state } = image
  const versions = recordVersions(image)
  for (const [name, featureLevel] of metadataVersionFirst(state.features)) {
    yield { type: 'FeatureLevelRecord', version: 0, data: { name, featureLevel } }
  }
  for (const data of state.brokers.values()) {
    yield { type: 'RegisterBrokerRecord', version: versions.registerBroker, data }
  }
  for (const data of state.controllers.values()) {
    yield { type: 'RegisterControllerRecord', version: 0, data }
  }
  for (const topic of image.topics()) yield* topicRecords(topic, versions.partition)
  for (const { resource, configs } of state.configs.values()) {
    for (const [name, value] of configs) {
      const data = { resourceType: resource.type, resourceName: resource.name, name, value }
      yield { type: 'ConfigRecord', version: 0, data }
    }
  }
  yield* quotaRecords(image)
  if (state.producerIds !== undefined) {
    yield { type: 'ProducerIdsRecord', version: 0, data: state.producerIds }
  }
  for (const data of state.acls.values())
    yield { type: 'AccessControlEntryRecord', version: 0, data }
  for (const data of state.scramCredentials.values()) {
    yield { type: 'UserScramCredentialRecord', version: 0, data }
  }
  for (const data of state.delegationTokens.values()) {
    yield { type: 'DelegationTokenRecord', version: 0, data }
  }
  if (state.zkMigrationState !== 0) {
    const data = { zkMigrationState: state.zkMigrationState }
    yield { type: 'ZkMigrationStateRecord', version: 0, data }
  }
}

/** The level of metadata.version says how to read the rest. */
function metadataVersionFirst(features: ReadonlyMap<string, number>): [string, number][] {
  const rank = (name: string) => (name === 'metadata.version' ? 0 : 1)
  return [...features].sort(([left], [right]) => rank(left) - rank(right))
}

function* topicRecords(topic: TopicImage, version: number): Generator<NewMetadataRecord> {
  yield { type: 'TopicRecord', version: 0, data: { name: topic.name, topicId: topic.id } }
  for (const partition of topic.partitions) yield partitionRecord(topic.id, partition, version)
}

/** The record of a partition as it stands. What `version` cannot hold is left out. */
export function partitionRecord(
  topicId: string,
  partition: PartitionImage,
  version: number,
): NewMetadataRecord {
  const { partition: partitionId, directories, elr, lastKnownElr, ...rest } = partition
  const data = {
    ...rest,
    partitionId,
    topicId,
    ...(version >= 1 && { directories }),
    // Null when empty, as Kafka writes it.
    ...(version >= 2 && elr.length > 0 && { eligibleLeaderReplicas: elr }),
    ...(version >= 2 && lastKnownElr.length > 0 && { lastKnownElr }),
  }
  return { type: 'PartitionRecord', version, data }
}

function* quotaRecords(image: MetadataImage): Generator<NewMetadataRecord> {
  for (const { entity, quotas } of image.state.clientQuotas.values()) {
    const names = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
    for (const [key, value] of quotas) {
      const data = { entity: names, key, value, remove: false }
      yield { type: 'ClientQuotaRecord', version: 0, data }
    }
  }
}
