// Makes batches of records for callers that have records, not batches, and appends them to one partition.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import { buildBatch, type NewRecord } from '#storage/batch/batch-builder.ts'
import { BATCH_HEADER_BYTES } from '#storage/batch/record-batch.ts'
import { InvalidRecordsError } from '#storage/batch/validate.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { AppendResult } from '#storage/log/append.ts'
import type { Partition } from './partition.ts'

/** How the log refuses a batch for its size. */
const SIZES: ReadonlySet<KafkaErrorName> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** What became of one record. */
export type RecordOutcome = { readonly offset: number; readonly timestamp: Int64 } | KafkaError

/** What a writer has to know of the topic and the call. */
export interface RecordWrite {
  readonly maxMessageBytes: number
  readonly needsDisk: boolean
}

/** What became of a call. */
export interface WrittenRecords {
  /** One per record, in order. */
  readonly outcomes: readonly RecordOutcome[]
  /** The last offset that was appended; -1 when all records were refused. */
  readonly lastOffset: number
  /** Answer only after `whenCommitted(lastOffset)`: as asked for, or because `flush.messages` is due. */
  readonly needsDisk: boolean
}

/**
 * Appends `records` in order, in as few batches as `maxMessageBytes` and segments allow. A record that is refused (too large, a
 * timestamp out of bounds, no key on a compacted topic) does not hold up the others. Synchronous; the records' bytes are
 * copied. Throws StorageFault.
 */
export function writeRecords(
  partition: Partition,
  records: readonly NewRecord[],
  write: RecordWrite,
): WrittenRecords {
  const outcomes = new Array<RecordOutcome>(records.length)
  let lastOffset = -1
  let needsDisk = false
  for (const group of groupsOf(records, write.maxMessageBytes)) {
    const appended = appendGroup(partition, { records, group, outcomes }, write)
    if (appended === undefined) continue
    lastOffset = appended.lastOffset
    needsDisk ||= appended.needsDisk
  }
  return { outcomes, lastOffset, needsDisk }
}

/** The records of one batch, by index, and where their outcomes go. */
interface Group {
  readonly records: readonly NewRecord[]
  readonly group: readonly number[]
  readonly outcomes: RecordOutcome[]
}

/** Appends a group as one batch, without those that the log refuses; undefined when that leaves none. */
function appendGroup(
  partition: Partition,
  of: Group,
  write: RecordWrite,
): AppendResult | undefined {
  const { records, group, outcomes } = of
  const isWhole = group.length === records.length
  const batch = isWhole ? records : group.map((index) => records[index] as NewRecord)
  try {
    const appended = partition.append(buildBatch(batch), write)
    const { baseOffset, logAppendTime } = appended
    for (let position = 0; position < group.length; position++) {
      const { timestamp } = batch[position] as NewRecord
      const stored = logAppendTime === -1 ? timestamp : logAppendTime
      outcomes[group[position] as number] = { offset: baseOffset + position, timestamp: stored }
    }
    return appended
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    if (SIZES.has(error.code) && group.length > 1) return appendHalves(partition, of, write)
    const refusals = refusalsOf(error, group)
    for (const [index, refusal] of refusals) outcomes[index] = refusal
    const rest = group.filter((index) => !refusals.has(index))
    if (rest.length === 0) return undefined
    return appendGroup(partition, { records, group: rest, outcomes }, write)
  }
}

/** Together they are too much for the log, which may pack them anew or have small segments: none of them need be. */
function appendHalves(
  partition: Partition,
  { records, group, outcomes }: Group,
  write: RecordWrite,
): AppendResult | undefined {
  const middle = Math.ceil(group.length / 2)
  const [first, second] = [group.slice(0, middle), group.slice(middle)].map((half) =>
    appendGroup(partition, { records, group: half, outcomes }, write),
  )
  if (first === undefined || second === undefined) return first ?? second
  return { ...second, needsDisk: first.needsDisk || second.needsDisk }
}

/** Which records of the group the log refused: those that it named, or else all. */
function refusalsOf(error: KafkaError, group: readonly number[]): Map<number, KafkaError> {
  if (!(error instanceof InvalidRecordsError)) return new Map(group.map((index) => [index, error]))
  return new Map(
    error.recordErrors.map(({ index, message }) => [
      group[index] as number,
      new KafkaError(error.code, message),
    ]),
  )
}

/** Indexes of records in runs whose batch stays within `maxMessageBytes`; a record too large for any batch is alone. */
function groupsOf(records: readonly NewRecord[], maxMessageBytes: number): number[][] {
  const groups: number[][] = []
  let group: number[] = []
  let size = BATCH_HEADER_BYTES
  for (let index = 0; index < records.length; index++) {
    const recordSize = largestRecordBytes(records[index] as NewRecord)
    if (group.length > 0 && size + recordSize > maxMessageBytes) {
      groups.push(group)
      group = []
      size = BATCH_HEADER_BYTES
    }
    group.push(index)
    size += recordSize
  }
  if (group.length > 0) groups.push(group)
  return groups
}

/** An upper bound of a record's size in a batch: its bytes, and every varint at its longest. */
function largestRecordBytes({ key, value, headers }: NewRecord): number {
  const fixed = 5 + 1 + 10 + 5 + 5 + 5 + 5
  let size = fixed + (key?.length ?? 0) + (value?.length ?? 0)
  if (headers === undefined) return size
  for (const header of headers) size += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  return size
}
