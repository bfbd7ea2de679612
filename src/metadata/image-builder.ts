// Applies metadata records to an image and gives the next one.
import { KafkaError } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { RegisterBrokerRecord } from '../protocol/records/00-register-broker.ts'
import type { TopicRecord } from '../protocol/records/02-topic.ts'
import type { PartitionRecord } from '../protocol/records/03-partition.ts'
import type { ConfigRecord } from '../protocol/records/04-config.ts'
import type { PartitionChangeRecord } from '../protocol/records/05-partition-change.ts'
import type { UserScramCredentialRecord } from '../protocol/records/11-user-scram-credential.ts'
import type { FeatureLevelRecord } from '../protocol/records/12-feature-level.ts'
import type { ClientQuotaRecord } from '../protocol/records/14-client-quota.ts'
import type { BrokerRegistrationChangeRecord } from '../protocol/records/17-broker-registration-change.ts'
import type { MetadataRecord } from '../protocol/records/metadata-record.ts'
import type { ChangedKeys } from './delta.ts'
import { MIGRATING_DIRECTORY } from './directory-ids.ts'
import {
  CONFIG_RESOURCE,
  type ConfigResource,
  type ConfigResourceType,
  configKey,
  MetadataImage,
  type MetadataState,
  type PartitionImage,
  type QuorumImage,
  type TopicImage,
} from './image.ts'
import { collisionForm, mayCollide } from './topic-name.ts'

type Draft = { -readonly [K in keyof MetadataState]: MetadataState[K] }

const UNCHANGED_LEADER = -2
const UNCHANGED_RECOVERY_STATE = -1
const RESOURCE_TYPES: readonly number[] = Object.values(CONFIG_RESOURCE)

/**
 * An image in the making. Cheap: what no record touches is shared with `base`, and a topic's partitions are copied once
 * however many of them change. A record that contradicts the image (a change of an unknown partition, say) throws
 * CORRUPT_MESSAGE; the builder is useless then.
 */
export class ImageBuilder {
  readonly #draft: Draft
  /** Topics whose partitions this builder owns and may change in place. */
  readonly #owned = new Map<Uuid, Map<number, PartitionImage>>()
  readonly #changedTopics = new Set<Uuid>()
  readonly #changedConfigs = new Map<string, ConfigResource>()

  constructor(base: MetadataImage) {
    this.#draft = { ...base.state }
  }

