// Inspects one file, by what its name says it is.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import type { Files } from '#storage/fs/files.ts'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { parseSegmentFileName, type SegmentFileName } from '#storage/segment/segment-files.ts'
import { TimeIndex } from '#storage/segment/time-index.ts'
import { TransactionIndex } from '#storage/segment/transaction-index.ts'
import { CLEAN_SHUTDOWN_FILE, parseCleanShutdown } from '#storage/state/clean-shutdown.ts'
import { LEADER_EPOCH_CHECKPOINT, parseLeaderEpochs } from '#storage/state/leader-epoch-cache.ts'
import { META_PROPERTIES, parseMetaProperties } from '#storage/state/meta-properties.ts'
import {
  CLEANER_CHECKPOINT,
  LOG_START_CHECKPOINT,
  parseOffsetCheckpoint,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
} from '#storage/state/offset-checkpoint.ts'
import { PARTITION_METADATA, parsePartitionMetadata } from '#storage/state/partition-metadata.ts'
import { parseProducerSnapshot } from '#storage/state/producer-snapshot.ts'
import { parseQuorumState, QUORUM_STATE_FILE } from '#storage/state/quorum-state.ts'
import { parseSums, SUMS_FILE } from '#storage/state/sums.ts'
import { type EntryEvent, fault, type InspectEvent, type InspectOptions } from './inspect-event.ts'
import { inspectLog } from './inspect-log.ts'

type Fields = EntryEvent['fields']

/** How a small file is read: what it is, and its entries. Readers throw KafkaError or StorageFault on damage. */
interface FileReader {
  readonly type: string
  /** Whether there may be very many entries: they are listed with the batches only. */
  readonly isLong?: boolean
  readonly entries: (bytes: Uint8Array) => Iterable<Fields>
}

/** The directory of the metadata log begins so. */
const METADATA_TOPIC = '__cluster_metadata-'

const BY_NAME: ReadonlyMap<string, FileReader> = new Map([
  [META_PROPERTIES, { type: 'data directory identity', entries: metaProperties }],
  [
    PARTITION_METADATA,
    { type: 'topic id', entries: (bytes) => [{ topicId: parsePartitionMetadata(bytes) }] },
  ],
  [
    QUORUM_STATE_FILE,
    { type: 'quorum state', entries: (bytes) => [{ ...parseQuorumState(bytes) }] },
  ],
  [CLEAN_SHUTDOWN_FILE, { type: 'clean shutdown marker', entries: cleanShutdown }],
  [
    LEADER_EPOCH_CHECKPOINT,
    { type: 'leader epochs', entries: (bytes) => parseLeaderEpochs(bytes).map(fieldsOf) },
  ],
  [SUMS_FILE, { type: 'checksums of other files', entries: sums }],
  ...[
    RECOVERY_POINT_CHECKPOINT,
    REPLICATION_CHECKPOINT,
    LOG_START_CHECKPOINT,
    CLEANER_CHECKPOINT,
  ].map((name): [string, FileReader] => [name, offsetCheckpoint(name)]),
])

/** Whether a file name is one that an inspection can read. */
export function isInspectable(name: string): boolean {
  return (
    BY_NAME.has(name) || logOf('', name) !== undefined || parseSegmentFileName(name) !== undefined
  )
}

/** Inspects the file `name` of `directory`; undefined when its name says nothing. `isActive`: see `LogFile`. */
export function inspectFile(
  files: Files,
  { directory, name, isActive }: { directory: string; name: string; isActive: boolean },
  options: InspectOptions,
): Generator<InspectEvent> | undefined {
  const path = `${directory}/${name}`
  const log = logOf(directory, name)
  if (log !== undefined) return inspectLog(files, { ...log, isActive }, options)
  const segmentFile = parseSegmentFileName(name)
  const reader = BY_NAME.get(name) ?? (segmentFile && segmentReader(segmentFile))
  return reader === undefined ? undefined : readEntries(files, path, reader, options)
}

