// What the planning of operations has in common: each turns a request into records and a result, and changes nothing.
import { KafkaError } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Random } from '#storage/base/world.ts'
import type { NewMetadataRecord } from '../../protocol/records/metadata-record.ts'
import { type MetadataImage, NO_LEADER, type PartitionImage } from '../image.ts'
import type { ConfigRules } from '../provider.ts'
import { recordVersions } from '../record-versions.ts'
import { partitionRecord } from '../snapshot.ts'

/** What planning may look at. */
export interface PlanContext {
  /** The working state: committed metadata and what has been appended since. */
  readonly image: MetadataImage
  readonly nodeId: number
  readonly rules: ConfigRules
  readonly random: Random
  /** `num.partitions` and `default.replication.factor`. */
  defaults(): { readonly partitionCount: number; readonly replicationFactor: number }
  /** The log directory for a new partition. */
  chooseDirectory(): Uuid
}

/** The records to append in one batch, and the answer once they are committed. */
export interface Plan<R> {
  readonly records: readonly NewMetadataRecord[]
  readonly result: R
}

/** What one topic or resource contributes: its records, or the refusal. */
export type Part<T> =
  | { readonly records: readonly NewMetadataRecord[]; readonly value: T }
  | KafkaError

/** Runs `plan` and catches its refusal: one topic's refusal is not the others'. */
export function attempt<T>(
  plan: () => { records: readonly NewMetadataRecord[]; value: T },
): Part<T> {
  try {
    return plan()
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

/** A refusal, or undefined. */
export function errorOf<T>(part: Part<T>): KafkaError | undefined {
  return part instanceof KafkaError ? part : undefined
}

/** The records of all parts that were not refused, in order. */
export function recordsOf(parts: readonly Part<unknown>[]): readonly NewMetadataRecord[] {
  return parts.flatMap((part) => (part instanceof KafkaError ? [] : part.records))
}

/** Names that occur more than once. */
export function repeated(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(names.filter((name) => seen.has(name) || !seen.add(name)))
}

/** Checks a manual assignment as Kafka does. Throws INVALID_REPLICA_ASSIGNMENT. */
export function checkAssignment(
  { image }: PlanContext,
  replicas: readonly number[],
  replicationFactor: number,
): void {
  if (replicas.length === 0) throw badAssignment('a partition without replicas')
  for (const broker of replicas) {
    if (!image.brokers.has(broker)) {
      throw badAssignment(`broker ${broker}, but no such broker is registered`)
    }
  }
  if (new Set(replicas).size < replicas.length) {
    throw badAssignment(`a broker more than once in [${replicas.join(', ')}]`)
  }
  if (replicas.length !== replicationFactor) {
    const detail = `a partition with ${replicas.length} replicas among those with ${replicationFactor}`
    throw badAssignment(detail)
  }
  if (!replicas.some((broker) => isActive(image, broker))) {
    throw badAssignment(`only fenced brokers in [${replicas.join(', ')}]`)
  }
}

/** The record of a new partition: its in-sync replicas are those that are up, the first of them leads. */
export function newPartition(
  context: PlanContext,
  {
    topicId,
    partition,
    replicas,
  }: { topicId: Uuid; partition: number; replicas: readonly number[] },
): NewMetadataRecord {
  const isr = replicas.filter((broker) => isActive(context.image, broker))
  const image: PartitionImage = {
    partition,
    replicas,
    directories: replicas.map(() => context.chooseDirectory()),
    isr,
    elr: [],
    lastKnownElr: [],
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0] ?? NO_LEADER,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
  return partitionRecord(topicId, image, recordVersions(context.image).partition)
}

/** Refuses more replicas than there are brokers to hold them. Throws INVALID_REPLICATION_FACTOR. */
export function checkReplicationFactor({ image }: PlanContext, factor: number): void {
  const active = [...image.brokers.keys()].filter((broker) => isActive(image, broker)).length
  if (factor > active) {
    const detail = `Replication factor ${factor} is more than the ${active} brokers that are up`
    throw new KafkaError('INVALID_REPLICATION_FACTOR', detail)
  }
}

/** Whether the broker is registered and up. */
export function isActive(image: MetadataImage, broker: number): boolean {
  const registration = image.brokers.get(broker)
  return registration !== undefined && !registration.fenced && !registration.inControlledShutdown
}

function badAssignment(detail: string): KafkaError {
  return new KafkaError('INVALID_REPLICA_ASSIGNMENT', `The assignment has ${detail}`)
}
