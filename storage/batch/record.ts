// The records of a batch: a cursor for hot paths, objects for those who look inside.
//
// varint  length of what follows          all varints are zigzag
// int8    attributes, unused
// varlong timestampDelta
// varint  offsetDelta
// varint  key size, -1 for null;    key
// varint  value size, -1 for null;  value
// varint  header count; for each:   varint key size, key, varint value size or -1, value
import { KafkaError } from '../base/errors.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import { addInt64, type Int64 } from '../bytes/int64.ts'
import { decompress } from './compression/compression.ts'
import { BATCH_HEADER_BYTES, type RecordBatch } from './record-batch.ts'

/** One header of a record. Keys repeat freely. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** One record as it stands in the log. */
export interface LogRecord {
  readonly offset: number
  readonly timestamp: Int64
  readonly key: Uint8Array | null
  /** Null is a tombstone on a compacted topic. */
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** What a batch may unpack to, when nobody says: far above any sensible batch, far below the memory of a machine. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 134_217_728

const NO_HEADERS: readonly RecordHeader[] = []

/**
 * The records of `batch`, lazily. Keys and values are views: into the batch when it is uncompressed, else into a copy.
 * Throws CORRUPT_MESSAGE at the record that is wrong, or after the last when bytes are left over; the CRC is not checked.
 */
export function* readRecords(
  batch: RecordBatch,
  limits: { readonly maxDecompressedBytes?: number } = {},
): Generator<LogRecord> {
  const limit = limits.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES
  yield* recordsOf(batch, new RecordCursor(batch, limit))
}

/** The records from where `cursor` stands in `batch`, as `readRecords` gives them. */
export function* recordsOf(batch: RecordBatch, cursor: RecordCursor): Generator<LogRecord> {
  const { baseOffset, baseTimestamp } = batch
  // On LogAppendTime topics all records have the batch's time, whatever their deltas say.
  const appendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined
  while (cursor.next()) {
    yield {
      offset: baseOffset + cursor.offsetDelta,
      timestamp: appendTime ?? addInt64(baseTimestamp, cursor.timestampDelta),
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    }
  }
}

/**
 * The records of one batch, one after the other. Each `next()` checks its record in full: the declared length is exactly
 * that of the fields, and after the last record nothing is left over. Throws CORRUPT_MESSAGE.
 */
export class RecordCursor {
  /** Fields of the current record; of none before the first `next()`. */
  offsetDelta = 0
  timestampDelta: Int64 = 0

  readonly #reader: ByteReader
  readonly #start: number
  readonly #count: number
  #index = 0
  #bodyAt = 0
  #keyAt = 0
  #keySize = 0
  #valueAt = 0
  #valueSize = 0
  #headersAt = 0
  #headerCount = 0

  /**
   * Unpacks the batch if it is compressed, unless `unpacked` is what it holds. Throws CORRUPT_MESSAGE, also when that
   * takes more than the limit.
   */
  constructor(
    batch: RecordBatch,
    maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
    unpacked?: Uint8Array,
  ) {
    this.#count = batch.recordCount
    if (this.#count < 0) {
      throw corrupt(`The batch at offset ${batch.baseOffset} has ${this.#count} records`)
    }
    const { compression, bytes } = batch
    // A batch that compaction has emptied holds no stream, whatever its codec says.
    this.#reader =
      compression === 'none' || bytes.length === BATCH_HEADER_BYTES
        ? new ByteReader(bytes, BATCH_HEADER_BYTES)
        : new ByteReader(
            unpacked ??
              decompress(compression, bytes.subarray(BATCH_HEADER_BYTES), maxDecompressedBytes),
          )
    this.#start = this.#reader.position
  }

  get hasKey(): boolean {
    return this.#keySize >= 0
  }

  get hasValue(): boolean {
    return this.#valueSize >= 0
  }

  /** A view of the current record's key. */
  key(): Uint8Array | null {
    return this.#view(this.#keyAt, this.#keySize)
  }

  /** The bytes in which the current record's key lies, from `keyStart` to `keyEnd`: for those who need no view. */
  get unpacked(): Uint8Array {
    return this.#reader.bytes
  }

  get keyStart(): number {
    return this.#keyAt
  }

  get keyEnd(): number {
    return this.#keyAt + this.#keySize
  }

  /** A view of the current record's value. */
  value(): Uint8Array | null {
    return this.#view(this.#valueAt, this.#valueSize)
  }

  /** Key, value and headers of the current record as they stand: a view. */
  body(): Uint8Array {
    return this.#reader.bytes.subarray(this.#bodyAt, this.#reader.position)
  }

  /** The current record's headers, with views of their values. */
  headers(): readonly RecordHeader[] {
    if (this.#headerCount === 0) return NO_HEADERS
    const reader = new ByteReader(this.#reader.bytes, this.#headersAt, this.#reader.end)
    const headers: RecordHeader[] = []
    for (let left = this.#headerCount; left > 0; left--) {
      const key = reader.utf8(reader.varint())
      const size = reader.varint()
      headers.push({ key, value: size < 0 ? null : reader.view(size) })
    }
    return headers
  }

  /** Goes to the next record; false after the last. */
  next(): boolean {
    const reader = this.#reader
    if (this.#index === this.#count) {
      if (reader.remaining === 0) return false
      throw corrupt(`${reader.remaining} bytes are left over after ${this.#count} records`)
    }
    const size = reader.varint()
    const end = reader.position + size
    if (size < 0 || end > reader.end) throw corrupt(`Record ${this.#index} has ${size} bytes`)
    reader.skip(1)
    this.timestampDelta = reader.varlong()
    this.offsetDelta = reader.varint()
    this.#bodyAt = reader.position
    this.#keySize = reader.varint()
    this.#keyAt = reader.position
    if (this.#keySize > 0) reader.skip(this.#keySize)
    this.#valueSize = reader.varint()
    this.#valueAt = reader.position
    if (this.#valueSize > 0) reader.skip(this.#valueSize)
    this.#skipHeaders()
    if (reader.position !== end) {
      throw corrupt(`Record ${this.#index} ends ${reader.position - end} bytes off its length`)
    }
    this.#index++
    return true
  }

  /** Goes back before the first record, without unpacking anew. */
  rewind(): void {
    this.#reader.position = this.#start
    this.#index = 0
  }

  /** Each header takes two bytes at least, so that a false count soon meets the end. */
  #skipHeaders(): void {
    const reader = this.#reader
    this.#headerCount = reader.varint()
    this.#headersAt = reader.position
    if (this.#headerCount < 0) {
      throw corrupt(`Record ${this.#index} has ${this.#headerCount} headers`)
    }
    for (let left = this.#headerCount; left > 0; left--) {
      reader.skip(reader.varint())
      const size = reader.varint()
      if (size > 0) reader.skip(size)
    }
  }

  #view(start: number, size: number): Uint8Array | null {
    return size < 0 ? null : this.#reader.bytes.subarray(start, start + size)
  }
}

function corrupt(detail: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', detail)
}
