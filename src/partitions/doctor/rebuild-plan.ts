// What can be known of topics without a metadata log: read from the partition directories, for `doctor --rebuild-metadata`.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { parsePartitionName, partitionName } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import { readRecords } from '#storage/batch/record.ts'
import { type Int64, maxInt64, readInt64 } from '#storage/bytes/int64.ts'
import { LOCK_FILE } from '#storage/data-directory.ts'
import { directoryKind, METADATA_PARTITION } from '#storage/directory-names.ts'
import type { Files } from '#storage/fs/files.ts'
import { LEADER_EPOCH_CHECKPOINT, parseLeaderEpochs } from '#storage/state/leader-epoch-cache.ts'
import {
  META_PROPERTIES,
  type MetaProperties,
  parseMetaProperties,
} from '#storage/state/meta-properties.ts'
import { CLEANER_CHECKPOINT, parseOffsetCheckpoint } from '#storage/state/offset-checkpoint.ts'
import { PARTITION_METADATA, parsePartitionMetadata } from '#storage/state/partition-metadata.ts'
import { storedBatches, storedSegments } from './stored-batches.ts'
import { storedProducers, TRANSACTION_TOPIC } from './stored-producers.ts'

/** A partition that was found. */
export interface FoundPartition {
  readonly partition: number
  readonly logDir: string
  readonly path: string
  /** The greatest leader epoch that its files know; −1 for none. */
  readonly leaderEpoch: number
  readonly hasTopicId: boolean
}

/** A topic whose partitions 0 to n − 1 were found, in order. */
export interface FoundTopic {
  readonly name: string
  /** Undefined when no partition has one. */
  readonly id: Uuid | undefined
  readonly partitions: readonly FoundPartition[]
  /** The cleaner has worked on it: it was compacted. */
  readonly wasCompacted: boolean
}

/** What a new metadata log would say. */
export interface RebuildPlan {
  /** The first of them gets the metadata log. `meta` is undefined where a directory is not formatted. */
  readonly logDirs: readonly { readonly path: string; readonly meta: MetaProperties | undefined }[]
  readonly clusterId: string | undefined
  readonly nodeId: number
  /** By name. */
  readonly topics: readonly FoundTopic[]
  /** The greatest producer id that was seen; −1 for none. */
  readonly greatestProducerId: Int64
}

/**
 * Reads the log directories of a broker whose metadata log is lost. Writes nothing. Throws INVALID_REQUEST when there is
 * one, when partitions are missing or contradict each other, and when a broker runs; `StorageFault` for malformed files.
 */
export function planRebuild(files: Files, paths: readonly string[]): RebuildPlan {
  const logDirs = paths.map((path) => identified(files, path))
  const [first] = logDirs.flatMap(({ meta }) => meta ?? [])
  for (const { path, meta } of logDirs) {
    if (meta === undefined || first === undefined) continue
    if (meta.clusterId === first.clusterId && meta.nodeId === first.nodeId) continue
    const whose = `cluster ${meta.clusterId} and node ${meta.nodeId}`
    refuse(`${path} belongs to ${whose}, not to ${first.clusterId} and ${first.nodeId}`)
  }
  const topics = findTopics(files, logDirs)
  if (topics.length === 0) refuse(`There are no partitions in ${paths.join(', ')}`)
  let greatestProducerId: Int64 = -1
  for (const { name, partitions } of topics) {
    for (const { path } of partitions) {
      const { greatestId } = storedProducers(files, path, { isClean: false })
      greatestProducerId = maxInt64(greatestProducerId, greatestId)
      if (name !== TRANSACTION_TOPIC) continue
      greatestProducerId = maxInt64(greatestProducerId, greatestTransactionalId(files, path))
    }
  }
  const { clusterId, nodeId = 1 } = first ?? {}
  return { logDirs, clusterId, nodeId, topics, greatestProducerId }
}

function refuse(detail: string): never {
  throw new KafkaError('INVALID_REQUEST', detail)
}

function identified(files: Files, path: string) {
  if (!files.status(path)?.isDirectory) refuse(`There is no directory ${path}`)
  if (files.isLocked(`${path}/${LOCK_FILE}`))
    refuse(`A broker is running on ${path}; stop it first`)
  const metadata = `${path}/${partitionName(METADATA_PARTITION)}`
  const names = files.status(metadata)?.isDirectory ? files.list(metadata) : []
  const log = names.find(({ name }) => /\.(log|checkpoint)$/.test(name))
  if (log)
    refuse(
      `There is a metadata log: ${metadata}/${log.name}; if it is damaged beyond use, move it away`,
    )
  const bytes = files.readFile(`${path}/${META_PROPERTIES}`)
  return { path, meta: bytes && parseMetaProperties(bytes) }
}

