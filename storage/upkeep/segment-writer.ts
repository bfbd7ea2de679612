// Writes what stays of a group of segments into a new one, in large pieces.
import { KafkaError } from '../base/errors.ts'
import { RecordBatch } from '../batch/record-batch.ts'
import type { Segment } from '../segment/segment.ts'
import type { AbortedTransaction } from '../segment/transaction-index.ts'

/** What may wait in the page cache: a sync of more than this at the end would stall everyone's. */
const UNSYNCED_BYTES = 16 * 1_048_576
const LARGEST_POSITION = 2_147_483_647

/** Collects batches and appends them to a segment that is not part of a log yet. */
export class SegmentWriter {
  readonly #segment: Segment
  readonly #indexIntervalBytes: number
  readonly #buffer: Uint8Array
  #size = 0
  #batches: RecordBatch[] = []

  constructor(segment: Segment, options: { indexIntervalBytes: number; bufferBytes: number }) {
    this.#segment = segment
    this.#indexIntervalBytes = options.indexIntervalBytes
    this.#buffer = new Uint8Array(options.bufferBytes)
  }

  /** Takes a copy. Throws the system's error, and CORRUPT_MESSAGE when no index can name the batch. */
  async add(batch: RecordBatch): Promise<void> {
    const { bytes, lastOffset } = batch
    const position = this.#segment.size + this.#size + bytes.length
    const relative = lastOffset - this.#segment.baseOffset
    if (relative > LARGEST_POSITION || position > LARGEST_POSITION) {
      const detail = `Offset ${lastOffset} does not fit a segment at ${this.#segment.baseOffset}`
      throw new KafkaError('CORRUPT_MESSAGE', detail)
    }
    if (this.#size + bytes.length > this.#buffer.length) await this.flush()
    if (bytes.length > this.#buffer.length) {
      this.#segment.append([bytes], [batch], this.#indexIntervalBytes)
      return
    }
    this.#buffer.set(bytes, this.#size)
    this.#batches.push(new RecordBatch(this.#buffer, this.#size))
    this.#size += bytes.length
  }

  /** Appends what was collected. */
  async flush(): Promise<void> {
    if (this.#batches.length === 0) return
    const bytes = this.#buffer.subarray(0, this.#size)
    this.#segment.append([bytes], this.#batches, this.#indexIntervalBytes)
    this.#batches = []
    this.#size = 0
    if (this.#segment.size - this.#segment.syncedSize > UNSYNCED_BYTES) await this.#segment.sync()
  }

  /** Records an aborted transaction whose marker was just added. */
  addAborted(aborted: AbortedTransaction): void {
    this.#segment.addAborted(aborted)
  }
}
