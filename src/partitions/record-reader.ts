// Decodes records for callers that want records, not batches: HTTP and in-process readers.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName, type TopicPartition } from '#storage/base/topic-partition.ts'
import { openRecords } from '#storage/batch/open-records.ts'
import { type LogRecord, recordsOf } from '#storage/batch/record.ts'
import { type RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import type { LogSlice } from '#storage/log/log-slice.ts'
import type { AbortedTransaction } from '#storage/segment/transaction-index.ts'
import type { Partition } from './partition.ts'

/** What to read: at least one record when there is one, then up to the limits. */
export interface RecordRead {
  readonly offset: number
  /** Bytes of stored batches to look at. */
  readonly maxBytes: number
  readonly maxRecords: number
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** What one batch may hold once decompressed. */
  readonly maxDecompressedBytes: number
}

/** A record, and where it is from. */
export interface PlacedRecord extends LogRecord {
  readonly topic: string
  readonly partition: number
}

/** Records with bytes of their own, and where the next read goes on. */
export interface RecordsRead {
  readonly records: readonly PlacedRecord[]
  readonly nextOffset: number
}

/**
 * Reads and decodes. Control batches and records of aborted transactions (read_committed) are passed over. Every
 * batch's checksum is verified. Waits only for bytes that are not in memory yet, off the loop (RULES 10), and for large
 * batches to be unpacked.
 * Throws OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
 */
export async function readPartition(
  partition: Partition,
  request: RecordRead,
): Promise<RecordsRead> {
  const records: PlacedRecord[] = []
  let nextOffset = request.offset
  let bytesLeft = request.maxBytes
  for (;;) {
    const slice = partition.read(nextOffset, {
      maxBytes: Math.max(bytesLeft, 1),
      isolation: request.isolation,
    })
    if (slice.isCold) await slice.warm()
    const before = nextOffset
    nextOffset = await takeSlice(partition, slice, { ...request, offset: nextOffset }, records)
    bytesLeft -= slice.size
    // A slice never spans two segments: go on while nothing was found, or while there is room.
    const isAtEnd = nextOffset >= partition.readableEnd(request.isolation)
    const isFull = records.length >= request.maxRecords || (records.length > 0 && bytesLeft <= 0)
    if (isAtEnd || isFull || nextOffset === before) return { records, nextOffset }
  }
}

/** Adds the slice's records; returns the offset to go on with. */
async function takeSlice(
  partition: Partition,
  slice: LogSlice,
  request: RecordRead,
  records: PlacedRecord[],
): Promise<number> {
  let nextOffset = request.offset
  const aborted = new AbortedFilter(slice.abortedTransactions ?? [])
  const lease = slice.lease()
  try {
    for (const batch of readBatches(lease.bytes)) {
      nextOffset = await takeBatch(partition, batch, request, aborted, records)
      if (records.length >= request.maxRecords) break
    }
    return nextOffset
  } finally {
    lease.release()
  }
}

/** Adds the batch's records from `offset` on; returns the offset to go on with. */
async function takeBatch(
  partition: Partition,
  batch: RecordBatch,
  request: RecordRead,
  aborted: AbortedFilter,
  records: PlacedRecord[],
): Promise<number> {
  if (!batch.isCrcValid()) {
    const name = partitionName(partition.topicPartition)
    throw new KafkaError(
      'CORRUPT_MESSAGE',
      `The batch at offset ${batch.baseOffset} of ${name} fails its checksum`,
    )
  }
  if (batch.isControl || aborted.holds(batch)) return batch.nextOffset
  const opened = openRecords(batch, request.maxDecompressedBytes)
  const cursor = opened instanceof Promise ? await opened : opened
  for (const record of recordsOf(batch, cursor)) {
    if (record.offset < request.offset) continue
    if (records.length >= request.maxRecords) return record.offset
    records.push(owned(record, partition.topicPartition))
  }
  return batch.nextOffset
}

/** The record with bytes of its own: a slice's bytes are only lent. */
function owned(record: LogRecord, { topic, partition }: TopicPartition): PlacedRecord {
  const { offset, timestamp, key, value, headers } = record
  return {
    topic,
    partition,
    offset,
    timestamp,
    key: key === null ? null : key.slice(),
    value: value === null ? null : value.slice(),
    headers: headers.length === 0 ? NO_HEADERS : headers.map(ownedHeader),
  }
}

const NO_HEADERS: LogRecord['headers'] = []

function ownedHeader({ key, value }: LogRecord['headers'][number]) {
  return { key, value: value === null ? null : value.slice() }
}

/** Says which batches belong to aborted transactions, as a consumer does: in offset order, by producer. */
class AbortedFilter {
  readonly #transactions: readonly AbortedTransaction[]

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#transactions = transactions
  }

  holds(batch: RecordBatch): boolean {
    if (!batch.isTransactional || this.#transactions.length === 0) return false
    return this.#transactions.some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === batch.producerId &&
        batch.baseOffset >= firstOffset &&
        batch.lastOffset <= lastOffset,
    )
  }
}
