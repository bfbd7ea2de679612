// Says of a data directory, before anybody starts on it, whether it can be moved: into Millrace, or out to Kafka.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import { LOCK_FILE } from '#storage/data-directory.ts'
import { METADATA_PARTITION } from '#storage/directory-names.ts'
import type { Files } from '#storage/fs/files.ts'
import { CLEAN_SHUTDOWN_FILE } from '#storage/state/clean-shutdown.ts'
import {
  META_PROPERTIES,
  type MetaProperties,
  parseMetaProperties,
} from '#storage/state/meta-properties.ts'
import { type BlockerOptions, featureBlockers, startBlockers } from '../../metadata/blockers.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../protocol/records/metadata-record.ts'
import { formattedWith, withRecords } from './bootstrap-file.ts'
import type { Finding, Report } from './finding.ts'
import { readMetadata } from './metadata-files.ts'
import { checkPartitions } from './partition-check.ts'

/** What was found in the log directories of one broker. */
export interface Diagnosis {
  readonly clusterId: string | undefined
  readonly nodeId: number | undefined
  /** False after a crash: the next start recovers. Undefined when nothing was ever started there. */
  readonly hadCleanShutdown: boolean | undefined
  readonly topicCount: number
  readonly partitionCount: number
  /** In the order of the directories; blockers first. */
  readonly findings: readonly Finding[]
}

interface Identified {
  readonly path: string
  readonly meta: MetaProperties | undefined
  readonly isClean: boolean
}

/** What `node.id` is unless it is set. */
const DEFAULT_NODE_ID = 1
const SEVERITIES = ['blocker', 'warning', 'note']

/**
 * Looks at the log directories that one broker has, together. Reads only: it may run while a broker does, although what it
 * says then is as of a moment. Throws the system's error when a directory can't be read.
 */
export function diagnose(files: Files, logDirs: readonly string[]): Diagnosis {
  const findings: Finding[] = []
  const report: Report = (finding) => void findings.push(finding)
  const directories = logDirs.flatMap((path) => identify(files, path, report) ?? [])
  checkTogether(directories, report)
  const formatted = directories.filter(({ meta }) => meta)
  const hadCleanShutdown =
    formatted.length === 0 ? undefined : formatted.every(({ isClean }) => isClean)
  const image = findMetadata(files, directories, report)
  const check = { files, report, image, hadCleanShutdown: hadCleanShutdown === true }
  const partitions = directories.flatMap(({ path }) => checkPartitions(check, path))
  const [first] = formatted
  if (image && first?.meta) checkImage(image, first.meta, partitions, report)
  const isBegun = image !== undefined && image.offset >= 0
  if (!isBegun && partitions.length > 0) reportOrphans(partitions, report)
  if (hadCleanShutdown === false) {
    const message =
      'The last broker here did not stop cleanly: the next start recovers what it left'
    report({ subject: logDirs.join(', '), severity: 'note', concerns: 'both', message })
  }
  return {
    clusterId: first?.meta?.clusterId,
    nodeId: first?.meta?.nodeId,
    hadCleanShutdown,
    topicCount: image?.topicCount ?? 0,
    partitionCount: partitions.length,
    findings: findings.sort(
      (left, right) => SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity),
    ),
  }
}

function identify(files: Files, path: string, report: Report): Identified | undefined {
  if (!files.status(path)?.isDirectory) {
    const message = 'There is no such directory'
    report({ subject: path, severity: 'blocker', concerns: 'both', message })
    return undefined
  }
  if (files.isLocked(`${path}/${LOCK_FILE}`)) {
    const message =
      'A broker is running on it: what is said here is as of a moment, and no other can start'
    report({ subject: path, severity: 'blocker', concerns: 'both', message, fix: 'Stop it first' })
  }
  const bytes = files.readFile(`${path}/${META_PROPERTIES}`)
  const isClean = files.status(`${path}/${CLEAN_SHUTDOWN_FILE}`) !== undefined
  try {
    return { path, meta: bytes && parseMetaProperties(bytes), isClean }
  } catch (error) {
    if (!(error instanceof StorageFault)) throw error
    report({ subject: path, severity: 'blocker', concerns: 'both', message: error.message })
    return { path, meta: undefined, isClean }
  }
}

