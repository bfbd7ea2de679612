// A log of a terabyte that takes little room: whole, valid segments whose records are zeros, which are holes in the files.
import { buildBatch } from '#storage/batch/batch-builder.ts'
import type { Files } from '#storage/fs/files.ts'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { segmentPath } from '#storage/segment/segment-files.ts'
import { TimeIndex } from '#storage/segment/time-index.ts'
import {
  LEADER_EPOCH_CHECKPOINT,
  serializeLeaderEpochs,
} from '#storage/state/leader-epoch-cache.ts'
import {
  PARTITION_METADATA,
  serializePartitionMetadata,
} from '#storage/state/partition-metadata.ts'
import { serializeProducerSnapshot } from '#storage/state/producer-snapshot.ts'

const MIB = 1_048_576
/** The value of a large record. Its bytes are all zero, so the file system stores but the batch's head. */
const LARGE_VALUE_BYTES = 127 * MIB
/** More than a batch's header and its first record's. */
const HEAD_BYTES = 128
/** Of a full segment: just below a GiB, as Kafka's own are. */
const LARGE_BATCHES = 8

/** What was written. */
export interface BigLog {
  readonly baseOffsets: readonly number[]
  readonly logEndOffset: number
  readonly sizeInBytes: number
}

/**
 * Writes a partition's directory as a Kafka leaves it at a clean stop. Each segment begins with a small record, whose value
 * is its base offset and whose timestamp is `timestamp` and a millisecond more for each segment; large ones follow. The
 * last segment has only one of these. Every batch is whole, its checksum too: it covers neither offset nor epoch.
 */
export function writeBigLog(
  files: Files,
  directory: string,
  options: { readonly segments: number; readonly topicId: string; readonly timestamp: number },
): BigLog {
  const { segments, topicId, timestamp } = options
  const value = new Uint8Array(LARGE_VALUE_BYTES)
  const large = buildBatch([{ value, timestamp }], { leaderEpoch: 0 })
  const head = large.slice(0, HEAD_BYTES)
  if (large.subarray(HEAD_BYTES).some((byte) => byte !== 0)) throw new Error('More than zeros')
  files.makeDirectory(directory)
  const baseOffsets: number[] = []
  let offset = 0
  let sizeInBytes = 0
  for (let number = 0; number < segments; number++) {
    const base = offset
    baseOffsets.push(base)
    const offsets = new OffsetIndex(base)
    const times = new TimeIndex(base)
    const log = files.open(segmentPath(directory, base, 'log'), 'create')
    const small = buildBatch([
      { value: new TextEncoder().encode(String(base)), timestamp: timestamp + number },
    ])
    new DataView(small.buffer).setBigInt64(0, BigInt(base))
    new DataView(small.buffer).setInt32(12, 0)
    log.write(small, 0)
    times.maybeAppend({ timestamp: timestamp + number, offset })
    let position = small.length
    offset++
    for (let count = number === segments - 1 ? 1 : LARGE_BATCHES; count > 0; count--) {
      new DataView(head.buffer).setBigInt64(0, BigInt(offset))
      log.write(head, position)
      offsets.append({ offset, position })
      position += large.length
      offset++
    }
    log.truncate(position)
    log.close()
    write(files, segmentPath(directory, base, 'index'), offsets.unwritten().bytes)
    write(files, segmentPath(directory, base, 'timeindex'), times.unwritten().bytes)
    sizeInBytes += position
  }
  // A Kafka keeps one for each segment; only the newest two are ever looked at.
  for (const at of [...baseOffsets.slice(-1), offset]) {
    write(files, segmentPath(directory, at, 'snapshot'), serializeProducerSnapshot([]))
  }
  write(files, `${directory}/${PARTITION_METADATA}`, serializePartitionMetadata(topicId))
  const epochs = serializeLeaderEpochs([{ epoch: 0, startOffset: 0 }])
  write(files, `${directory}/${LEADER_EPOCH_CHECKPOINT}`, epochs)
  return { baseOffsets, logEndOffset: offset, sizeInBytes }
}

/** Writes a file whole. */
export function write(files: Files, path: string, bytes: Uint8Array): void {
  const file = files.open(path, 'write')
  file.truncate(0)
  file.write(bytes, 0)
  file.close()
}
