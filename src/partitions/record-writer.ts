// Makes batches of records for callers that have records, not batches, and appends them to one partition.
import { KafkaError } from '#storage/base/errors.ts'
import { buildBatch, type NewRecord } from '#storage/batch/batch-builder.ts'
import { BATCH_HEADER_BYTES } from '#storage/batch/record-batch.ts'
import { InvalidRecordsError } from '#storage/batch/validate.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { Partition } from './partition.ts'

/** What became of one record. */
export type RecordOutcome = { readonly offset: number; readonly timestamp: Int64 } | KafkaError

/** What a writer has to know of the topic and the call. */
export interface RecordWrite {
  readonly maxMessageBytes: number
  readonly needsDisk: boolean
}

/**
 * Appends `records` in order, in as few batches as `maxMessageBytes` allows. A record that is refused (too large, a
 * timestamp out of bounds, no key on a compacted topic) does not hold up the others. Returns one outcome per record and
 * the last offset appended (-1 for none). Synchronous; the records' bytes are copied.
 */
export function writeRecords(
  partition: Partition,
  records: readonly NewRecord[],
  write: RecordWrite,
): { outcomes: readonly RecordOutcome[]; lastOffset: number } {
  const outcomes = new Array<RecordOutcome>(records.length)
  let lastOffset = -1
  for (const group of groupsOf(records, write.maxMessageBytes)) {
    lastOffset = Math.max(lastOffset, appendGroup(partition, records, group, write, outcomes))
  }
  return { outcomes, lastOffset }
}

/** Appends the records at these indexes as one batch, without those that the log refuses; returns the last offset or -1. */
function appendGroup(
  partition: Partition,
  records: readonly NewRecord[],
  group: readonly number[],
  write: RecordWrite,
  outcomes: RecordOutcome[],
): number {
  const batch = buildBatch(group.map((index) => records[index] as NewRecord))
  try {
    const { baseOffset, lastOffset, logAppendTime } = partition.append(batch, write)
    for (const [position, index] of group.entries()) {
      const timestamp =
        logAppendTime === -1 ? (records[index] as NewRecord).timestamp : logAppendTime
      outcomes[index] = { offset: baseOffset + position, timestamp }
    }
    return lastOffset
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const refused = new Map<number, KafkaError>()
    if (error instanceof InvalidRecordsError) {
      for (const { index, message } of error.recordErrors) {
        refused.set(group[index] as number, new KafkaError(error.code, message))
      }
    }
    const rest = group.filter((index) => !refused.has(index))
    const isWholeBatch = refused.size === 0
    for (const index of group)
      if (isWholeBatch || refused.has(index)) outcomes[index] = refused.get(index) ?? error
    return isWholeBatch || rest.length === 0
      ? -1
      : appendGroup(partition, records, rest, write, outcomes)
  }
}

/** Indexes of records in runs whose batch stays within `maxMessageBytes`; a record too large for any batch is alone. */
function* groupsOf(records: readonly NewRecord[], maxMessageBytes: number): Generator<number[]> {
  let group: number[] = []
  let size = BATCH_HEADER_BYTES
  for (const [index, record] of records.entries()) {
    const recordSize = largestRecordBytes(record)
    if (group.length > 0 && size + recordSize > maxMessageBytes) {
      yield group
      group = []
      size = BATCH_HEADER_BYTES
    }
    group.push(index)
    size += recordSize
  }
  if (group.length > 0) yield group
}

/** An upper bound of a record's size in a batch: its bytes, and every varint at its longest. */
function largestRecordBytes({ key, value, headers = [] }: NewRecord): number {
  const fixed = 5 + 1 + 10 + 5 + 5 + 5 + 5
  let size = fixed + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) size += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  return size
}