/** Directories of one broker say the same of the cluster and the node, and each has its own id. */
function checkTogether(directories: readonly Identified[], report: Report): void {
  const formatted = directories.filter(({ meta }) => meta !== undefined)
  const [first] = formatted
  const ids = new Map<string, string>()
  for (const { path, meta } of formatted) {
    const blocker = (message: string) =>
      report({ subject: path, severity: 'blocker', concerns: 'both', message })
    if (meta?.clusterId !== first?.meta?.clusterId) {
      blocker(
        `It belongs to cluster ${meta?.clusterId}, ${first?.path} to ${first?.meta?.clusterId}`,
      )
    }
    if (meta?.nodeId !== first?.meta?.nodeId) {
      blocker(`It belongs to node ${meta?.nodeId}, ${first?.path} to node ${first?.meta?.nodeId}`)
    }
    const id = meta?.directoryId
    const other = id && ids.get(id)
    if (other) blocker(`It has the directory.id of ${other}: one of them is a copy`)
    if (id) ids.set(id, path)
    else {
      const message = `The file ${META_PROPERTIES} has no directory.id; the first start writes one`
      report({ subject: path, severity: 'note', concerns: 'both', message })
    }
  }
  for (const { path, meta } of directories) {
    if (meta || first === undefined) continue
    const message = `The directory is not formatted; ${first.path} is`
    const fix = 'Millrace formats it at the start; for Kafka, run kafka-storage format'
    report({ subject: path, severity: 'blocker', concerns: 'kafka', message, fix })
  }
}

function findMetadata(
  files: Files,
  directories: readonly Identified[],
  report: Report,
): MetadataImage | undefined {
  const name = partitionName(METADATA_PARTITION)
  const holders = directories.filter(({ path }) => files.status(`${path}/${name}`)?.isDirectory)
  const [first, second] = holders
  if (second) {
    const message = `Another metadata log is in ${first?.path}`
    const fix = 'Name the right one in metadata.log.dir and move the other away'
    report({ subject: second.path, severity: 'blocker', concerns: 'both', message, fix })
  }
  const image = first ? readMetadata(files, `${first.path}/${name}`, report) : undefined
  if (image?.features.has('metadata.version') || (first && !image)) return image
  // Formatted, and never started.
  const path = first?.path ?? directories[0]?.path ?? ''
  const records = readFormat(files, path, report)
  return records ? withRecords(image ?? EMPTY_IMAGE, records) : image
}

function readFormat(files: Files, path: string, report: Report): MetadataRecord[] | undefined {
  try {
    return formattedWith(files, path)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    report({ subject: path, severity: 'blocker', concerns: 'both', message: error.message })
    return undefined
  }
}

function reportOrphans(partitions: readonly TopicPartition[], report: Report): void {
  const [first] = partitions
  if (!first) return
  const message = `${partitions.length} partitions, such as ${partitionName(first)}, and no metadata log that says what they are`
  const fix =
    'Name the log directory that holds __cluster_metadata-0 too, restore that one, or run doctor --rebuild-metadata'
  report({ subject: partitionName(first), severity: 'blocker', concerns: 'both', message, fix })
}

function checkImage(
  image: MetadataImage,
  meta: MetaProperties,
  partitions: readonly TopicPartition[],
  report: Report,
): void {
  const subject = partitionName(METADATA_PARTITION)
  const options = {
    nodeId: meta.nodeId,
    metadataDirectoryId: meta.directoryId ?? '',
    authorizer: '',
    allowUnenforcedSecurity: false,
  }
  const unknown = featureBlockers(image)
  for (const message of startBlockers(image, options)) {
    const concerns = unknown.includes(message) ? 'both' : 'millrace'
    report({ subject, severity: 'blocker', concerns, message })
  }
  checkVoter(image, options, report)
  if (meta.nodeId !== DEFAULT_NODE_ID) {
    const message = `It is node ${meta.nodeId}'s: start with node.id=${meta.nodeId}`
    report({ subject: META_PROPERTIES, severity: 'note', concerns: 'both', message })
  }
  checkPresence(image, partitions, report)
}

/** A Kafka that is not the voter it finds in its log waits for ever for the one that is. */
function checkVoter(image: MetadataImage, options: BlockerOptions, report: Report): void {
  const voters = image.state.quorum.voters ?? []
  const own = voters.find(({ voterId }) => voterId === options.nodeId)
  if (!own || own.voterDirectoryId === options.metadataDirectoryId) return
  report({
    subject: META_PROPERTIES,
    severity: 'blocker',
    concerns: 'kafka',
    message: `It is not the directory ${own.voterDirectoryId} that the metadata log was written in`,
    fix: `Set directory.id=${own.voterDirectoryId} in it, unless that is another directory's`,
  })
}

/** Partitions that the metadata has and the disk has not are made anew, empty. */
function checkPresence(
  image: MetadataImage,
  partitions: readonly TopicPartition[],
  report: Report,
): void {
  const present = new Set(partitions.map(partitionName))
  for (const topic of image.topics()) {
    const missing = topic.partitions.filter(
      ({ partition }) => !present.has(partitionName({ topic: topic.name, partition })),
    )
    if (missing.length === 0) continue
    const numbers = missing.map(({ partition }) => partition).join(', ')
    const message = `The metadata has partitions ${numbers}, which are in none of these directories: a start makes them anew, empty`
    const fix = 'Name all log directories of the broker'
    report({ subject: topic.name, severity: 'warning', concerns: 'both', message, fix })
  }
}
