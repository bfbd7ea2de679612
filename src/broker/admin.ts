// What admin tools ask of a broker beyond records: topics, configs, the cluster, log directories. Part of the one face.
import type { KafkaError, KafkaErrorName } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Session } from '../access/session.ts'
import type { ConfigEntry } from '../config/config-entry.ts'

/** Everything for admins, by what it is about. */
export interface Admin {
  readonly topics: TopicAdmin
  readonly configs: ConfigAdmin
  readonly cluster: ClusterAdmin
  readonly logDirs: LogDirAdmin
}

/** Where a partition is, and whether it can be reached. */
export interface PartitionState {
  readonly partition: number
  /** LEADER_NOT_AVAILABLE where nobody leads; `leader` is -1 then. */
  readonly error: KafkaErrorName | undefined
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
  /** Those of `replicas` whose broker is down or whose log directory is offline. */
  readonly offlineReplicas: readonly number[]
}

/** A topic that was asked for; without partitions when it was refused. */
export interface TopicState {
  /** Null for an id that nobody has. */
  readonly name: string | null
  readonly topicId: Uuid
  readonly error: KafkaErrorName | undefined
  readonly isInternal: boolean
  readonly partitions: readonly PartitionState[]
}

/** Which topics: all, or by name, or by id. */
export type TopicChoice =
  | 'all'
  | {
      readonly names: readonly string[]
      /** Whether those that don't exist are created, where `auto.create.topics.enable` allows. */
      readonly mayCreate: boolean
    }
  | { readonly ids: readonly Uuid[] }

/** A page of topics that begins at partition `partition` of topic `topic`. */
export interface TopicPlace {
  readonly topic: string
  readonly partition: number
}