function findTopics(files: Files, logDirs: readonly { readonly path: string }[]): FoundTopic[] {
  const found = new Map<string, FoundPartition[]>()
  const ids = new Map<string, Uuid>()
  const compacted = new Set<string>()
  for (const { path: logDir } of logDirs) {
    for (const topic of compactedTopics(files, logDir)) compacted.add(topic)
    for (const { name, isDirectory } of files.list(logDir)) {
      const kind = directoryKind(name)
      if (!isDirectory || kind.kind !== 'partition') continue
      const { topic, partition } = kind.topicPartition
      const path = `${logDir}/${name}`
      const bytes = files.readFile(`${path}/${PARTITION_METADATA}`)
      const id = bytes && parsePartitionMetadata(bytes)
      if (id !== undefined) noteId(ids, topic, id, path)
      const leaderEpoch = greatestEpoch(files, path)
      const partitions = found.get(topic) ?? []
      partitions.push({ partition, logDir, path, leaderEpoch, hasTopicId: id !== undefined })
      found.set(topic, partitions)
    }
  }
  checkIdsDiffer(ids)
  return [...found]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, partitions]) => ({
      name,
      id: ids.get(name),
      partitions: inOrder(name, partitions),
      wasCompacted: compacted.has(name),
    }))
}

function noteId(ids: Map<string, Uuid>, topic: string, id: Uuid, path: string): void {
  const known = ids.get(topic)
  if (known !== undefined && known !== id)
    refuse(`${path} has topic id ${id}, another partition of ${topic} has ${known}`)
  ids.set(topic, id)
}

function checkIdsDiffer(ids: ReadonlyMap<string, Uuid>): void {
  const topics = new Map<Uuid, string>()
  for (const [topic, id] of ids) {
    const other = topics.get(id)
    if (other !== undefined) refuse(`The topics ${other} and ${topic} have the same id, ${id}`)
    topics.set(id, topic)
  }
}

/** The partitions by number. One that is missing may be in a directory that was not named. */
function inOrder(topic: string, partitions: readonly FoundPartition[]): FoundPartition[] {
  const sorted = partitions.toSorted((left, right) => left.partition - right.partition)
  for (const [index, { partition, path }] of sorted.entries()) {
    if (partition > index) refuse(`Partition ${index} of ${topic} is missing, and ${path} is there`)
    if (partition < index) refuse(`The partition ${topic}-${partition} is there twice: ${path}`)
  }
  return sorted
}

function compactedTopics(files: Files, logDir: string): string[] {
  const bytes = files.readFile(`${logDir}/${CLEANER_CHECKPOINT}`)
  if (!bytes) return []
  try {
    const names = [...parseOffsetCheckpoint(bytes, CLEANER_CHECKPOINT).keys()]
    return names.map((name) => parsePartitionName(name)?.topic ?? '')
  } catch (error) {
    // It only serves a hint here.
    if (error instanceof StorageFault) return []
    throw error
  }
}

/** Of the checkpoint, which may lag behind, and of the last segment's batches. */
function greatestEpoch(files: Files, path: string): number {
  let greatest = -1
  const bytes = files.readFile(`${path}/${LEADER_EPOCH_CHECKPOINT}`)
  for (const { epoch } of bytes ? parseLeaderEpochs(bytes) : [])
    greatest = Math.max(greatest, epoch)
  const last = storedSegments(files, path).slice(-1)
  for (const batch of storedBatches(files, last, 0))
    greatest = Math.max(greatest, batch.partitionLeaderEpoch)
  return greatest
}

/** A coordinator's record begins with its version, an int16, and the producer id. */
function greatestTransactionalId(files: Files, path: string): Int64 {
  let greatest: Int64 = -1
  for (const batch of storedBatches(files, storedSegments(files, path), 0)) {
    if (batch.isControl) continue
    for (const { value } of readRecords(batch)) {
      if (value === null || value.length < 10) continue
      const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
      greatest = maxInt64(greatest, readInt64(view, 2))
    }
  }
  return greatest
}
