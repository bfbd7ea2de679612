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

/** How many logs are made at a time: they wait for the disk, and what is synced together costs little more than one. */
const SIDE_BY_SIDE = 16

/** Why a partition that should be here is not. */
interface Missing {
  readonly reason: KafkaError
  isRetried: boolean
}

/**
 * The partitions that this broker leads. Deltas are applied in order, one after the other; `settled()` says when all
 * handed in so far are done. A log that could not be made (a full disk) is tried again whenever somebody asks for it.
 */
export class Partitions {
  readonly #nodeId: number
  readonly #logs: PartitionLogs
  readonly #configs: EffectiveConfigs
  readonly #onProblem: (error: unknown) => void
  readonly #partitions = new Map<string, Partition>()
  readonly #missing = new Map<string, Missing>()
  /** The newest word on every partition that should be here; what is done for an older topic of the name is in vain. */
  readonly #wanted = new Map<string, PartitionDelta>()
  #applied: Promise<void> = Promise.resolve()
  /** How much of it is still to be done. */
  #underWay = 0
  #isClosed = false

  constructor(parts: {
    nodeId: number
    logs: PartitionLogs
    configs: EffectiveConfigs
    /** Told what failed where nobody waits for it: a deletion in a directory that is offline. */
    onProblem: (error: unknown) => void
  }) {
    this.#nodeId = parts.nodeId
    this.#logs = parts.logs
    this.#configs = parts.configs
    this.#onProblem = parts.onProblem
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, or why the partition is not here. */
  get(at: TopicPartition): Partition {
    const partition = this.find(at)
    if (partition) return partition
    const name = partitionName(at)
    if (this.#wanted.has(name)) {
      throw new KafkaError('LEADER_NOT_AVAILABLE', `Partition ${name} is being created`)
    }
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Partition ${name} does not exist`)
  }

  /** Undefined when the partition is not here, or not yet. Throws why it can't be here. */
  find(at: TopicPartition): Partition | undefined {
    const name = partitionName(at)
    const partition = this.#partitions.get(name)
    const missing = partition ? undefined : this.#missing.get(name)
    if (!missing) return partition
    this.#retry(name, missing)
    throw missing.reason
  }

  all(): Iterable<Partition> {
    return this.#partitions.values()
  }

  /** Takes a delta over: settings and removals at once, new logs in the background. */
  apply(delta: MetadataDelta): void {
    // What comes too late for the logs is done at the next start.
    if (this.#isClosed) return
    this.#applyConfigs(delta)
    const removed = delta.partitions.filter(({ after }) => after === undefined)
    for (const partition of removed) this.#remove(partition)
    const present = delta.partitions.filter(({ after }) => after?.leader === this.#nodeId)
    for (const partition of present) this.#wanted.set(partitionName(partition), partition)
    this.#then(async () => {
      await sideBySide(removed, (partition) => this.#deleteLog(partition))
      await sideBySide(present, (partition) => this.#applyPartition(partition))
    })
  }

  /** True while this partition's log is about to be made: `settled()` says when it is. */
  isPending(at: TopicPartition): boolean {
    // Nearly always: spare the callers of every request the rest.
    if (this.#underWay === 0) return false
    const name = partitionName(at)
    return this.#wanted.has(name) && !this.#partitions.has(name) && !this.#missing.has(name)
  }

  /**
   * Undefined when batches for the partition can be appended or refused now. Else to be awaited before, and asked again:
   * its log is being made, or too much waits for the disk (RULES 10).
   */
  whenReady(at: TopicPartition): Promise<void> | undefined {
    const partition = this.#partitions.get(partitionName(at))
    if (partition) return partition.log.room()
    return this.isPending(at) ? this.#applied : undefined
  }

  /** Resolves when every delta handed in so far has been applied. */
  settled(): Promise<void> {
    return this.#applied
  }

  /** The directory that held their logs has failed: from now on they say so, and those who wait in them look. */
  takeOffline(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const name = partitionName(at)
      const partition = this.#partitions.get(name)
      if (!partition) continue
      const reason = new KafkaError('KAFKA_STORAGE_ERROR', `The log of ${name} is offline`)
      this.#missing.set(name, { reason, isRetried: false })
      this.#partitions.delete(name)
      partition.close(reason)
    }
  }

  /** Ends all partitions' life; their logs stay the log manager's. */
  async close(): Promise<void> {
    this.#isClosed = true
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

  #remove({ topicId, ...at }: PartitionDelta): void {
    const name = partitionName(at)
    this.#partitions.get(name)?.close()
    this.#partitions.delete(name)
    this.#missing.delete(name)
    if (this.#wanted.get(name)?.topicId === topicId) this.#wanted.delete(name)
  }

  /** Whatever fails, what comes behind it is done. */
  #then(action: () => Promise<void>): void {
    this.#underWay++
    this.#applied = this.#applied
      .then(action)
      .catch((error: unknown) => this.#onProblem(error))
      .finally(() => this.#underWay--)
  }

  /** What a failed directory keeps is set aside at the next start: its topic is not in the metadata then. */
  async #deleteLog(at: TopicPartition): Promise<void> {
    try {
      await this.#logs.delete(at)
    } catch (error) {
      this.#onProblem(error)
    }
  }

  /** In vain while the directory is offline, and cheap. */
  #retry(name: string, missing: Missing): void {
    const delta = this.#wanted.get(name)
    if (!delta || missing.isRetried) return
    missing.isRetried = true
    this.#then(() => this.#applyPartition(delta))
  }

  async #applyPartition(delta: PartitionDelta): Promise<void> {
    const { topicId, after } = delta
    const name = partitionName(delta)
    const isWanted = () => this.#wanted.get(name)?.topicId === topicId
    if (after === undefined || !isWanted()) return
    const known = this.#partitions.get(name)
    if (known) return known.raiseLeaderEpoch(after.leaderEpoch)
    try {
      const log = await this.#logOf(delta)
      // The topic may have gone meanwhile; the delta that says so is next and deletes the log.
      if (!isWanted()) return
      this.#partitions.set(name, new Partition(log, after.leaderEpoch))
      this.#missing.delete(name)
    } catch (error) {
      if (!isWanted()) return
      const reason =
        error instanceof KafkaError
          ? error
          : new KafkaError('KAFKA_STORAGE_ERROR', `Partition ${name} has no log`, { cause: error })
      this.#missing.set(name, { reason, isRetried: false })
    }
  }

  async #logOf(delta: PartitionDelta): Promise<PartitionLog> {
    const known = this.#logs.get(delta)
    if (known) return known
    const { topic, topicId, after } = delta
    const directoryId = after?.directories[after.replicas.indexOf(this.#nodeId)]
    const config = this.#configs.topic(topic).settings()
    const made = await this.#logs.create(delta, { topicId, config, directoryId })
    // Settings that came meanwhile found no partition, and a directory that failed meanwhile none to take offline.
    made.updateConfig(this.#configs.topic(topic).settings())
    return this.#logs.get(delta) ?? made
  }
}

/** Runs `action` for each item, some at a time. It must not reject. */
async function sideBySide<T>(
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await action(item)
  }
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, worker))
}
