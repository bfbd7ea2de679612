// Writes a metadata log for partitions that have lost theirs (RULES 15). What only the metadata knew is gone: configs,
// quotas, ACLs. So that nothing is deleted by a default that was not in force, topics get no retention limit.
import { parsePartitionName, partitionName } from '#storage/base/topic-partition.ts'
import { METADATA_TOPIC_ID, randomUuid, type Uuid } from '#storage/base/uuid.ts'
import type { Random } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { addInt64 } from '#storage/bytes/int64.ts'
import { METADATA_PARTITION } from '#storage/directory-names.ts'
import { parentOf, replaceFileNow } from '#storage/fs/atomic-file.ts'
import type { Files } from '#storage/fs/files.ts'
import { META_PROPERTIES, serializeMetaProperties } from '#storage/state/meta-properties.ts'
import {
  LOG_START_CHECKPOINT,
  parseOffsetCheckpoint,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
  serializeOffsetCheckpoint,
} from '#storage/state/offset-checkpoint.ts'
import {
  PARTITION_METADATA,
  serializePartitionMetadata,
} from '#storage/state/partition-metadata.ts'
import { parseQuorumState, QUORUM_STATE_FILE } from '#storage/state/quorum-state.ts'
import { SUMS_FILE } from '#storage/state/sums.ts'
import { CONFIG_RESOURCE, EMPTY_IMAGE } from '../../metadata/image.ts'
import { recordVersions } from '../../metadata/record-versions.ts'
import { bootstrapRecords, leaderChange, quorumRecords } from '../../metadata/startup.ts'
import type { NewStoredRecord } from '../../metadata/store.ts'
import {
  encodeMetadataRecord,
  type NewMetadataRecord,
} from '../../protocol/records/metadata-record.ts'
import type { FoundTopic, RebuildPlan } from './rebuild-plan.ts'

const RECORDS_PER_BATCH = 10_000
/** Ids are handed out in blocks of so many. */
const PRODUCER_IDS = 1000
const KEEP_ALL = { 'retention.ms': '-1' }
const STATE = { 'cleanup.policy': 'compact', 'segment.bytes': '104857600' }

/** Topics of the coordinators mean something only with their own settings. */
const INTERNAL_CONFIGS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  ['__consumer_offsets', { ...STATE, 'compression.type': 'producer' }],
  ['__transaction_state', { ...STATE, 'compression.type': 'uncompressed' }],
  ['__share_group_state', { ...KEEP_ALL, 'segment.bytes': '104857600' }],
])

/**
 * Writes what the plan says: identities where there are none, topic ids, and last, in one rename, the metadata log. After
 * a crash it can be done again. Throws the system's error.
 */
export function rebuildMetadata(
  files: Files,
  random: Random,
  now: number,
  plan: RebuildPlan,
): void {
  const directoryIds = formatDirectories(files, random, plan)
  const topics = plan.topics.map((topic) => ({ ...topic, id: topic.id ?? randomUuid(random) }))
  for (const { id, partitions } of topics) {
    for (const { path, hasTopicId } of partitions) {
      if (hasTopicId) continue
      replaceFileNow(files, `${path}/${PARTITION_METADATA}`, serializePartitionMetadata(id))
    }
  }
  const logDir = plan.logDirs[0]?.path ?? ''
  forgetOldLog(files, logDir)
  const directory = `${logDir}/${partitionName(METADATA_PARTITION)}`
  files.makeDirectory(directory)
  // What is left of the old one belongs to other offsets; the epoch alone must not go back.
  for (const { name } of files.list(directory)) {
    if (name !== QUORUM_STATE_FILE) files.remove(`${directory}/${name}`)
  }
  files.syncDirectoryNow(parentOf(directory))
  const metadataId = serializePartitionMetadata(METADATA_TOPIC_ID)
  replaceFileNow(files, `${directory}/${PARTITION_METADATA}`, metadataId)
  const quorum = files.readFile(`${directory}/${QUORUM_STATE_FILE}`)
  const leaderEpoch = Math.max(1, quorum ? parseQuorumState(quorum).leaderEpoch : 1)
  const log = metadataLog({ plan, topics, directoryIds, leaderEpoch, now })
  replaceFileNow(files, `${directory}/${'0'.repeat(20)}.log`, log)
}

type NamedTopic = FoundTopic & { readonly id: Uuid }

