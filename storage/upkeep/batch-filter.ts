// What compaction leaves of one batch: Kafka's rules (`Cleaner.cleanInto`, `MemoryRecords.filterTo`, KIP-534).
import type { TimeSlices } from '../base/time-slices.ts'
import { buildBatch, type NewRecord } from '../batch/batch-builder.ts'
import { openRecords } from '../batch/open-records.ts'
import type { RecordCursor } from '../batch/record.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import { addInt64, type Int64 } from '../bytes/int64.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { OffsetMap } from './offset-map.ts'

/** The last that a producer wrote into a log: it must stay recognisable. */
export interface LastOfProducer {
  /** -1 when no data of it is known: then its last marker counts. */
  readonly lastDataOffset: number
  readonly producerEpoch: number
}

/** What decides about records. */
export interface CleaningRules {
  readonly map: OffsetMap
  readonly transactions: CleanedTransactions
  readonly producers: ReadonlyMap<Int64, LastOfProducer>
  /** The batch that ends here stays, if only as a header, so that the log does not seem to end earlier. */
  readonly endOffset: number
  readonly now: number
  readonly deleteRetentionMs: number
  readonly maxDecompressedBytes: number
}

/** Records between two looks at the clock. */
const SLICE_RECORDS = 64

/** Decides about batches, in the order of the log. */
export class BatchFilter {
  readonly #rules: CleaningRules
  readonly #slices: TimeSlices

  constructor(rules: CleaningRules, slices: TimeSlices) {
    this.#rules = rules
    this.#slices = slices
  }

  /**
   * The bytes that stay: those of `batch` itself when all of its records do, else a batch built anew in memory of its
   * own; undefined when nothing stays. A batch built anew keeps offsets, epoch, producer and codec.
   */
  async filter(batch: RecordBatch): Promise<Uint8Array | undefined> {
    const { transactions, maxDecompressedBytes } = this.#rules
    const { isControl } = batch
    const isVoid = isControl ? transactions.readControl(batch) : transactions.readBatch(batch)
    const isDiscarded = isVoid && (!isControl || this.#isPastHorizon(batch))
    const opened = isDiscarded ? undefined : openRecords(batch, maxDecompressedBytes)
    const cursor = opened instanceof Promise ? await opened : opened
    const { kept, hasTombstones } = await this.#choose(batch, cursor)
    if (!cursor || kept.length === 0) {
      return this.#mustStay(batch) ? buildBatch([], headerOf(batch)) : undefined
    }
    const isHorizonDue = !batch.hasDeleteHorizon && (hasTombstones || (isControl && isVoid))
    if (kept.length === batch.recordCount && !isHorizonDue) return batch.bytes
    return await this.#rebuild(batch, cursor, { kept, isHorizonDue })
  }

  /** The numbers of the records that stay. */
  async #choose(batch: RecordBatch, cursor: RecordCursor | undefined) {
    const kept: number[] = []
    let hasTombstones = false
    for (let number = 0; cursor?.next(); number++) {
      if (number % SLICE_RECORDS === SLICE_RECORDS - 1 && this.#slices.isOver) {
        await this.#slices.breathe()
      }
      if (!batch.isControl && !this.#staysRecord(batch, cursor)) continue
      kept.push(number)
      hasTombstones ||= !cursor.hasValue
    }
    return { kept, hasTombstones }
  }

  #staysRecord(batch: RecordBatch, cursor: RecordCursor): boolean {
    const { map } = this.#rules
    const offset = batch.baseOffset + cursor.offsetDelta
    if (offset > map.latestOffset) return true
    // Without a key nothing could ever replace it.
    if (!cursor.hasKey) return false
    if (offset < map.get(cursor.unpacked, cursor.keyStart, cursor.keyEnd)) return false
    return cursor.hasValue || !this.#isPastHorizon(batch)
  }

  /** Whether the time has come at which tombstones and markers of the batch may go. */
  #isPastHorizon({ hasDeleteHorizon, baseTimestamp }: RecordBatch): boolean {
    return hasDeleteHorizon && baseTimestamp <= this.#rules.now
  }

  /** Whether the header is needed even without records. */
  #mustStay(batch: RecordBatch): boolean {
    if (batch.nextOffset === this.#rules.endOffset) return true
    const last = batch.hasProducerId ? this.#rules.producers.get(batch.producerId) : undefined
    if (!last) return false
    if (last.lastDataOffset >= 0) return batch.lastOffset === last.lastDataOffset
    return batch.isControl && batch.producerEpoch === last.producerEpoch
  }

  async #rebuild(
    batch: RecordBatch,
    cursor: RecordCursor,
    { kept, isHorizonDue }: { kept: readonly number[]; isHorizonDue: boolean },
  ): Promise<Uint8Array> {
    const { now, deleteRetentionMs } = this.#rules
    const isAppendTime = batch.timestampType === 'LogAppendTime'
    const { baseTimestamp, maxTimestamp } = batch
    const records: NewRecord[] = []
    cursor.rewind()
    for (let number = 0; cursor.next(); number++) {
      if (number % SLICE_RECORDS === SLICE_RECORDS - 1 && this.#slices.isOver) {
        await this.#slices.breathe()
      }
      if (kept[records.length] !== number) continue
      records.push({
        timestamp: isAppendTime ? maxTimestamp : addInt64(baseTimestamp, cursor.timestampDelta),
        offsetDelta: cursor.offsetDelta,
        body: cursor.body(),
      })
    }
    const horizon = isHorizonDue ? now + deleteRetentionMs : baseTimestamp
    const hasHorizon = isHorizonDue || batch.hasDeleteHorizon
    const { maxTimestamp: largest, ...header } = headerOf(batch)
    return buildBatch(records, {
      ...header,
      compression: batch.compression,
      ...(isAppendTime && { maxTimestamp: largest }),
      ...(hasHorizon && { deleteHorizon: horizon }),
    })
  }
}

/** What a batch built anew keeps. */
function headerOf(batch: RecordBatch) {
  return {
    baseOffset: batch.baseOffset,
    leaderEpoch: batch.partitionLeaderEpoch,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    lastOffsetDelta: batch.lastOffsetDelta,
  }
}
