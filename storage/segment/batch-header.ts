// Walks the batch headers of a segment file without reading the records.
import { KafkaError } from '../base/errors.ts'
import {
  BATCH_HEADER_BYTES,
  FIELD,
  LOG_OVERHEAD_BYTES,
  RecordBatch,
} from '../batch/record-batch.ts'
import { type Int64, readInt64 } from '../bytes/int64.ts'
import type { OpenFile } from '../fs/files.ts'

/** What a search needs to know of one batch in a file. */
export interface BatchHeader {
  readonly position: number
  readonly sizeInBytes: number
  /** Of a message set before magic 2, the offset of its last message. */
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: Int64
  readonly magic: number
}

const LEGACY_HEADER_BYTES = 26
const WINDOW_BYTES = 8192
/** What is read at a place that was jumped to: most searches end with the header that stands there, or jump on. */
const FIRST_WINDOW_BYTES = 256
const HEADER_ONLY_LENGTH = BATCH_HEADER_BYTES - LOG_OVERHEAD_BYTES

/** Parses the header at `at`, which lies at `position` of its file. Undefined when it can be none of Kafka's batches. */
export function parseBatchHeader(
  view: DataView,
  at: number,
  position: number,
  available = view.byteLength - at,
): BatchHeader | undefined {
  if (available < LEGACY_HEADER_BYTES) return undefined
  const baseOffset = readInt64(view, at)
  const sizeInBytes = view.getInt32(at + 8) + LOG_OVERHEAD_BYTES
  const magic = view.getInt8(at + 16)
  if (typeof baseOffset === 'bigint' || baseOffset < 0 || magic < 0 || magic > 2) return undefined
  if (magic < 2) {
    if (sizeInBytes < LEGACY_HEADER_BYTES) return undefined
    const maxTimestamp = magic === 1 ? readInt64(view, at + 18) : -1
    return { position, sizeInBytes, baseOffset, lastOffset: baseOffset, maxTimestamp, magic }
  }
  const lastOffsetDelta = available < BATCH_HEADER_BYTES ? -1 : view.getInt32(at + 23)
  if (sizeInBytes < BATCH_HEADER_BYTES || lastOffsetDelta < 0) return undefined
  const lastOffset = baseOffset + lastOffsetDelta
  const maxTimestamp = readInt64(view, at + 35)
  return { position, sizeInBytes, baseOffset, lastOffset, maxTimestamp, magic }
}

/** Reads headers at known positions, a window of the file at a time. For one synchronous search at a time; holds 8 KiB. */
export class BatchHeaderReader {
  #file: OpenFile
  #end: number
  readonly #view = new DataView(new ArrayBuffer(WINDOW_BYTES))
  #windowStart = 0
  #windowEnd = 0

  /** `end` is the position where the batches end. */
  constructor(file: OpenFile, end: number) {
    this.#file = file
    this.#end = end
  }

  /** Begins a search in another file: memory for each would cost more than the search. */
  reset(file: OpenFile, end: number): void {
    this.#file = file
    this.#end = end
    this.#windowStart = 0
    this.#windowEnd = 0
  }

  /** The header at `position`; undefined at the end. Throws CORRUPT_MESSAGE when what is there is no batch. */
  at(position: number): BatchHeader | undefined {
    if (position >= this.#end) return undefined
    const header = this.peek(position)
    if (header) return header
    throw new KafkaError(
      'CORRUPT_MESSAGE',
      `No record batch at position ${position} of ${this.#file.path}`,
    )
  }

  /** The header at `position`, undefined when there is no whole batch. */
  peek(position: number): BatchHeader | undefined {
    // A damaged index may lead anywhere.
    if (position < 0 || position >= this.#end) return undefined
    const wanted = Math.min(BATCH_HEADER_BYTES, this.#end - position)
    if (position < this.#windowStart || position + wanted > this.#windowEnd) this.#load(position)
    const size = this.#windowEnd - position
    if (size < wanted) return undefined
    const at = position - this.#windowStart
    const header = parseBatchHeader(this.#view, at, position, size)
    return header && position + header.sizeInBytes <= this.#end ? header : undefined
  }

  /** A copy of the v2 batch at `position` (as `at` returned it): whole when it is a control batch, else its header alone. */
  batch({ position, sizeInBytes }: BatchHeader): RecordBatch {
    const at = position - this.#windowStart
    const bytes = new Uint8Array(this.#view.buffer).slice(at, at + BATCH_HEADER_BYTES)
    new DataView(bytes.buffer).setInt32(FIELD.batchLength, HEADER_ONLY_LENGTH)
    const batch = new RecordBatch(bytes)
    if (!batch.isControl) return batch
    const whole = new Uint8Array(sizeInBytes)
    this.#file.read(whole, position)
    return new RecordBatch(whole)
  }

  #load(position: number): void {
    const isNear = position > this.#windowStart && position - this.#windowStart < WINDOW_BYTES
    const wanted = Math.min(isNear ? WINDOW_BYTES : FIRST_WINDOW_BYTES, this.#end - position)
    const target = new Uint8Array(this.#view.buffer, 0, wanted)
    this.#windowStart = position
    this.#windowEnd = position
    this.#windowEnd = position + this.#file.read(target, position)
  }
}
