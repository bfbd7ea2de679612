// Builds record batches (drawn in `record-batch.ts`) and their records (drawn in `record.ts`).
import { assert } from '../base/errors.ts'
import { ByteWriter, varintSize, varlongSize } from '../bytes/byte-writer.ts'
import { crc32c } from '../bytes/crc32c.ts'
import { type Int64, maxInt64, subtractInt64, writeInt64 } from '../bytes/int64.ts'
import { compress } from './compression/compression.ts'
import { CONTROL_TYPE } from './control-record.ts'
import { plainRecords } from './plain-records.ts'
import type { RecordHeader } from './record.ts'
import {
  BATCH_HEADER_BYTES,
  batchAttributes,
  type Compression,
  FIELD,
  LOG_OVERHEAD_BYTES,
  type TimestampType,
} from './record-batch.ts'

/** A record that is to be written. Key and value are null when left out. */
export interface NewRecord {
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
  /** Key, value and headers as they stand in another batch (`RecordCursor.body`), in place of the three. */
  readonly body?: Uint8Array
  readonly timestamp: Int64
  /** Distance from the batch's base offset; the record's place in the list when left out. */
  readonly offsetDelta?: number
}

/** The header of a batch that is to be built. Whatever is left out is as a plain producer has it. */
export interface BatchOptions {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly compression?: Compression
  readonly compressionLevel?: number
  readonly timestampType?: TimestampType
  /** The largest of the records' timestamps when left out. With LogAppendTime, the broker's time. */
  readonly maxTimestamp?: Int64
  /** From when on compaction may drop the batch's tombstones; stands in `baseTimestamp`. */
  readonly deleteHorizon?: Int64
  readonly producerId?: Int64
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  /** That of the last record when left out. Compaction keeps the original's. */
  readonly lastOffsetDelta?: number
}

const NO_TIMESTAMP = -1
const textEncoder = new TextEncoder()

/**
 * One whole batch, with its CRC, in memory of its own. Without records it is the bare header that compaction leaves behind,
 * which has no codec.
 */
export function buildBatch(
  records: readonly NewRecord[],
  options: BatchOptions = {},
): Uint8Array<ArrayBuffer> {
  const isPlain = options.deleteHorizon === undefined && (options.compression ?? 'none') === 'none'
  const plain = isPlain ? plainRecords(records, BATCH_HEADER_BYTES) : undefined
  if (plain !== undefined && records.length > 0) return plainBatch(plain, records, options)
  const baseTimestamp = options.deleteHorizon ?? records[0]?.timestamp ?? NO_TIMESTAMP
  const writer = new ByteWriter(BATCH_HEADER_BYTES + 256)
  writer.reserve(BATCH_HEADER_BYTES)
  let lastDelta = -1
  let maxTimestamp: Int64 = NO_TIMESTAMP
  for (const record of records) {
    const offsetDelta = record.offsetDelta ?? lastDelta + 1
    assert(offsetDelta > lastDelta, 'Offsets in a batch increase')
    writeRecord(writer, record, subtractInt64(record.timestamp, baseTimestamp), offsetDelta)
    lastDelta = offsetDelta
    maxTimestamp = maxInt64(maxTimestamp, record.timestamp)
  }
  const compression = records.length === 0 ? 'none' : (options.compression ?? 'none')
  const batch = packed(writer.written, compression, options.compressionLevel)
  writeHeader(batch, options, {
    compression,
    baseTimestamp,
    maxTimestamp: options.maxTimestamp ?? maxTimestamp,
    lastOffsetDelta: options.lastOffsetDelta ?? Math.max(lastDelta, 0),
    recordCount: records.length,
  })
  return batch
}

/** The header for records that stand in their place already. */
function plainBatch(
  batch: Uint8Array<ArrayBuffer>,
  records: readonly NewRecord[],
  options: BatchOptions,
): Uint8Array<ArrayBuffer> {
  let maxTimestamp: Int64 = NO_TIMESTAMP
  for (const { timestamp } of records) maxTimestamp = maxInt64(maxTimestamp, timestamp)
  writeHeader(batch, options, {
    compression: 'none',
    baseTimestamp: records[0]?.timestamp ?? NO_TIMESTAMP,
    maxTimestamp: options.maxTimestamp ?? maxTimestamp,
    lastOffsetDelta: options.lastOffsetDelta ?? records.length - 1,
    recordCount: records.length,
  })
  return batch
}

/** How a transaction ends in one partition (`EndTxnMarker`). */
export interface EndTransactionMarker {
  readonly isCommit: boolean
  readonly producerId: Int64
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestamp: Int64
}