/** A topic to create; -1 stands for the broker's default. */
export interface TopicToCreate {
  readonly name: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** Brokers by partition; none leaves the choice to the broker. */
  readonly assignments: readonly {
    readonly partition: number
    readonly replicas: readonly number[]
  }[]
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** What became of a topic to create. The rest counts only without an error. */
export interface CreatedTopic {
  readonly name: string
  readonly error: KafkaError | undefined
  /** All zeros when it was only validated. */
  readonly topicId: Uuid
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: readonly ConfigEntry[]
}

/** A topic to delete, by exactly one of both. */
export interface TopicToDelete {
  readonly name: string | null
  /** All zeros when it is named. */
  readonly topicId: Uuid
}

/** What became of it: name and id as far as they are known. */
export interface DeletedTopic extends TopicToDelete {
  readonly error: KafkaError | undefined
}

/** A topic that shall have `count` partitions. */
export interface TopicToGrow {
  readonly name: string
  readonly count: number
  /** Brokers of each new partition; null leaves the choice to the broker. */
  readonly assignments: readonly (readonly number[])[] | null
}

/** How long a change may take, and whether it is only tried. REQUEST_TIMED_OUT says nothing of what becomes of it. */
export interface ChangeOptions {
  readonly timeoutMs: number
  readonly validateOnly?: boolean
}

/** What became of one topic. */
export interface NamedResult {
  readonly name: string
  readonly error: KafkaError | undefined
}

/** One partition in a request. */
export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

/** What became of one partition. */
export interface PartitionOutcome extends PartitionName {
  readonly error: KafkaError | undefined
}

/** Topics and their partitions. */
export interface TopicAdmin {
  /** In the order of the names or ids, each once; all sorted by name. */
  describe(session: Session, choice: TopicChoice): Promise<readonly TopicState[]>
  /**
   * Up to `limit` partitions, topics sorted by name, from `start` on; `next` is where the following page begins. No
   * names: all topics. Throws INVALID_REQUEST for a start that is not among them.
   */
  describePage(
    session: Session,
    page: {
      readonly names: readonly string[]
      readonly start: TopicPlace | null
      readonly limit: number
    },
  ): { readonly topics: readonly TopicState[]; readonly next: TopicPlace | null }
  /** What the caller may do with topics, a bit per operation as Kafka numbers them. */
  authorizedOperations(session: Session, topic: string): number
  /** A result for each name. Rejects with REQUEST_TIMED_OUT, POLICY_VIOLATION when the whole request is refused. */
  create(
    session: Session,
    topics: readonly TopicToCreate[],
    options: ChangeOptions,
  ): Promise<readonly CreatedTopic[]>
  /** A result for each name or id. Rejects with REQUEST_TIMED_OUT, TOPIC_DELETION_DISABLED. */
  delete(
    session: Session,
    topics: readonly TopicToDelete[],
    options: ChangeOptions,
  ): Promise<readonly DeletedTopic[]>
  /** A result for each name. Rejects with REQUEST_TIMED_OUT. */
  grow(
    session: Session,
    topics: readonly TopicToGrow[],
    options: ChangeOptions,
  ): Promise<readonly NamedResult[]>
}

/** Something that has configs, by Kafka's number for its type (`ConfigResource.Type`). */
export interface NumberedResource {
  readonly type: number
  readonly name: string
}

/** One config as its resource has it; client metrics have no definitions here: their type is `UNKNOWN`. */
export type DescribedConfig = Omit<ConfigEntry, 'source' | 'type'> & {
  readonly source: ConfigEntry['source'] | 'CLIENT_METRICS_CONFIG'
  readonly type: string
}

/** A change of a resource's configs. */
export interface ResourceChange {
  readonly resource: NumberedResource
  readonly changes: readonly {
    readonly name: string
    /** `unknown` is refused. */
    readonly operation: 'set' | 'delete' | 'append' | 'subtract' | 'unknown'
    readonly value: string | null
  }[]
}

/** A resource's whole new set of configs. */
export interface ResourceConfigs {
  readonly resource: NumberedResource
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** Configs of every kind of resource. */
export interface ConfigAdmin {
  /** Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST. */
  describe(session: Session, resource: NumberedResource): readonly DescribedConfig[]
  /** A result for each resource, in order: all its changes or none. */
  change(
    session: Session,
    changes: readonly ResourceChange[],
    validateOnly: boolean,
  ): Promise<readonly (KafkaError | undefined)[]>
  /** A result for each resource, in order. */
  replace(
    session: Session,
    resources: readonly ResourceConfigs[],
    validateOnly: boolean,
  ): Promise<readonly (KafkaError | undefined)[]>
  /** Resources that have configs, of these types; none means of all. Throws UNSUPPORTED_VERSION for an unknown type. */
  resources(session: Session, types: readonly number[]): readonly NumberedResource[]
}

/** The quorum that holds the metadata log. */
export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumVoter[]
}

/** One voter. */
export interface QuorumVoter {
  readonly id: number
  readonly directoryId: Uuid
  readonly logEndOffset: number
  readonly lastCaughtUpMs: number
  readonly endpoints: readonly {
    readonly name: string
    readonly host: string
    readonly port: number
  }[]
}

/** A feature that shall be finalised at `level`. */
export interface FeatureChange {
  readonly feature: string
  readonly level: number
  readonly upgradeType: 'upgrade' | 'safeDowngrade' | 'unsafeDowngrade' | 'unknown'
}

/** Brokers, leaders and features. */
export interface ClusterAdmin {
  /** What the caller may do with the cluster, a bit per operation as Kafka numbers them. */
  authorizedOperations(session: Session): number
  /** No partitions given: all of them, and those that need no election are left out. Rejects with REQUEST_TIMED_OUT. */
  electLeaders(
    session: Session,
    request: {
      readonly electionType: 'preferred' | 'unclean'
      readonly partitions: readonly PartitionName[] | null
      readonly timeoutMs: number
    },
  ): Promise<readonly PartitionOutcome[]>
  /** `replicas` null takes a reassignment back. Rejects with REQUEST_TIMED_OUT. */
  reassign(
    session: Session,
    request: {
      readonly partitions: readonly (PartitionName & {
        readonly replicas: readonly number[] | null
      })[]
      readonly mayChangeReplicationFactor: boolean
      readonly timeoutMs: number
    },
  ): Promise<readonly PartitionOutcome[]>
  /** Those of these partitions that are being moved; null for all. */
  reassignments(
    session: Session,
    partitions: readonly PartitionName[] | null,
  ): readonly (PartitionName & {
    readonly replicas: readonly number[]
    readonly addingReplicas: readonly number[]
    readonly removingReplicas: readonly number[]
  })[]
  /** All of them or none. Rejects with INVALID_UPDATE_VERSION, REQUEST_TIMED_OUT. */
  updateFeatures(
    session: Session,
    updates: readonly FeatureChange[],
    options: ChangeOptions,
  ): Promise<void>
  quorum(session: Session): QuorumState
}

/** A log directory and the logs in it. */
export interface LogDirState {
  readonly path: string
  readonly isOffline: boolean
  /** Of its file system; -1 when it does not say. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly logs: readonly (PartitionName & { readonly sizeInBytes: number })[]
}

/** The log directories of this broker. */
export interface LogDirAdmin {
  describe(session: Session): readonly LogDirState[]
  /**
   * Asks for partitions to live in directories; a result for each, in order. Undefined where one does;
   * LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION, and OPERATION_NOT_ATTEMPTED for a move: nothing
   * here moves logs between directories.
   */
  place(
    session: Session,
    wanted: readonly (PartitionName & { readonly path: string })[],
  ): readonly (KafkaErrorName | undefined)[]
}