/** Gives every directory an identity; their ids by path. */
function formatDirectories(files: Files, random: Random, plan: RebuildPlan): Map<string, Uuid> {
  const clusterId = plan.clusterId ?? randomUuid(random)
  const ids = new Map<string, Uuid>()
  for (const { path, meta } of plan.logDirs) {
    const directoryId = meta?.directoryId ?? randomUuid(random)
    ids.set(path, directoryId)
    if (meta?.directoryId !== undefined && meta.clusterId !== undefined) continue
    const bytes = serializeMetaProperties({ clusterId, nodeId: plan.nodeId, directoryId })
    replaceFileNow(files, `${path}/${META_PROPERTIES}`, bytes)
  }
  return ids
}

/** What the checkpoints say of the metadata log that is lost would be taken for the new one's. */
function forgetOldLog(files: Files, logDir: string): void {
  for (const name of [RECOVERY_POINT_CHECKPOINT, REPLICATION_CHECKPOINT, LOG_START_CHECKPOINT]) {
    const path = `${logDir}/${name}`
    const bytes = files.readFile(path)
    if (!bytes) continue
    const offsets = parseOffsetCheckpoint(bytes, name)
    if (!offsets.delete(partitionName(METADATA_PARTITION))) continue
    const others = [...offsets].flatMap(([key, offset]) => {
      const at = parsePartitionName(key)
      return at ? [{ ...at, offset }] : []
    })
    // First the sums, which would call the new content damaged.
    files.remove(`${logDir}/${SUMS_FILE}`)
    replaceFileNow(files, path, serializeOffsetCheckpoint(others))
  }
}

function metadataLog(of: {
  plan: RebuildPlan
  topics: readonly NamedTopic[]
  directoryIds: ReadonlyMap<string, Uuid>
  leaderEpoch: number
  now: number
}): Uint8Array {
  const { plan, topics, directoryIds, leaderEpoch, now } = of
  const { nodeId } = plan
  const batches: Uint8Array[] = []
  let baseOffset = 0
  const add = (records: readonly NewStoredRecord[], isControl: boolean) => {
    if (records.length === 0) return
    const stamped = records.map((record) => ({ ...record, timestamp: now }))
    batches.push(buildBatch(stamped, { baseOffset, leaderEpoch, isControl }))
    baseOffset += records.length
  }
  const addData = (records: readonly NewMetadataRecord[]) =>
    add(
      records.map((record) => ({ key: null, value: encodeMetadataRecord(record) })),
      false,
    )
  const metadataDirectoryId = directoryIds.get(plan.logDirs[0]?.path ?? '') ?? ''
  const controllerEndpoint = { host: 'localhost', port: 9093 }
  const node = { nodeId, metadataDirectoryId, controllerEndpoint }
  add([leaderChange(EMPTY_IMAGE, nodeId), ...quorumRecords(node)], true)
  addData(bootstrapRecords())
  const records = topics.flatMap((topic) => topicRecords(topic, nodeId, directoryIds))
  for (let at = 0; at < records.length; at += RECORDS_PER_BATCH) {
    addData(records.slice(at, at + RECORDS_PER_BATCH))
  }
  const nextProducerId = addInt64(plan.greatestProducerId, PRODUCER_IDS + 1)
  const data = { brokerId: nodeId, brokerEpoch: -1, nextProducerId }
  addData([{ type: 'ProducerIdsRecord', version: 0, data }])
  return joined(batches)
}

/** The partitions are led by this node, as they are after a kill: the next start elects, or raises the epoch. */
function topicRecords(
  { name, id: topicId, partitions }: NamedTopic,
  nodeId: number,
  directoryIds: ReadonlyMap<string, Uuid>,
): NewMetadataRecord[] {
  // Of the level that the first records say.
  const { partition: version } = recordVersions(EMPTY_IMAGE)
  const configs = Object.entries(INTERNAL_CONFIGS.get(name) ?? KEEP_ALL)
  return [
    { type: 'TopicRecord', version: 0, data: { name, topicId } },
    ...partitions.map(({ partition, logDir, leaderEpoch }): NewMetadataRecord => {
      const replicas = [nodeId]
      const place = {
        partitionId: partition,
        topicId,
        directories: [directoryIds.get(logDir) ?? ''],
      }
      const leader = { leader: nodeId, leaderEpoch: leaderEpoch + 1, partitionEpoch: 0 }
      const none = { removingReplicas: [], addingReplicas: [] }
      const data = { ...place, ...leader, ...none, replicas, isr: replicas }
      return { type: 'PartitionRecord', version, data }
    }),
    ...configs.map(([key, value]): NewMetadataRecord => {
      const resource = { resourceType: CONFIG_RESOURCE.TOPIC, resourceName: name }
      return { type: 'ConfigRecord', version: 0, data: { ...resource, name: key, value } }
    }),
  ]
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