/** The control batch of 78 bytes that ends a transaction. */
export function buildEndTransactionMarker(
  marker: EndTransactionMarker,
  place: { readonly baseOffset?: number; readonly leaderEpoch?: number } = {},
): Uint8Array<ArrayBuffer> {
  const value = new ByteWriter(6)
  value.int16(0)
  value.int32(marker.coordinatorEpoch)
  const { producerId, producerEpoch, timestamp } = marker
  const record = {
    type: marker.isCommit ? CONTROL_TYPE.commit : CONTROL_TYPE.abort,
    value: value.written,
    timestamp,
  }
  return buildControlBatch([record], { ...place, producerId, producerEpoch, isTransactional: true })
}

/** A record for consensus or transactions, not for consumers: its key is int16 version 0 and int16 `type`. */
export interface NewControlRecord {
  readonly type: number
  readonly value: Uint8Array
  readonly timestamp: Int64
}

/** A batch of control records. The types are in `control-record.ts`. */
export function buildControlBatch(
  records: readonly NewControlRecord[],
  options: Omit<BatchOptions, 'isControl'> = {},
): Uint8Array<ArrayBuffer> {
  const keyed = records.map(({ type, value, timestamp }) => {
    return { key: Uint8Array.of(0, 0, type >> 8, type & 0xff), value, timestamp }
  })
  return buildBatch(keyed, { ...options, isControl: true })
}

function writeRecord(
  writer: ByteWriter,
  record: NewRecord,
  timestampDelta: Int64,
  offsetDelta: number,
): void {
  const { key = null, value = null, headers = [], body } = record
  if (body) {
    writer.varint(1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + body.length)
    writer.int8(0)
    writer.varlong(timestampDelta)
    writer.varint(offsetDelta)
    writer.raw(body)
    return
  }
  const headerKeys = headers.map((header) => textEncoder.encode(header.key))
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta)
  size += fieldSize(key) + fieldSize(value) + varintSize(headers.length)
  for (const [index, header] of headers.entries()) {
    size += fieldSize(headerKeys[index] ?? null) + fieldSize(header.value)
  }
  writer.varint(size)
  writer.int8(0)
  writer.varlong(timestampDelta)
  writer.varint(offsetDelta)
  writeField(writer, key)
  writeField(writer, value)
  writer.varint(headers.length)
  for (const [index, header] of headers.entries()) {
    writeField(writer, headerKeys[index] ?? null)
    writeField(writer, header.value)
  }
}

function fieldSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}

function writeField(writer: ByteWriter, bytes: Uint8Array | null): void {
  writer.varint(bytes === null ? -1 : bytes.length)
  if (bytes !== null) writer.raw(bytes)
}

/** Room for the header, then the records section of `plain`, which has that room too, in the codec's form. */
function packed(
  plain: Uint8Array,
  compression: Compression,
  level: number | undefined,
): Uint8Array<ArrayBuffer> {
  if (compression === 'none') return plain.slice()
  const section = compress(compression, plain.subarray(BATCH_HEADER_BYTES), level)
  const batch = new Uint8Array(BATCH_HEADER_BYTES + section.length)
  batch.set(section, BATCH_HEADER_BYTES)
  return batch
}

function writeHeader(
  batch: Uint8Array,
  options: BatchOptions,
  of: {
    compression: Compression
    baseTimestamp: Int64
    maxTimestamp: Int64
    lastOffsetDelta: number
    recordCount: number
  },
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  const attributes = batchAttributes({
    compression: of.compression,
    timestampType: options.timestampType ?? 'CreateTime',
    isTransactional: options.isTransactional ?? false,
    isControl: options.isControl ?? false,
    hasDeleteHorizon: options.deleteHorizon !== undefined,
  })
  writeInt64(view, FIELD.baseOffset, options.baseOffset ?? 0)
  view.setInt32(FIELD.batchLength, batch.length - LOG_OVERHEAD_BYTES)
  view.setInt32(FIELD.partitionLeaderEpoch, options.leaderEpoch ?? -1)
  view.setInt8(FIELD.magic, 2)
  view.setInt16(FIELD.attributes, attributes)
  view.setInt32(FIELD.lastOffsetDelta, of.lastOffsetDelta)
  writeInt64(view, FIELD.baseTimestamp, of.baseTimestamp)
  writeInt64(view, FIELD.maxTimestamp, of.maxTimestamp)
  writeInt64(view, FIELD.producerId, options.producerId ?? -1)
  view.setInt16(FIELD.producerEpoch, options.producerEpoch ?? -1)
  view.setInt32(FIELD.baseSequence, options.baseSequence ?? -1)
  view.setInt32(FIELD.recordCount, of.recordCount)
  view.setUint32(FIELD.crc, crc32c(batch, FIELD.attributes))
}
