// The metadata of the cluster at one offset of the metadata log: immutable, cheap to change by copy.
// Everything reads an image; only the records of the log make a new one (`image-builder.ts`).
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { RegisterBrokerRecord } from '../protocol/records/00-register-broker.ts'
import type { DelegationTokenRecord } from '../protocol/records/10-delegation-token.ts'
import type { UserScramCredentialRecord } from '../protocol/records/11-user-scram-credential.ts'
import type { ProducerIdsRecord } from '../protocol/records/15-producer-ids.ts'
import type { AccessControlEntryRecord } from '../protocol/records/18-access-control-entry.ts'
import type { RegisterControllerRecord } from '../protocol/records/27-register-controller.ts'
import type { VotersRecord } from '../protocol/records/control-records.ts'
import { PersistentMap } from './persistent-map.ts'

/** "No leader": the partition cannot be written or read. */
export const NO_LEADER = -1

/** One partition as the controller decided it. */
export interface PartitionImage {
  readonly partition: number
  /** Broker ids in preferred order. */
  readonly replicas: readonly number[]
  /** The log directory of each replica, in the order of `replicas`. Reserved ids: see `directory-ids.ts`. */
  readonly directories: readonly Uuid[]
  readonly isr: readonly number[]
  /** Eligible leader replicas (KIP-966): out of the ISR, but known to hold everything committed. */
  readonly elr: readonly number[]
  readonly lastKnownElr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** Broker id, or NO_LEADER. */
  readonly leader: number
  /** 1 while the leader of an unclean election still recovers, else 0. */
  readonly leaderRecoveryState: number
  /** Grows with every change of leader. */
  readonly leaderEpoch: number
  /** Grows with every change. */
  readonly partitionEpoch: number
}

/** One topic. `partitions[n]` is partition n. */
export interface TopicImage {
  readonly name: string
  readonly id: Uuid
  readonly partitions: readonly PartitionImage[]
}

/** A registered broker; the fields are those of its registration, brought up to date by later changes. */
export type BrokerImage = RegisterBrokerRecord

/** What a config belongs to, as Kafka numbers it (`ConfigResource.Type`). */
export const CONFIG_RESOURCE = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/** One of CONFIG_RESOURCE's numbers. */
export type ConfigResourceType = (typeof CONFIG_RESOURCE)[keyof typeof CONFIG_RESOURCE]

/** A resource that has configs. For brokers the name is the node id, or empty for the default of all brokers. */
export interface ConfigResource {
  readonly type: ConfigResourceType
  readonly name: string
}

/** The configs that were set on one resource, by name. What is not set is not in it. */
export interface ConfigImage {
  readonly resource: ConfigResource
  readonly configs: ReadonlyMap<string, string>
}

/** The quotas of one client entity, by quota key. `entity` maps a type to a name, null for that type's default. */
export interface ClientQuotaImage {
  readonly entity: ReadonlyMap<string, string | null>
  readonly quotas: ReadonlyMap<string, number>
}

/** What the control records of the log say about the quorum. */
export interface QuorumImage {
  /** The leader of the last epoch; NO_LEADER before the first. */
  readonly leaderId: number
  readonly kRaftVersion: number
  /** Undefined when the voters stand in the configuration (kraft.version 0). */
  readonly voters: VotersRecord['voters'] | undefined
}

/** Everything that an image holds. */
export interface MetadataState {
  /** The last record applied; −1 when there is none. */
  readonly offset: number
  /** The epoch of that record; −1 when there is none. */
  readonly epoch: number
  readonly topics: PersistentMap<TopicImage>
  readonly topicNames: PersistentMap<Uuid>
  /** The topic that has a collision form (`topic-name.ts`), for names that can collide. */
  readonly collisionForms: PersistentMap<string>
  readonly configs: PersistentMap<ConfigImage>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, RegisterControllerRecord>
  /** Finalised levels by feature name, `metadata.version` among them. */
  readonly features: ReadonlyMap<string, number>
  /** The last block of producer ids that was given away. */
  readonly producerIds: ProducerIdsRecord | undefined
  readonly clientQuotas: PersistentMap<ClientQuotaImage>
  readonly acls: PersistentMap<AccessControlEntryRecord>
  /** By mechanism and user. */
  readonly scramCredentials: PersistentMap<UserScramCredentialRecord>
  readonly delegationTokens: PersistentMap<DelegationTokenRecord>
  /** Meaningless since Kafka 4.0, kept for the way back. */
  readonly zkMigrationState: number
  readonly quorum: QuorumImage
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/** The metadata of the cluster at `offset`. Never changes; a newer one is another image. */
export class MetadataImage {
  readonly state: MetadataState

  constructor(state: MetadataState) {
    this.state = state
  }

  /** The last record applied; −1 when there is none. */
  get offset(): number {
    return this.state.offset
  }

  get epoch(): number {
    return this.state.epoch
  }

  get topicCount(): number {
    return this.state.topics.size
  }

  get brokers(): ReadonlyMap<number, BrokerImage> {
    return this.state.brokers
  }

  get features(): ReadonlyMap<string, number> {
    return this.state.features
  }

  /** The first producer id that was not given away yet. */
  get nextProducerId(): Int64 {
    return this.state.producerIds?.nextProducerId ?? 0
  }

  /** All topics, in no order that means anything. */
  topics(): Iterable<TopicImage> {
    return this.state.topics.values()
  }

  topic(name: string): TopicImage | undefined {
    const id = this.state.topicNames.get(name)
    return id === undefined ? undefined : this.state.topics.get(id)
  }

  topicById(id: Uuid): TopicImage | undefined {
    return this.state.topics.get(id)
  }

  partition({ topic, partition }: TopicPartition): PartitionImage | undefined {
    return this.topic(topic)?.partitions[partition]
  }

  /** What was set on the resource itself; defaults and synonyms are the config room's. */
  configs(resource: ConfigResource): ReadonlyMap<string, string> {
    return this.state.configs.get(configKey(resource))?.configs ?? NO_CONFIGS
  }
}

/** Before the first record. */
export const EMPTY_IMAGE = new MetadataImage({
  offset: -1,
  epoch: -1,
  topics: PersistentMap.empty(),
  topicNames: PersistentMap.empty(),
  collisionForms: PersistentMap.empty(),
  configs: PersistentMap.empty(),
  brokers: new Map(),
  controllers: new Map(),
  features: new Map(),
  producerIds: undefined,
  clientQuotas: PersistentMap.empty(),
  acls: PersistentMap.empty(),
  scramCredentials: PersistentMap.empty(),
  delegationTokens: PersistentMap.empty(),
  zkMigrationState: 0,
  quorum: { leaderId: NO_LEADER, kRaftVersion: 0, voters: undefined },
})

/** The key of a resource in `MetadataState.configs`. */
export function configKey({
  type,
  name,
}: {
  readonly type: number
  readonly name: string
}): string {
  return `${type}:${name}`
}
