// Who decides about metadata, as the broker sees it: an image, its deltas, and operations that may change it.
import type { KafkaError } from '#storage/base/errors.ts'
import type { TopicPartition } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { MetadataDelta } from './delta.ts'
import type { ConfigResource, MetadataImage } from './image.ts'

/** The source of metadata: local (this process decides) or, in a cluster, the controller quorum. */
export interface MetadataProvider {
  /** Committed metadata: what clients may see. */
  readonly image: MetadataImage
  /** Calls `listener` after each commit, in order, before the operation is answered. Returns how to stop it. */
  onDelta(listener: (delta: MetadataDelta) => void): () => void
  /**
   * Asks for a change and resolves once it is committed and `image` shows it. Refusals of single topics or resources are
   * in the result; the promise rejects when the whole operation failed.
   */
  submit<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf<K>>
}

/** A topic to create. */
export interface NewTopic {
  readonly name: string
  /** −1, or left out, for the broker's `num.partitions`. Must be left out with `assignments`. */
  readonly partitionCount?: number
  /** −1, or left out, for the broker's `default.replication.factor`. Must be left out with `assignments`. */
  readonly replicationFactor?: number
  /** Broker ids per partition, in order of the partitions. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: ReadonlyMap<string, string>
}

/** What became of one topic. `error` is undefined when it went well; then the rest is set. */
export interface TopicResult {
  readonly name: string
  readonly error: KafkaError | undefined
  /** The topic's id; undefined when the topic was refused or only validated. */
  readonly topicId: Uuid | undefined
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** What became of one topic that was to be deleted. */
export interface DeletedTopic {
  /** Undefined when the id is unknown. */
  readonly name: string | undefined
  readonly topicId: Uuid | undefined
  readonly error: KafkaError | undefined
}

/** A topic that shall have `count` partitions, which must be more than it has. */
export interface MorePartitions {
  readonly name: string
  readonly count: number
  /** Broker ids per *new* partition. */
  readonly assignments?: readonly (readonly number[])[]
}

/** What became of one topic that was to grow. */
export interface GrownTopic {
  readonly name: string
  readonly error: KafkaError | undefined
}

/** One step of IncrementalAlterConfigs. `append` and `subtract` work on lists; `delete` needs no value. */
export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value: string | null
}

/** What became of one resource. */
export interface ConfigResult {
  readonly resource: ConfigResource
  readonly error: KafkaError | undefined
}

/** A partition's new leader epoch. */
export interface BumpedPartition extends TopicPartition {
  readonly leaderEpoch: number
}

/** A partition that shall be on these brokers; null takes a reassignment under way back. */
export interface Reassignment extends TopicPartition {
  readonly replicas: readonly number[] | null
}

/** What became of one partition. */
export interface PartitionResult extends TopicPartition {
  readonly error: KafkaError | undefined
}

/** A feature that shall be finalised at `level`; 0 for not at all. */
export interface FeatureUpdate {
  readonly feature: string
  readonly level: number
  readonly upgradeType: 'upgrade' | 'safeDowngrade' | 'unsafeDowngrade' | 'unknown'
}

/** Producer ids `first` to `first + count - 1`, given to this broker alone. */
export interface ProducerIdBlock {
  readonly first: Int64
  readonly count: number
}

/** Every operation: what it takes and what it gives. */
export interface Operations {
  createTopics: {
    readonly request: { readonly topics: readonly NewTopic[]; readonly validateOnly?: boolean }
    readonly result: readonly TopicResult[]
  }
  deleteTopics: {
    readonly request: {
      readonly topics: readonly ({ readonly name: string } | { readonly topicId: Uuid })[]
    }
    readonly result: readonly DeletedTopic[]
  }
  createPartitions: {
    readonly request: {
      readonly topics: readonly MorePartitions[]
      readonly validateOnly?: boolean
    }
    readonly result: readonly GrownTopic[]
  }
  /** Changes single configs and leaves the others (KIP-339). */
  incrementalAlterConfigs: {
    readonly request: {
      readonly resources: readonly {
        readonly resource: ConfigResource
        readonly changes: readonly ConfigChange[]
      }[]
      readonly validateOnly?: boolean
    }
    readonly result: readonly ConfigResult[]
  }
  /** Replaces all configs of the resources. */
  alterConfigs: {
    readonly request: {
      readonly resources: readonly {
        readonly resource: ConfigResource
        readonly configs: ReadonlyMap<string, string>
      }[]
      readonly validateOnly?: boolean
    }
    readonly result: readonly ConfigResult[]
  }
  /** Raises the leader epoch of partitions that this node leads: after an unclean stop (RULES 5). */
  bumpLeaderEpochs: {
    readonly request: { readonly partitions: readonly TopicPartition[] }
    readonly result: readonly BumpedPartition[]
  }
  electLeaders: {
    readonly request: {
      readonly electionType: 'preferred' | 'unclean'
      readonly partitions: readonly TopicPartition[]
    }
    readonly result: readonly PartitionResult[]
  }
  reassignPartitions: {
    readonly request: {
      readonly partitions: readonly Reassignment[]
      readonly mayChangeReplicationFactor: boolean
    }
    readonly result: readonly PartitionResult[]
  }
  /** All updates or, when one is refused, none: then the promise rejects with INVALID_UPDATE_VERSION. */
  updateFeatures: {
    readonly request: {
      readonly updates: readonly FeatureUpdate[]
      readonly validateOnly?: boolean
    }
    readonly result: undefined
  }
  allocateProducerIds: {
    readonly request: object
    readonly result: ProducerIdBlock
  }
}

/** The name of an operation. */
export type OperationKind = keyof Operations

/** An operation: its `kind` and what it takes. */
export type OperationOf<K extends OperationKind> = { readonly kind: K } & Operations[K]['request']

/** What an operation gives. */
export type ResultOf<K extends OperationKind> = Operations[K]['result']

/** What metadata must know about configs. The config room's schema fulfils it. */
export interface ConfigRules {
  /** Throws INVALID_CONFIG (or INVALID_REQUEST) unless the resource may have exactly these configs set. */
  validate(resource: ConfigResource, configs: ReadonlyMap<string, string>): void
  /** Whether the config is a list, which may be appended to and subtracted from. */
  isList(resource: ConfigResource, name: string): boolean
  /** The value in force where nothing is set; what `append` starts from. */
  defaultValue(resource: ConfigResource, name: string): string | undefined
}