/** A log by its file name: a segment, one that was renamed, a snapshot of the metadata log, or a tail that was cut away. */
function logOf(directory: string, name: string) {
  const path = `${directory}/${name}`
  const isMetadata = directory.split('/').at(-1)?.startsWith(METADATA_TOPIC) === true
  const segment = parseSegmentFileName(name)
  if (segment?.kind === 'log') {
    const sibling = (extension: string) => path.replace(/\.log(\.\w+)?$/, `.${extension}$1`)
    const indexes = { indexPath: sibling('index'), timeIndexPath: sibling('timeindex') }
    return { path, baseOffset: segment.offset, isMetadata, ...indexes }
  }
  // Metadata snapshots begin at offset 0, whatever the offset in their name.
  if (/\.checkpoint$/.test(name)) return { path, baseOffset: undefined, isMetadata: true }
  return /\.log\.cut-\d+$/.test(name) ? { path, baseOffset: undefined, isMetadata } : undefined
}

function* readEntries(
  files: Files,
  path: string,
  reader: FileReader,
  options: InspectOptions,
): Generator<InspectEvent> {
  const bytes = files.readFile(path)
  // A running broker may have removed it since the directory was listed.
  if (bytes === undefined) return
  yield { kind: 'file', path, type: reader.type, sizeInBytes: bytes.length }
  try {
    let count = 0
    const isListed = reader.isLong !== true || options.batches
    for (const fields of reader.entries(bytes)) {
      count++
      if (isListed) yield { kind: 'entry', fields }
    }
    yield { kind: 'summary', path, fields: { entries: count } }
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
    yield fault(path, error.message)
  }
}

function segmentReader({ offset, kind }: SegmentFileName): FileReader | undefined {
  switch (kind) {
    case 'index':
      return {
        type: 'offset index',
        isLong: true,
        entries: (bytes) => indexEntries(OffsetIndex.parse(offset, bytes)),
      }
    case 'timeindex':
      return {
        type: 'time index',
        isLong: true,
        entries: (bytes) => indexEntries(TimeIndex.parse(offset, bytes)),
      }
    case 'txnindex':
      return { type: 'aborted transactions', entries: (bytes) => transactionEntries(offset, bytes) }
    case 'snapshot':
      return {
        type: 'producer snapshot',
        entries: (bytes) => parseProducerSnapshot(bytes).map(fieldsOf),
      }
    default:
      return undefined
  }
}

function* indexEntries<T extends object>(index: {
  readonly entries: number
  entryAt(at: number): T
}): Generator<Fields> {
  for (let at = 0; at < index.entries; at++) yield fieldsOf(index.entryAt(at))
}

function* transactionEntries(baseOffset: number, bytes: Uint8Array): Generator<Fields> {
  const index = TransactionIndex.parse(baseOffset, bytes)
  yield* indexEntries(index)
  const problem = index.validate()
  if (problem !== undefined) throw new KafkaError('CORRUPT_MESSAGE', problem)
}

function metaProperties(bytes: Uint8Array): Fields[] {
  const { clusterId, nodeId, directoryId } = parseMetaProperties(bytes)
  return [{ clusterId: clusterId ?? null, nodeId, directoryId: directoryId ?? null }]
}

function cleanShutdown(bytes: Uint8Array): Fields[] {
  return [{ brokerEpoch: parseCleanShutdown(bytes) }]
}

function offsetCheckpoint(name: string): FileReader {
  const entries = (bytes: Uint8Array) =>
    [...parseOffsetCheckpoint(bytes, name)].map(([partition, offset]) => ({ partition, offset }))
  return { type: name.replaceAll('-', ' '), entries }
}

function sums(bytes: Uint8Array): Fields[] {
  const found = parseSums(bytes)
  if (found === undefined) throw new StorageFault(`The file ${SUMS_FILE} is damaged`)
  return [...found].map(([file, { sizeInBytes, crc }]) => ({
    file,
    sizeInBytes,
    crc: crc.toString(16).padStart(8, '0'),
  }))
}

/** The members of an object that a line can show. */
function fieldsOf(value: object): Fields {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'number' ? member : String(member),
    ]),
  )
}
