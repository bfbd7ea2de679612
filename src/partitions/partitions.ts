// All partitions of this broker: metadata deltas create, lead and remove them; everyone else only looks them up (RULES 19).
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import type { LogConfig } from '#storage/log/log-config.ts'
import type { PartitionLog } from '#storage/log/partition-log.ts'
import type { MetadataDelta, PartitionDelta } from '../metadata/delta.ts'
import type { EffectiveConfigs } from './effective-configs.ts'
import { Partition } from './partition.ts'

/** What the partitions need of the data directory: `storage/log-manager.ts`. */
export interface PartitionLogs {
  get(at: TopicPartition): PartitionLog | undefined
  /** Makes the directory and its files durable. Throws KAFKA_STORAGE_ERROR. */
  create(at: TopicPartition, options: NewPartitionLog): Promise<PartitionLog>
  /** Renames the directory away; its files go after `file.delete.delay.ms`. */
  delete(at: TopicPartition): Promise<void>
}

/** A log to make. */
export interface NewPartitionLog {
  readonly topicId: string
  readonly config: LogConfig
  /** The log directory that the metadata names. */
  readonly directoryId: string | undefined
}

/** A partition that should be here and is not, and why. */
interface Missing {
  readonly delta: PartitionDelta
  readonly reason: KafkaError
}

/**
 * The partitions that this broker leads. Deltas are applied in order, one after the other; `settled()` says when all
 * handed in so far are done. A partition whose log can't be made (a full disk) stays missing until `retry()`.
 */
export class Partitions {
  readonly #nodeId: number
  readonly #logs: PartitionLogs
  readonly #configs: EffectiveConfigs
  readonly #partitions = new Map<string, Partition>()
  readonly #missing = new Map<string, Missing>()
  /** Partitions whose logs are about to be made. */
  readonly #pending = new Set<string>()
  #applied: Promise<void> = Promise.resolve()

  constructor(parts: { nodeId: number; logs: PartitionLogs; configs: EffectiveConfigs }) {
    this.#nodeId = parts.nodeId
    this.#logs = parts.logs
    this.#configs = parts.configs
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, or why the partition is not here. */
  get(at: TopicPartition): Partition {
    const name = partitionName(at)
    const partition = this.#partitions.get(name)
    if (partition) return partition
    const missing = this.#missing.get(name)
    if (missing) throw missing.reason
    if (this.#pending.has(name)) {
      throw new KafkaError('LEADER_NOT_AVAILABLE', `Partition ${name} is being created`)
    }
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Partition ${name} does not exist`)
  }

  /** Undefined when the partition is not here, or not yet. Throws why it can't be here. */
  find(at: TopicPartition): Partition | undefined {
    const name = partitionName(at)
    const partition = this.#partitions.get(name)
    const missing = partition ? undefined : this.#missing.get(name)
    if (missing) throw missing.reason
    return partition
  }

  all(): Iterable<Partition> {
    return this.#partitions.values()
  }

  /** Takes a delta over: settings and removals at once, new logs in the background. */
  apply(delta: MetadataDelta): void {
    this.#applyConfigs(delta)
    const removed = delta.partitions.filter(({ after }) => after === undefined)
    for (const partition of removed) this.#close(partition)
    const present = delta.partitions.filter(({ after }) => after !== undefined)
    for (const partition of present) this.#pending.add(partitionName(partition))
    this.#applied = this.#applied.then(async () => {
      for (const partition of removed) await this.#logs.delete(partition)
      for (const partition of present) await this.#applyPartition(partition)
      for (const partition of present) this.#pending.delete(partitionName(partition))
    })
  }

  /** True while this partition's log is about to be made: `settled()` says when it is. */
  isPending(at: TopicPartition): boolean {
    return this.#pending.has(partitionName(at))
  }

  /** Resolves when every delta handed in so far has been applied. */
  settled(): Promise<void> {
    return this.#applied
  }

  /** Tries again to make a missing partition's log. */
  retry(at: TopicPartition): Promise<void> {
    this.#applied = this.#applied.then(async () => {
      const missing = this.#missing.get(partitionName(at))
      if (missing) await this.#applyPartition(missing.delta)
    })
    return this.#applied
  }

  /** Ends all partitions' life; their logs stay the log manager's. */
  async close(): Promise<void> {
    await this.#applied
    for (const partition of this.#partitions.values()) partition.close()
    this.#partitions.clear()
  }

  #applyConfigs(delta: MetadataDelta): void {
    const topics = this.#configs.apply(delta)
    if (topics?.size === 0) return
    const byTopic = new Map<string, LogConfig>()
    for (const { topicPartition, log } of this.#partitions.values()) {
      const { topic } = topicPartition
      if (topics && !topics.has(topic)) continue
      const config = byTopic.get(topic) ?? this.#configs.topic(topic).settings()
      byTopic.set(topic, config)
      log.updateConfig(config)
    }
  }

  #close(at: TopicPartition): void {
    const name = partitionName(at)
    this.#partitions.get(name)?.close()
    this.#partitions.delete(name)
    this.#missing.delete(name)
  }

  async #applyPartition(delta: PartitionDelta): Promise<void> {
    const { topicId, after } = delta
    if (after === undefined || after.leader !== this.#nodeId) return
    const name = partitionName(delta)
    const known = this.#partitions.get(name)
    if (known) return known.raiseLeaderEpoch(after.leaderEpoch)
    try {
      const config = this.#configs.topic(delta.topic).settings()
      const directoryId = after.directories[after.replicas.indexOf(this.#nodeId)]
      const log =
        this.#logs.get(delta) ?? (await this.#logs.create(delta, { topicId, config, directoryId }))
      this.#partitions.set(name, new Partition(log, after.leaderEpoch))
      this.#missing.delete(name)
    } catch (error) {
      const reason =
        error instanceof KafkaError
          ? error
          : new KafkaError('KAFKA_STORAGE_ERROR', `Partition ${name} has no log`, { cause: error })
      this.#missing.set(name, { delta, reason })
    }
  }
}
