// Looks at the partition directories of one log directory: whose they are, and what in them would stop a broker.
import { StorageFault } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import { directoryKind } from '#storage/directory-names.ts'
import type { Files } from '#storage/fs/files.ts'
import { PARTITION_METADATA, parsePartitionMetadata } from '#storage/state/partition-metadata.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Report } from './finding.ts'
import { storedProducers, TRANSACTION_TOPIC } from './stored-producers.ts'

/** Where the magic byte of a batch stands, and the oldest that is understood. */
const MAGIC_POSITION = 16
const OLDEST_MAGIC = 2

/** What is looked at, and with what. */
export interface PartitionCheck {
  readonly files: Files
  readonly report: Report
  /** Undefined when it could not be read: then nobody's topics are known. */
  readonly image: MetadataImage | undefined
  /** After a clean stop the newest producer snapshot tells of open transactions; otherwise the log has to. */
  readonly hadCleanShutdown: boolean
}

/** Looks at everything under a log directory. Returns the partitions that it holds. */
export function checkPartitions(check: PartitionCheck, logDir: string): TopicPartition[] {
  const found: TopicPartition[] = []
  for (const { name, isDirectory } of check.files.list(logDir)) {
    if (!isDirectory) continue
    const kind = directoryKind(name)
    const path = `${logDir}/${name}`
    if (kind.kind === 'partition') {
      found.push(kind.topicPartition)
      checkPartition(check, path, kind.topicPartition)
    } else checkOther(check.report, path, name, kind.kind)
  }
  return found
}

function checkOther(report: Report, path: string, name: string, kind: string): void {
  if (kind === 'strange' || name === 'lost+found') {
    const message = 'Kafka does not start beside a directory that is not a partition'
    const fix = 'Put the data directory below this one, or move it away'
    report({ subject: path, severity: 'blocker', concerns: 'kafka', message, fix })
  } else if (kind === 'stray') {
    const message = 'Partition of a topic that the metadata does not know: nobody serves it'
    report({ subject: path, severity: 'note', concerns: 'both', message })
  } else if (kind === 'future') {
    const message = 'An unfinished move between log directories; Millrace leaves it alone'
    report({ subject: path, severity: 'warning', concerns: 'millrace', message })
  }
}

function checkPartition(check: PartitionCheck, path: string, at: TopicPartition): void {
  const { files, report } = check
  const names = files.list(path).map(({ name }) => name)
  checkIdentity(check, path, at)
  for (const name of names.filter((each) => each.endsWith('.log'))) {
    checkMagic(check, `${path}/${name}`)
  }
  checkTransactions(check, path)
  const cuts = names.filter((name) => name.includes('.log.cut-'))
  if (cuts.length > 0) {
    const message = `A recovery set ${cuts.length} pieces aside that it had to cut off (${cuts[0]})`
    const fix = 'Look at them with millrace inspect, then remove them'
    report({ subject: path, severity: 'note', concerns: 'both', message, fix })
  }
}

function checkIdentity(
  { files, report, image }: PartitionCheck,
  path: string,
  at: TopicPartition,
): void {
  if (!image) return
  const topic = image.topic(at.topic)
  const bytes = files.readFile(`${path}/${PARTITION_METADATA}`)
  const topicId = bytes && idOf(bytes)
  if (!topic?.partitions[at.partition]) {
    const message = `The metadata knows no partition ${partitionName(at)}: a start sets it aside as -stray`
    report({ subject: path, severity: 'warning', concerns: 'both', message })
  } else if (topicId === undefined) {
    const message = `The partition has no ${PARTITION_METADATA}: Kafka sets it aside as -stray and begins an empty one; Millrace writes the file`
    const fix = 'Have Millrace start here once'
    report({ subject: path, severity: 'blocker', concerns: 'kafka', message, fix })
  } else if (topicId instanceof StorageFault) {
    report({ subject: path, severity: 'blocker', concerns: 'both', message: topicId.message })
  } else if (topicId !== topic.id) {
    const message = `It belongs to topic id ${topicId}, not to ${topic.id}: a start sets it aside as -stray`
    report({ subject: path, severity: 'warning', concerns: 'both', message })
  }
}

function idOf(bytes: Uint8Array): string | StorageFault {
  try {
    return parsePartitionMetadata(bytes)
  } catch (error) {
    if (error instanceof StorageFault) return error
    throw error
  }
}

/** Kafka 4 reads the message formats of before 0.11; nothing here does. */
function checkMagic({ files, report }: PartitionCheck, path: string): void {
  const head = new Uint8Array(MAGIC_POSITION + 1)
  const file = files.open(path, 'read')
  try {
    if (file.read(head, 0) < head.length) return
  } finally {
    file.close()
  }
  const magic = head[MAGIC_POSITION] ?? OLDEST_MAGIC
  if (magic >= OLDEST_MAGIC) return
  const message = `The segment holds messages of format ${magic}, older than record batches (Kafka 0.11)`
  const fix = 'Have a Kafka write the topic again'
  report({ subject: path, severity: 'blocker', concerns: 'millrace', message, fix })
}

function checkTransactions(check: PartitionCheck, path: string): void {
  // Where there is no coordinator there are no transactions, and no log has to be read for them.
  const isClean = check.hadCleanShutdown || !check.image?.topic(TRANSACTION_TOPIC)
  const { open, damaged } = storedProducers(check.files, path, { isClean })
  for (const [producerId, since] of open) {
    const message = `Producer ${producerId} has had a transaction open since offset ${since}, and there is no transaction coordinator here yet`
    const fix = 'Let a Kafka end it first'
    check.report({ subject: path, severity: 'blocker', concerns: 'millrace', message, fix })
  }
  for (const { name, problem } of damaged) {
    const message = `The producer snapshot ${name} is damaged, and made again at the start: ${problem}`
    check.report({ subject: path, severity: 'note', concerns: 'both', message })
  }
}