  /** What has changed so far. */
  get changed(): ChangedKeys {
    return { topics: [...this.#changedTopics], configs: [...this.#changedConfigs.values()] }
  }

  /** The image as of `offset`. The builder can go on from there. */
  build(position: { readonly offset: number; readonly epoch: number }): MetadataImage {
    for (const [id, partitions] of this.#owned) {
      const topic = this.#draft.topics.get(id)
      if (topic !== undefined) this.#putTopic({ ...topic, partitions: inOrder(topic, partitions) })
    }
    this.#owned.clear()
    return new MetadataImage({ ...this.#draft, ...position })
  }

  /** Notes what a control record said about the quorum. */
  setQuorum(change: Partial<QuorumImage>): void {
    this.#draft.quorum = { ...this.#draft.quorum, ...change }
  }

  /** Applies one record. Those that bracket transactions are the replay's business and change nothing here. */
  apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#putBroker(record.data)
        return
      case 'UnregisterBrokerRecord':
        this.#unregisterBroker(record.data.brokerId, record.data.brokerEpoch)
        return
      case 'BrokerRegistrationChangeRecord':
        this.#changeBroker(record.data)
        return
      case 'FenceBrokerRecord':
        this.#putBroker({ ...this.#broker(record.data.id, record.data.epoch), fenced: true })
        return
      case 'UnfenceBrokerRecord':
        this.#putBroker({
          ...this.#broker(record.data.id, record.data.epoch),
          fenced: false,
        })
        return
      case 'RegisterControllerRecord':
        this.#draft.controllers = new Map(this.#draft.controllers).set(
          record.data.controllerId,
          record.data,
        )
        return
      case 'TopicRecord':
        this.#createTopic(record.data)
        return
      case 'RemoveTopicRecord':
        this.#removeTopic(record.data.topicId)
        return
      case 'PartitionRecord':
        this.#putPartition(record.data)
        return
      case 'PartitionChangeRecord':
        this.#changePartition(record.data)
        return
      case 'ClearElrRecord':
        this.#clearElr(record.data.topicName)
        return
      case 'ConfigRecord':
        this.#changeConfig(record.data)
        return
      default:
        this.#applyOther(record)
        return
    }
  }

  #applyOther(record: MetadataRecord): void {
    const draft = this.#draft
    switch (record.type) {
      case 'FeatureLevelRecord':
        this.#changeFeature(record.data)
        return
      case 'ProducerIdsRecord':
        draft.producerIds = record.data
        return
      case 'ClientQuotaRecord':
        this.#changeQuota(record.data)
        return
      case 'AccessControlEntryRecord':
        draft.acls = draft.acls.with(record.data.id, record.data)
        return
      case 'RemoveAccessControlEntryRecord':
        draft.acls = draft.acls.without(record.data.id)
        return
      case 'UserScramCredentialRecord':
        draft.scramCredentials = draft.scramCredentials.with(
          scramKey(record.data),
          ownCopy(record.data),
        )
        return
      case 'RemoveUserScramCredentialRecord':
        draft.scramCredentials = draft.scramCredentials.without(scramKey(record.data))
        return
      case 'DelegationTokenRecord':
        draft.delegationTokens = draft.delegationTokens.with(record.data.tokenId, record.data)
        return
      case 'RemoveDelegationTokenRecord':
        draft.delegationTokens = draft.delegationTokens.without(record.data.tokenId)
        return
      case 'ZkMigrationStateRecord':
        draft.zkMigrationState = record.data.zkMigrationState
        return
      default:
        return
    }
  }

  #putBroker(broker: RegisterBrokerRecord): void {
    this.#draft.brokers = new Map(this.#draft.brokers).set(broker.brokerId, broker)
  }

  #broker(id: number, epoch: number): RegisterBrokerRecord {
    const broker = this.#draft.brokers.get(id)
    if (broker?.brokerEpoch === epoch) return broker
    throw contradiction(`Broker ${id} is not registered with epoch ${epoch}`)
  }

  #unregisterBroker(id: number, epoch: number): void {
    this.#broker(id, epoch)
    const brokers = new Map(this.#draft.brokers)
    brokers.delete(id)
    this.#draft.brokers = brokers
  }

  #changeBroker(change: BrokerRegistrationChangeRecord): void {
    const broker = this.#broker(change.brokerId, change.brokerEpoch)
    this.#putBroker({
      ...broker,
      fenced: change.fenced === 0 ? broker.fenced : change.fenced > 0,
      inControlledShutdown: change.inControlledShutdown > 0 || broker.inControlledShutdown,
      logDirs: change.logDirs.length > 0 ? change.logDirs : broker.logDirs,
      cordonedLogDirs: change.cordonedLogDirs ?? broker.cordonedLogDirs,
    })
  }

  #createTopic({ name, topicId }: TopicRecord): void {
    const known = this.#draft.topicNames.get(name)
    if (known !== undefined) throw contradiction(`Topic ${name} exists with the id ${known}`)
    this.#draft.topicNames = this.#draft.topicNames.with(name, topicId)
    if (mayCollide(name)) {
      this.#draft.collisionForms = this.#draft.collisionForms.with(collisionForm(name), name)
    }
    this.#putTopic({ name, id: topicId, partitions: [] })
    this.#changedTopics.add(topicId)
  }

  #putTopic(topic: TopicImage): void {
    this.#draft.topics = this.#draft.topics.with(topic.id, topic)
  }

  #removeTopic(id: Uuid): void {
    const topic = this.#topic(id)
    this.#draft.topics = this.#draft.topics.without(id)
    this.#draft.topicNames = this.#draft.topicNames.without(topic.name)
    this.#draft.collisionForms = this.#draft.collisionForms.without(collisionForm(topic.name))
    const resource: ConfigResource = { type: CONFIG_RESOURCE.TOPIC, name: topic.name }
    this.#draft.configs = this.#draft.configs.without(configKey(resource))
    this.#changedConfigs.delete(configKey(resource))
    this.#owned.delete(id)
    this.#changedTopics.add(id)
  }

  #topic(id: Uuid): TopicImage {
    const topic = this.#draft.topics.get(id)
    if (topic === undefined) throw contradiction(`Topic ${id} does not exist`)
    return topic
  }

  /** The partitions of a topic, to change in place. */
  #partitions(id: Uuid): Map<number, PartitionImage> {
    const owned = this.#owned.get(id)
    if (owned !== undefined) return owned
    const partitions = new Map(this.#topic(id).partitions.entries())
    this.#owned.set(id, partitions)
    this.#changedTopics.add(id)
    return partitions
  }

  #putPartition(record: PartitionRecord): void {
    const partitions = this.#partitions(record.topicId)
    const { partitionId, replicas, directories } = record
    partitions.set(partitionId, {
      partition: partitionId,
      replicas,
      directories: directories.length > 0 ? directories : replicas.map(() => MIGRATING_DIRECTORY),
      isr: record.isr,
      elr: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
      removingReplicas: record.removingReplicas,
      addingReplicas: record.addingReplicas,
      leader: record.leader,
      leaderRecoveryState: record.leaderRecoveryState,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
    })
  }

  #changePartition(change: PartitionChangeRecord): void {
    const partitions = this.#partitions(change.topicId)
    const partition = partitions.get(change.partitionId)
    if (partition === undefined) {
      throw contradiction(`Topic ${change.topicId} has no partition ${change.partitionId}`)
    }
    const isLeaderNamed = change.leader !== UNCHANGED_LEADER
    const isStateNamed = change.leaderRecoveryState !== UNCHANGED_RECOVERY_STATE
    partitions.set(change.partitionId, {
      partition: partition.partition,
      replicas: change.replicas ?? partition.replicas,
      directories: change.directories ?? partition.directories,
      isr: change.isr ?? partition.isr,
      elr: change.eligibleLeaderReplicas ?? partition.elr,
      lastKnownElr: change.lastKnownElr ?? partition.lastKnownElr,
      removingReplicas: change.removingReplicas ?? partition.removingReplicas,
      addingReplicas: change.addingReplicas ?? partition.addingReplicas,
      leader: isLeaderNamed ? change.leader : partition.leader,
      leaderRecoveryState: isStateNamed
        ? change.leaderRecoveryState
        : partition.leaderRecoveryState,
      leaderEpoch: isLeaderNamed ? partition.leaderEpoch + 1 : partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch + 1,
    })
  }

  #clearElr(topicName: string): void {
    if (topicName === '') {
      for (const id of this.#draft.topics.keys()) this.#clearElrOf(id)
      return
    }
    const id = this.#draft.topicNames.get(topicName)
    if (id === undefined) throw contradiction(`Topic ${topicName} does not exist`)
    this.#clearElrOf(id)
  }

  #clearElrOf(id: Uuid): void {
    const hasElr = ({ elr, lastKnownElr }: PartitionImage) => elr.length + lastKnownElr.length > 0
    const current = this.#owned.get(id)?.values() ?? this.#topic(id).partitions
    const affected = [...current].filter(hasElr)
    if (affected.length === 0) return
    const partitions = this.#partitions(id)
    for (const partition of affected) {
      const partitionEpoch = partition.partitionEpoch + 1
      partitions.set(partition.partition, {
        ...partition,
        elr: [],
        lastKnownElr: [],
        partitionEpoch,
      })
    }
  }

  #changeConfig({ resourceType, resourceName, name, value }: ConfigRecord): void {
    if (!RESOURCE_TYPES.includes(resourceType)) {
      throw contradiction(`Config ${name} belongs to a resource of unknown type ${resourceType}`)
    }
    const resource = { type: resourceType as ConfigResourceType, name: resourceName }
    const key = configKey(resource)
    const configs = new Map(this.#draft.configs.get(key)?.configs)
    if (value === null) configs.delete(name)
    else configs.set(name, value)
    this.#draft.configs =
      configs.size > 0
        ? this.#draft.configs.with(key, { resource, configs })
        : this.#draft.configs.without(key)
    this.#changedConfigs.set(key, resource)
  }

  #changeFeature({ name, featureLevel }: FeatureLevelRecord): void {
    const features = new Map(this.#draft.features)
    if (featureLevel === 0) features.delete(name)
    else features.set(name, featureLevel)
    this.#draft.features = features
  }

  #changeQuota({ entity, key, value, remove }: ClientQuotaRecord): void {
    const names = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]))
    const id = JSON.stringify([...names].sort(([left], [right]) => (left < right ? -1 : 1)))
    const quotas = new Map(this.#draft.clientQuotas.get(id)?.quotas)
    if (remove) quotas.delete(key)
    else quotas.set(key, value)
    this.#draft.clientQuotas =
      quotas.size > 0
        ? this.#draft.clientQuotas.with(id, { entity: names, quotas })
        : this.#draft.clientQuotas.without(id)
  }
}

/** The partitions as an array; a hole would be a partition that no record described. */
function inOrder(
  topic: TopicImage,
  partitions: ReadonlyMap<number, PartitionImage>,
): readonly PartitionImage[] {
  return Array.from({ length: partitions.size }, (_, at) => {
    const partition = partitions.get(at)
    if (partition === undefined) throw contradiction(`Topic ${topic.name} has no partition ${at}`)
    return partition
  })
}

function scramKey({ mechanism, name }: { readonly mechanism: number; readonly name: string }) {
  return `${mechanism}:${name}`
}

/** Decoded bytes are views on the log's buffer; an image outlives it. */
function ownCopy(record: UserScramCredentialRecord): UserScramCredentialRecord {
  return {
    ...record,
    salt: record.salt.slice(),
    storedKey: record.storedKey.slice(),
    serverKey: record.serverKey.slice(),
  }
}

function contradiction(message: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', message)
}
