// Reads a metadata log as it lies there, without opening it as a broker would: nothing is locked, cut or written.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import type { Files } from '#storage/fs/files.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { type ReplayedMetadata, replayMetadata } from '../../metadata/replay.ts'
import type { StoredRecord } from '../../metadata/store.ts'
import {
  listSnapshots,
  readSnapshot,
  snapshotName,
  storedRecords,
} from '../metadata-snapshot-file.ts'
import type { Report } from './finding.ts'
import { storedBatches, storedSegments } from './stored-batches.ts'

/** What a start would replay. */
export interface StoredMetadata extends ReplayedMetadata {
  /** Where the log ends. */
  readonly endOffset: number
  /** What of it stands behind the newest snapshot. */
  readonly bytesSinceSnapshot: number
}

/** The image that a start would see; undefined when there is none to see, which is reported. */
export function readMetadata(
  files: Files,
  directory: string,
  report: Report,
): MetadataImage | undefined {
  try {
    return scanMetadata(files, directory, report).image
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
    report({
      subject: directory,
      severity: 'blocker',
      // Kafka 4.3 knows the same records.
      concerns: 'both',
      message: `The metadata log can't be read: ${error.message}`,
    })
    return undefined
  }
}

/**
 * Replays the newest snapshot that can be read and the log behind it, up to where the log is damaged. Throws
 * UNSUPPORTED_VERSION for records that are not known, CORRUPT_MESSAGE and KAFKA_STORAGE_ERROR for what makes no sense.
 */
export function scanMetadata(files: Files, directory: string, report: Report): StoredMetadata {
  const end = { endOffset: 0, bytesSinceSnapshot: 0 }
  const replayed = replayMetadata(records(files, directory, report, end))
  return { ...replayed, ...end }
}

function* records(
  files: Files,
  directory: string,
  report: Report,
  end: { endOffset: number; bytesSinceSnapshot: number },
): Generator<StoredRecord> {
  const snapshot = newestSnapshot(files, directory, report)
  yield* snapshot?.records ?? []
  const from = snapshot?.endOffset ?? 0
  end.endOffset = from
  const segments = storedSegments(files, directory)
  const first = segments[0]?.baseOffset ?? from
  if (first > from) {
    const detail = `${directory} begins at offset ${first}, and what was before is in no snapshot that can be read`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
  const batches = storedBatches(files, segments, from)
  let next = batches.next()
  for (; next.done !== true; next = batches.next()) {
    const batch = next.value
    for (const record of storedRecords(batch)) if (record.offset >= from) yield record
    end.endOffset = batch.nextOffset
    end.bytesSinceSnapshot += batch.sizeInBytes
  }
  if (next.value === undefined) return
  const { path, position, nextOffset } = next.value
  report({
    subject: path,
    severity: 'warning',
    concerns: 'both',
    message: `The metadata log is damaged, or torn, from byte ${position} on: a start cuts it at offset ${nextOffset}`,
  })
}

function newestSnapshot(files: Files, directory: string, report: Report) {
  for (const id of listSnapshots(files, directory).reverse()) {
    try {
      return { ...id, records: readSnapshot(files, directory, id) }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      report({
        subject: `${directory}/${snapshotName(id)}`,
        severity: 'warning',
        concerns: 'kafka',
        message: `The snapshot is damaged: ${error.message}`,
        fix: 'Remove it when the log is whole, or an older snapshot is there',
      })
    }
  }
  return undefined
}
