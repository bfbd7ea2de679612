// The one face that all doors call. Rights and quotas are checked here, then the call goes to the room that serves it.
import type { KafkaErrorName } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Session } from '../access/session.ts'
import type { ConfigEntry as Entry } from '../config/config-entry.ts'
import type { ConfigChange as Change } from '../metadata/provider.ts'
import type {
  RecoveryFinding as Finding,
  RecoveryReport as Report,
} from '../partitions/recovery-findings.ts'
import type { Admin } from './admin.ts'
import type { BatchOutcome, BatchProduceCall } from './batch-producing.ts'
import type { FeatureDescription } from './features.ts'
import type { FetchCall, Fetched } from './fetching.ts'
import type { Groups } from './groups.ts'
import type {
  ActiveProducer,
  EpochQuestion,
  FoundEpoch,
  FoundOffset,
  OffsetSearch,
} from './offsets.ts'
import type { RecordReading } from './reading.ts'

/** Findings of the last start. */
export type RecoveryReport = Report

/** What opening one log took. */
export type RecoveryFinding = Finding

/** A topic and its partitions, as the metadata image has them. */
export interface TopicDescription {
  readonly name: string
  readonly topicId: Uuid
  readonly isInternal: boolean
  readonly partitions: readonly PartitionDescription[]
}

/** One partition's place in the cluster. `leader` is -1 while there is none. */
export interface PartitionDescription {
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** A topic to create. Missing counts mean the broker's `num.partitions` and `default.replication.factor`. */
export interface NewTopic {
  readonly name: string
  readonly partitionCount?: number
  readonly replicationFactor?: number
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string | null>>
}

/** What a config belongs to. The broker with name `''` is the cluster-wide default. */
export interface ConfigResource {
  readonly type: 'topic' | 'broker'
  readonly name: string
}

/** One config of a resource. Sensitive values are null. */
export type ConfigEntry = Entry

/** One change of a config. `append` and `subtract` are for lists. */
export type ConfigChange = Change

/** 0: no answer is needed; 1: in the page cache; -1 ("all"): on disk, and in every in-sync replica. */
export type Acks = 0 | 1 | -1

/** One record to produce. A missing `partition` is chosen by key (murmur2, as Java does) or round robin. */
export interface ProducedRecord {
  readonly partition?: number | undefined
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** Milliseconds since the epoch; the broker's clock when missing. */
  readonly timestamp?: Int64 | undefined
}

/** What became of one produced record: its place, or why it was refused. */
export type ProducedResult =
  | { readonly partition: number; readonly offset: number; readonly timestamp: Int64 }
  | { readonly partition: number; readonly error: KafkaErrorName; readonly message: string }

/** One broker of the cluster and where it listens. */
export interface BrokerDescription {
  readonly id: number
  readonly rack: string | null
  readonly isFenced: boolean
  readonly endpoints: readonly {
    readonly name: string
    readonly host: string
    readonly port: number
  }[]
}

/** Plain counters that the broker keeps as it works; `/metrics` reads them when asked. */
export interface BrokerCounters {
  producedRecords: number
  producedBytes: number
  readRecords: number
  readBytes: number
  failedProduces: number
}

/** A gauge sampled at scrape time, with Prometheus' naming. */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * What a broker does, whoever asks. Every call takes the session of its caller; refusals are thrown as KafkaError.
 * Unknown names throw UNKNOWN_TOPIC_OR_PARTITION.
 */
export interface Broker extends RecordReading {
  readonly clusterId: Uuid
  readonly nodeId: number
  /** What admin tools ask for, in bulk and with a result for each item. */
  readonly admin: Admin
  /** Consumer groups and what they have committed. */
  readonly groups: Groups
  /** True from the end of start until stop begins. */
  isReady(): boolean

  /** Sorted by name; internal topics included. */
  listTopics(session: Session): readonly TopicDescription[]
  describeTopic(session: Session, topic: string): TopicDescription
  /** Throws TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG. */
  createTopic(
    session: Session,
    topic: NewTopic,
    options?: { validateOnly?: boolean },
  ): Promise<TopicDescription>
  deleteTopic(session: Session, topic: string): Promise<void>
  /** Grows a topic to `totalCount` partitions. Throws INVALID_PARTITIONS when that is not more than now. */
  createPartitions(session: Session, topic: string, totalCount: number): Promise<TopicDescription>
  describeConfigs(session: Session, resource: ConfigResource): readonly ConfigEntry[]
  /** All changes or none. Throws INVALID_CONFIG, INVALID_REQUEST. */
  alterConfigs(
    session: Session,
    resource: ConfigResource,
    changes: readonly ConfigChange[],
    options?: { validateOnly?: boolean },
  ): Promise<void>
  listBrokers(session: Session): readonly BrokerDescription[]
  /** What clients are told of features: the lower of finalised and implemented. */
  features(): FeatureDescription

  /** Throws UNKNOWN_TOPIC_OR_PARTITION when the topic is missing and may not be created automatically. */
  ensureTopic(session: Session, topic: string): Promise<TopicDescription>
  /**
   * Appends records, one batch per partition and call, and answers as `acks` asks. The result has one entry per record, in order;
   * with acks 0 offsets are -1. Bytes are copied before the first wait. Creates the topic where `auto.create.topics.enable` allows.
   */
  produceRecords(
    session: Session,
    topic: string,
    records: readonly ProducedRecord[],
    acks: Acks,
  ): Promise<readonly ProducedResult[]>

  /**
   * Appends record batches as they are, before it returns; the outcomes, in order, come when `acks` asks for them. Refusals
   * of single partitions are among the outcomes. Creates no topic.
   */
  produceBatches(
    session: Session,
    call: BatchProduceCall,
  ): readonly BatchOutcome[] | Promise<readonly BatchOutcome[]>
  /** Batches of many partitions, as soon as there are enough. Rejects with what is wrong with the fetch session. */
  fetch(session: Session, call: FetchCall): Promise<Fetched>
  /** Finds an offset by time. Throws FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNSUPPORTED_VERSION. */
  searchOffset(session: Session, search: OffsetSearch): FoundOffset
  /** Where a leader epoch ended. Throws FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH. */
  epochEnd(session: Session, question: EpochQuestion): FoundEpoch
  activeProducers(
    session: Session,
    at: { readonly topic: string; readonly partition: number },
  ): readonly ActiveProducer[]
  /**
   * Deletes the records below an offset, all for -1, and returns the new log start once it is on disk: no crash brings
   * them back. Throws OFFSET_OUT_OF_RANGE, POLICY_VIOLATION, INVALID_TOPIC_EXCEPTION.
   */
  deleteRecords(
    session: Session,
    at: { readonly topic: string; readonly partition: number; readonly offset: number },
  ): Promise<number>
  /** An id that no producer had before; its epoch begins at 0. */
  newProducerId(session: Session): Promise<Int64>

  /** Calls the listener whenever topics or partitions come or go; returns how to stop that. */
  onTopicsChange(listener: () => void): () => void

  recoveryReport(session: Session): RecoveryReport
  readonly counters: BrokerCounters
  /** Gauges for `/metrics`. */
  samples(): readonly Sample[]
}
