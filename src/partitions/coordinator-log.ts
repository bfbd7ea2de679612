// A partition as a coordinator keeps its state in it: records in as one batch, and all of them out again at the start.
import { KafkaError } from '#storage/base/errors.ts'
import { partitionName } from '#storage/base/topic-partition.ts'
import type { Clock } from '#storage/base/world.ts'
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { RecordCursor } from '#storage/batch/record.ts'
import { COMPRESSIONS, type RecordBatch, readBatches } from '#storage/batch/record-batch.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { readTransactionMarker } from '#storage/log/transaction-marker.ts'
import type { Partition } from './partition.ts'

/** Small enough that a slice of them never holds the loop for long. A batch that is larger is still taken whole. */
const READ_BYTES = 65_536
/** An upper bound of what a record takes in a batch besides key and value. */
const RECORD_OVERHEAD_BYTES = 36
const BATCH_OVERHEAD_BYTES = 64

/** Key and value of a record, as bytes. */
export interface KeyedRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** What a log holds, in order. The bytes are lent for the call. */
export interface LogSink {
  record(record: KeyedRecord, place: LoggedPlace): void
  /** A transaction of this producer has ended here. */
  marker(producerId: Int64, isCommitted: boolean): void
}

/** Where a record stands; the producer's fields are -1 outside transactions. */
export interface LoggedPlace {
  readonly offset: number
  readonly producerId: Int64
  readonly producerEpoch: number
}

/** How a batch is to be written. */
export interface CoordinatorAppend {
  /** Kafka's number of the codec. */
  readonly codec: number
  readonly needsDisk: boolean
}

/** One led partition of a coordinator's topic. */
export class CoordinatorLog {
  readonly #partition: Partition
  readonly #clock: Clock

  constructor(partition: Partition, clock: Clock) {
    this.#partition = partition
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#partition.isOpen
  }

  get endOffset(): number {
    return this.#partition.log.logEndOffset
  }

  /** What the batch of one append may take. */
  get maxBatchBytes(): number {
    return this.#partition.log.config.maxMessageBytes
  }

  /** Calls `wake` whenever offsets or the partition's life have changed; returns how to stop that. */
  watch(wake: () => void): () => void {
    return this.#partition.watch(wake)
  }

  /** Undefined when there is room to append; else to be awaited first (RULES 10). */
  room(): Promise<void> | undefined {
    return this.#partition.log.room()
  }

  /** Appends one batch. Throws what `PartitionLog.append` throws; nothing has changed then. */
  append(
    records: readonly KeyedRecord[],
    { codec, needsDisk }: CoordinatorAppend,
  ): { readonly baseOffset: number; readonly lastOffset: number } {
    const timestamp = this.#clock.now()
    const stamped = records.map(({ key, value }) => ({ key, value, timestamp }))
    const batch = buildBatch(stamped, { compression: COMPRESSIONS[codec] ?? 'none' })
    return this.#partition.append(batch, { needsDisk, origin: 'coordinator' })
  }

  /**
   * Undefined when everything up to `lastOffset` can be seen by anyone. Else resolves when it can, and rejects when
   * that can't happen any more.
   */
  whenCommitted(lastOffset: number): Promise<void> | undefined {
    const { log } = this.#partition
    return lastOffset < log.highWatermark ? undefined : log.whenCommitted(lastOffset)
  }

  /**
   * Gives the sink what the log holds from `offset` on, a small piece of it, and returns where to go on; the log's end
   * when there is no more. Waits for bytes that are not in memory, off the loop. Throws CORRUPT_MESSAGE and
   * KAFKA_STORAGE_ERROR rather than pass over anything.
   */
  async readOn(offset: number, sink: LogSink): Promise<number> {
    const { log } = this.#partition
    // Retention or a client may have removed the beginning meanwhile.
    const from = Math.max(offset, log.logStartOffset)
    if (from >= log.logEndOffset) return log.logEndOffset
    const slice = this.#partition.read(from, { maxBytes: READ_BYTES, isolation: 'log_end' })
    // Compaction may have left nothing up to the end.
    if (slice.size === 0) return log.logEndOffset
    if (slice.isCold) await slice.warm()
    const lease = slice.lease()
    try {
      let next = from
      for (const batch of readBatches(lease.bytes)) {
        this.#takeBatch(batch, from, sink)
        next = batch.nextOffset
      }
      if (next > from) return next
    } finally {
      lease.release()
    }
    const detail = `${partitionName(this.#partition.topicPartition)} can't be read at offset ${from}`
    throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
  }

  #takeBatch(batch: RecordBatch, from: number, sink: LogSink): void {
    if (!batch.isCrcValid()) {
      const name = partitionName(this.#partition.topicPartition)
      const detail = `The batch at offset ${batch.baseOffset} of ${name} fails its checksum`
      throw new KafkaError('CORRUPT_MESSAGE', detail)
    }
    if (batch.isControl) {
      const marker = readTransactionMarker(batch)
      if (marker && batch.baseOffset >= from) sink.marker(batch.producerId, !marker.isAbort)
      return
    }
    const { baseOffset, isTransactional } = batch
    const producerId = isTransactional ? batch.producerId : -1
    const producerEpoch = isTransactional ? batch.producerEpoch : -1
    const cursor = new RecordCursor(batch, this.#partition.log.config.maxDecompressedBytes)
    while (cursor.next()) {
      const offset = baseOffset + cursor.offsetDelta
      const key = cursor.key()
      // Without a key it could never have been written by a coordinator.
      if (offset < from || key === null) continue
      sink.record({ key, value: cursor.value() }, { offset, producerId, producerEpoch })
    }
  }
}

/** Runs of records whose batch stays within `maxBytes`; a record too large for any batch is alone. */
export function* batchesWithin(
  records: readonly KeyedRecord[],
  maxBytes: number,
): Generator<{ readonly from: number; readonly to: number }> {
  let from = 0
  let size = BATCH_OVERHEAD_BYTES
  for (const [index, { key, value }] of records.entries()) {
    const recordSize = key.length + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES
    if (index > from && size + recordSize > maxBytes) {
      yield { from, to: index }
      from = index
      size = BATCH_OVERHEAD_BYTES
    }
    size += recordSize
  }
  if (records.length > from) yield { from, to: records.length }
}
