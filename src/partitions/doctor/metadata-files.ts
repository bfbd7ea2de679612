// Reads a metadata log as it lies there, without opening it as a broker would: nothing is locked, cut or written.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import { readBatches } from '#storage/batch/record-batch.ts'
import type { Files } from '#storage/fs/files.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { replayMetadata } from '../../metadata/replay.ts'
import type { StoredRecord } from '../../metadata/store.ts'
import {
  listSnapshots,
  readSnapshot,
  snapshotName,
  storedRecords,
} from '../metadata-snapshot-file.ts'
import type { Report } from './finding.ts'

const SEGMENT = /^(\d{20})\.log$/

/** The image that a start would see; undefined when there is none to see, which is reported. */
export function readMetadata(
  files: Files,
  directory: string,
  report: Report,
): MetadataImage | undefined {
  try {
    return replayMetadata(records(files, directory, report)).image
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof StorageFault)) throw error
    report({
      subject: directory,
      severity: 'blocker',
      concerns:
        error instanceof KafkaError && error.code === 'UNSUPPORTED_VERSION' ? 'millrace' : 'both',
      message: `The metadata log can't be read: ${error.message}`,
    })
    return undefined
  }
}

function* records(files: Files, directory: string, report: Report): Generator<StoredRecord> {
  const snapshot = newestSnapshot(files, directory, report)
  yield* snapshot?.records ?? []
  const from = snapshot?.endOffset ?? 0
  const segments = files
    .list(directory)
    .map(({ name }) => name)
    .filter((name) => SEGMENT.test(name))
    .sort()
  let next = Number(SEGMENT.exec(segments[0] ?? '')?.[1] ?? from)
  if (next > from) {
    const detail = `${directory} begins at offset ${next}, and what was before is in no snapshot that can be read`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }
  for (const name of segments) {
    const bytes = files.readFile(`${directory}/${name}`) ?? new Uint8Array()
    let size = 0
    for (const batch of readBatches(bytes)) {
      if (!batch.isCrcValid()) break
      for (const record of storedRecords(batch)) if (record.offset >= from) yield record
      size += batch.sizeInBytes
      next = batch.nextOffset
    }
    if (size === bytes.length) continue
    report({
      subject: `${directory}/${name}`,
      severity: 'warning',
      concerns: 'both',
      message: `The metadata log is damaged, or torn, from byte ${size} on: a start cuts it at offset ${next}`,
    })
    return
  }
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
