// The snapshot files of the metadata log: `<end offset>-<epoch>.checkpoint`, written, found and read (KIP-630).
//
//   control batch: SnapshotHeader, KRaftVersion, KRaftVoters
//   batches of metadata records
//   control batch: SnapshotFooter
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { CONTROL_TYPE, controlType } from '#storage/batch/control-record.ts'
import { readRecords } from '#storage/batch/record.ts'
import { type RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Files } from '#storage/fs/files.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { imageRecords } from '../metadata/snapshot.ts'
import type { NewStoredRecord, StoredRecord } from '../metadata/store.ts'
import {
  CONTROL_RECORD_TYPES,
  encodeControlKey,
  KRaftVersionRecord,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from '../protocol/records/control-records.ts'
import { encodeMetadataRecord } from '../protocol/records/metadata-record.ts'

/** A snapshot by what its name says: it holds everything below `endOffset`, the last of it written in `epoch`. */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** Being written, or about to be removed: of no use to anyone after a crash. Kafka's parts have a random text in between. */
const LEFTOVER = /^\d{20}-\d{10}.*\.checkpoint\.(part|deleted)$/
/** A batch takes about 2 ms to make: between two of them others have their turn. */
const RECORDS_PER_BATCH = 2_000
/** And well below the 8 MiB that Kafka reads at a time: a config may be long. */
const BYTES_PER_BATCH = 1_048_576

/** The file's name. */
export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}

/** The snapshots in a directory, the oldest first. */
export function listSnapshots(files: Files, directory: string): SnapshotId[] {
  const names = files.list(directory).map(({ name }) => name)
  return names.sort().flatMap((name) => {
    const parts = NAME.exec(name)
    return parts ? [{ endOffset: Number(parts[1]), epoch: Number(parts[2]) }] : []
  })
}

/** Removes what a crash left of snapshots that were being written or removed. */
export function removeLeftovers(files: Files, directory: string): void {
  for (const { name } of files.list(directory)) {
    if (LEFTOVER.test(name)) files.remove(`${directory}/${name}`)
  }
}

/**
 * The records of a snapshot, checked as a whole before the first of them: what a cut one lacks would look as if it had
 * been deleted. Offsets inside mean nothing: the records carry its end offset - 1, and its epoch. Throws
 * KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE.
 */
export function readSnapshot(files: Files, directory: string, id: SnapshotId): StoredRecord[] {
  return readSnapshotFile(files, `${directory}/${snapshotName(id)}`, id)
}

/** The same for a file of any name. */
export function readSnapshotFile(files: Files, path: string, id: SnapshotId): StoredRecord[] {
  const bytes = files.readFile(path) ?? new Uint8Array()
  const records: StoredRecord[] = []
  let size = 0
  for (const batch of readBatches(bytes)) {
    size += batch.sizeInBytes
    for (const record of storedRecords(batch)) {
      records.push({ ...record, offset: id.endOffset - 1, epoch: id.epoch })
    }
  }
  const last = records.at(-1)
  const isWhole = last?.isControl && controlType(last) === CONTROL_TYPE.snapshotFooter
  if (isWhole && size === bytes.length) return records
  const detail = `The metadata snapshot ${path} is cut short: it has no footer`
  throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
}

/** The records of a batch of the metadata log. Throws CORRUPT_MESSAGE. */
export function* storedRecords(batch: RecordBatch): Generator<StoredRecord> {
  if (!batch.isCrcValid()) {
    const detail = `The metadata batch at offset ${batch.baseOffset} fails its checksum`
    throw new KafkaError('CORRUPT_MESSAGE', detail)
  }
  const { isControl, partitionLeaderEpoch: epoch } = batch
  for (const { offset, key, value } of readRecords(batch))
    yield { offset, epoch, isControl, key, value }
}

/**
 * Writes the image as a snapshot; when it resolves, the file is on disk under its name, or was given up because `signal`
 * aborted. The event loop is free between batches. The image must be committed; `lastTimestamp` is when its last record was. Rejects with the system's error; nothing
 * is left behind then but a `.part` file.
 */
export async function writeSnapshot(
  { files, clock, signal }: { files: Files; clock: Clock; signal: AbortSignal },
  directory: string,
  { image, lastTimestamp }: { readonly image: MetadataImage; readonly lastTimestamp: Int64 },
): Promise<void> {
  const id = { endOffset: image.offset + 1, epoch: image.epoch }
  const path = `${directory}/${snapshotName(id)}`
  const file = files.open(`${path}.part`, 'write')
  try {
    file.truncate(0)
    let position = 0
    for (const batch of snapshotBatches(image, lastTimestamp, clock.now())) {
      file.write(batch, position)
      position += batch.length
      await othersTurn(clock, signal)
      if (signal.aborted) return
    }
    await file.sync()
  } finally {
    file.close()
  }
  files.rename(`${path}.part`, path)
  await files.syncDirectory(directory)
}

/** Lets the event loop go round, or returns at once when the signal aborts. */
async function othersTurn(clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.after(0, resolve)
  const abort = () => resolve()
  signal.addEventListener('abort', abort)
  await promise
  timer.cancel()
  signal.removeEventListener('abort', abort)
}

function* snapshotBatches(
  image: MetadataImage,
  lastTimestamp: Int64,
  now: number,
): Generator<Uint8Array> {
  let baseOffset = 0
  const batch = (records: readonly NewStoredRecord[], isControl: boolean) => {
    const stamped = records.map((record) => ({ ...record, timestamp: now }))
    const bytes = buildBatch(stamped, { baseOffset, leaderEpoch: image.epoch, isControl })
    baseOffset += records.length
    return bytes
  }
  yield batch(headerRecords(image, lastTimestamp), true)
  let records: NewStoredRecord[] = []
  let size = 0
  for (const record of imageRecords(image)) {
    const value = encodeMetadataRecord(record)
    records.push({ key: null, value })
    size += value.length
    if (records.length < RECORDS_PER_BATCH && size < BYTES_PER_BATCH) continue
    yield batch(records, false)
    records = []
    size = 0
  }
  if (records.length > 0) yield batch(records, false)
  const value = SnapshotFooterRecord.encode({ version: 0 }, 0)
  yield batch([{ key: encodeControlKey(CONTROL_RECORD_TYPES.SNAPSHOT_FOOTER), value }], true)
}

function headerRecords(image: MetadataImage, lastContainedLogTimestamp: Int64): NewStoredRecord[] {
  const { kRaftVersion, voters } = image.state.quorum
  const header = {
    key: encodeControlKey(CONTROL_RECORD_TYPES.SNAPSHOT_HEADER),
    value: SnapshotHeaderRecord.encode({ version: 0, lastContainedLogTimestamp }, 0),
  }
  if (kRaftVersion < 1 || voters === undefined) return [header]
  return [
    header,
    {
      key: encodeControlKey(CONTROL_RECORD_TYPES.KRAFT_VERSION),
      value: KRaftVersionRecord.encode({ version: 0, kRaftVersion }, 0),
    },
    {
      key: encodeControlKey(CONTROL_RECORD_TYPES.KRAFT_VOTERS),
      value: VotersRecord.encode({ version: 0, voters }, 0),
    },
  ]
}
