// The `bootstrap.checkpoint` file: what `kafka-storage format` has the first start begin with.
import type { Files } from '#storage/fs/files.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { ImageBuilder } from '../../metadata/image-builder.ts'
import {
  decodeMetadataRecord,
  type MetadataRecord,
} from '../../protocol/records/metadata-record.ts'
import { readSnapshotFile } from '../metadata-snapshot-file.ts'

/** In the root of the metadata directory. */
const BOOTSTRAP_CHECKPOINT = 'bootstrap.checkpoint'

/**
 * The features of the release that a log directory was formatted for, and credentials if any were given; undefined when
 * there is no such file. It means something only as long as the metadata log has no features. Throws
 * KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE, UNSUPPORTED_VERSION.
 */
export function formattedWith(files: Files, logDir: string): MetadataRecord[] | undefined {
  const path = `${logDir}/${BOOTSTRAP_CHECKPOINT}`
  if (!files.status(path)) return undefined
  const records = readSnapshotFile(files, path, { endOffset: 0, epoch: 0 })
  return records.flatMap(({ isControl, value }) =>
    isControl || value === null ? [] : [decodeMetadataRecord(value)],
  )
}

/** The image with the records applied. */
export function withRecords(
  image: MetadataImage,
  records: readonly MetadataRecord[],
): MetadataImage {
  const builder = new ImageBuilder(image)
  for (const record of records) builder.apply(record)
  return builder.build({ offset: image.offset, epoch: image.epoch })
}
