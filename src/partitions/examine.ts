// What a start looks at before it writes anything: whether this broker may take over what lies there (RULES 17).
import { KafkaError, systemCode } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import { directoryKind, METADATA_PARTITION } from '#storage/directory-names.ts'
import type { Files } from '#storage/fs/files.ts'
import { CLEAN_SHUTDOWN_FILE } from '#storage/state/clean-shutdown.ts'
import { type BlockerOptions, startBlockers } from '../metadata/blockers.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../protocol/records/metadata-record.ts'
import { formattedWith, withRecords } from './doctor/bootstrap-file.ts'
import { type StoredMetadata, scanMetadata } from './doctor/metadata-files.ts'
import { storedProducers, TRANSACTION_TOPIC } from './doctor/stored-producers.ts'

/** What is examined. */
export interface Examination {
  readonly files: Files
  readonly logDirs: readonly string[]
  /** The one that holds the metadata log. */
  readonly metadataPath: string
  /** `directory.id` of that one; undefined when it has none yet. */
  readonly metadataDirectoryId: Uuid | undefined
  readonly rules: Omit<BlockerOptions, 'metadataDirectoryId'>
}

/** What lies there. */
export interface Examined {
  /** The metadata as a start would find them; undefined when there are none. */
  readonly metadata: StoredMetadata | undefined
  /** What a metadata log begins with that has not begun yet; undefined when the directory says nothing of it. */
  readonly bootstrap: readonly MetadataRecord[] | undefined
}

/**
 * Looks, and writes nothing. Throws UNSUPPORTED_VERSION and
 * INVALID_TXN_STATE for what this broker must not start on, and what `scanMetadata` throws.
 */
export function examine(examination: Examination): Examined {
  const { files, metadataPath, metadataDirectoryId, rules, logDirs } = examination
  const name = partitionName(METADATA_PARTITION)
  const directory = `${metadataPath}/${name}`
  const other = logDirs.find((path) => path !== metadataPath && files.status(`${path}/${name}`))
  if (other !== undefined) {
    const detail = `The data directory ${other} holds a metadata log too, besides ${metadataPath}; name the right one in metadata.log.dir, and move the other away`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
  const isThere = files.status(directory)?.isDirectory === true
  // What is damaged is told by the start itself.
  const found = isThere ? scanMetadata(files, directory, () => undefined) : undefined
  const stored = found?.image ?? EMPTY_IMAGE
  const bootstrap = stored.features.has('metadata.version')
    ? undefined
    : formattedWith(files, metadataPath)
  const image = bootstrap ? withRecords(stored, bootstrap) : stored
  const blockers = startBlockers(image, {
    ...rules,
    metadataDirectoryId: metadataDirectoryId ?? '',
  })
  if (blockers.length > 0) throw new KafkaError('UNSUPPORTED_VERSION', blockers.join('\n'))
  if (image.topic(TRANSACTION_TOPIC)) refuseOpenTransactions(files, logDirs, image)
  return { metadata: found, bootstrap }
}

/** Nobody here could end a transaction that a Kafka left open: its partition's readers would wait for ever. */
function refuseOpenTransactions(
  files: Files,
  logDirs: readonly string[],
  image: MetadataImage,
): void {
  const open = logDirs.flatMap((path) => openTransactions(files, path, image))
  if (open.length > 0) throw new OpenTransactions(open.length, open[0] ?? '')
}

/** The partitions that have one, and since when. A disk that fails here fails at its load too, which knows what to do. */
function openTransactions(files: Files, path: string, image: MetadataImage): string[] {
  const open: string[] = []
  try {
    const isClean = files.status(`${path}/${CLEAN_SHUTDOWN_FILE}`) !== undefined
    for (const { name } of files.list(path)) {
      const kind = directoryKind(name)
      if (kind.kind !== 'partition') continue
      const { topic, partition } = kind.topicPartition
      if (!image.topic(topic)?.partitions[partition]) continue
      const [since] = storedProducers(files, `${path}/${name}`, { isClean }).open.values()
      if (since !== undefined) open.push(`${name} since offset ${since}`)
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
  return open
}

/** Thrown when a transaction is open that only a Kafka can end. */
export class OpenTransactions extends KafkaError {
  constructor(count: number, example: string) {
    super(
      'INVALID_TXN_STATE',
      `${count} partitions have an open transaction, such as ${example}, and there is no transaction coordinator yet; let a Kafka end them first`,
    )
  }
}
