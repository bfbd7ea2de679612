// The record batch, format v2: what producers send, segments hold and consumers get (Kafka doc: "Record Batch").
//
// offset size field
//      0    8 baseOffset
//      8    4 batchLength            bytes after this field
//     12    4 partitionLeaderEpoch
//     16    1 magic                  2
//     17    4 crc                    CRC-32C of everything behind it
//     21    2 attributes             0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
//     23    4 lastOffsetDelta
//     27    8 baseTimestamp          or the delete horizon
//     35    8 maxTimestamp
//     43    8 producerId
//     51    2 producerEpoch
//     53    4 baseSequence
//     57    4 recordCount
//     61      records                compressed as one stream
//
// The CRC does not cover baseOffset and partitionLeaderEpoch, so the leader sets both in place.
import { KafkaError } from '../base/errors.ts'
import {
  int16At,
  int32At,
  int64At,
  setInt16At,
  setInt32At,
  setInt64At,
} from '../bytes/big-endian.ts'
import { crc32c } from '../bytes/crc32c.ts'
import type { Int64 } from '../bytes/int64.ts'
import { isLegacyMessage } from './legacy-message.ts'

/** Size of a batch without records. */
export const BATCH_HEADER_BYTES = 61
/** Size of baseOffset and batchLength: what a batch has in front of the bytes that its length counts. */
export const LOG_OVERHEAD_BYTES = 12

/** Positions of the fields in a batch. */
export const FIELD = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** How the records section is packed. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
/** Whose clock the records' timestamps come from: the producer's or the broker's. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** The codecs, by their number in the attributes. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const LOG_APPEND_TIME_BIT = 0x08
const TRANSACTIONAL_BIT = 0x10
const CONTROL_BIT = 0x20
const DELETE_HORIZON_BIT = 0x40
const KNOWN_BITS = 0x7f
const MAX_SEQUENCE = 2_147_483_647
const MIN_LEGACY_LENGTH = 14

/** A view of one whole batch inside somebody's bytes. Copies nothing; the setters write through. */
export class RecordBatch {
  /** Exactly this batch. */
  readonly bytes: Uint8Array

  /**
   * Throws CORRUPT_MESSAGE when no whole batch begins at `position`, and UNSUPPORTED_FOR_MESSAGE_FORMAT when a message of
   * Kafka's formats v0 or v1 does. The CRC is not checked.
   */
  constructor(bytes: Uint8Array, position = 0) {
    const size = announcedSize(bytes, position)
    if (size === undefined || position + size > bytes.length) {
      const left = bytes.length - position
      throw corrupt(`A batch of ${size ?? 'unknown size'} at ${position} has ${left} bytes`)
    }
    const isWhole = position === 0 && size === bytes.length
    this.bytes = isWhole ? bytes : bytes.subarray(position, position + size)
    const magic = size > FIELD.magic ? this.magic : -1
    if (magic !== 2) {
      if (isLegacyMessage(this.bytes)) throw legacy(magic, position)
      throw corrupt(`The batch at ${position} has magic ${magic}`)
    }
    if (size < BATCH_HEADER_BYTES) throw corrupt(`The batch at ${position} has only ${size} bytes`)
    if (typeof int64At(this.bytes, FIELD.baseOffset) !== 'number') {
      throw corrupt(`The batch at ${position} has a base offset beyond 2^53`)
    }
  }

  get sizeInBytes(): number {
    return this.bytes.length
  }

  get baseOffset(): number {
    return Number(int64At(this.bytes, FIELD.baseOffset))
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  /** The offset after the last one. */
  get nextOffset(): number {
    return this.lastOffset + 1
  }

  /** -1 from producers. */
  get partitionLeaderEpoch(): number {
    return int32At(this.bytes, FIELD.partitionLeaderEpoch)
  }

  get magic(): number {
    return ((this.bytes[FIELD.magic] as number) << 24) >> 24
  }

  /** The CRC that the batch carries, as uint32. */
  get crc(): number {
    return int32At(this.bytes, FIELD.crc) >>> 0
  }

  get attributes(): number {
    return int16At(this.bytes, FIELD.attributes)
  }

  /** Throws UNSUPPORTED_COMPRESSION_TYPE for a codec that does not exist. */
  get compression(): Compression {
    const codec = COMPRESSIONS[this.attributes & 7]
    if (codec !== undefined) return codec
    const detail = `The batch at offset ${this.baseOffset} has unknown codec ${this.attributes & 7}`
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', detail)
  }

  get timestampType(): TimestampType {
    return this.#has(LOG_APPEND_TIME_BIT) ? 'LogAppendTime' : 'CreateTime'
  }

  get isTransactional(): boolean {
    return this.#has(TRANSACTIONAL_BIT)
  }

  get isControl(): boolean {
    return this.#has(CONTROL_BIT)
  }

  /** Whether `baseTimestamp` is the time from which compaction may drop tombstones and markers (KIP-534). */
  get hasDeleteHorizon(): boolean {
    return this.#has(DELETE_HORIZON_BIT)
  }

  get lastOffsetDelta(): number {
    return int32At(this.bytes, FIELD.lastOffsetDelta)
  }

  /** What the records' timestamp deltas count from, also when it is the delete horizon. */
  get baseTimestamp(): Int64 {
    return int64At(this.bytes, FIELD.baseTimestamp)
  }

  get maxTimestamp(): Int64 {
    return int64At(this.bytes, FIELD.maxTimestamp)
  }

  /** -1 when the producer is not idempotent. */
  get producerId(): Int64 {
    return int64At(this.bytes, FIELD.producerId)
  }

  get hasProducerId(): boolean {
    return this.producerId > -1
  }

  get producerEpoch(): number {
    return int16At(this.bytes, FIELD.producerEpoch)
  }

  /** The first record's sequence, -1 for none. */
  get baseSequence(): number {
    return int32At(this.bytes, FIELD.baseSequence)
  }

  /** The last record's sequence, -1 for none. After 2147483647 comes 0. */
  get lastSequence(): number {
    const { baseSequence } = this
    return baseSequence < 0 ? -1 : addToSequence(baseSequence, this.lastOffsetDelta)
  }

  /** 0 in a batch whose records compaction has removed. */
  get recordCount(): number {
    return int32At(this.bytes, FIELD.recordCount)
  }

  isCrcValid(): boolean {
    return this.crc === crc32c(this.bytes, FIELD.attributes)
  }

  /** Sets what the leader assigns. Not covered by the CRC. */
  setOffsets(baseOffset: number, leaderEpoch: number): void {
    setInt64At(this.bytes, FIELD.baseOffset, baseOffset)
    setInt32At(this.bytes, FIELD.partitionLeaderEpoch, leaderEpoch)
  }

  /** Sets the timestamp type and the largest timestamp, and the CRC with them. Leaves `baseTimestamp` alone. */
  setMaxTimestamp(timestampType: TimestampType, maxTimestamp: Int64): void {
    if (this.timestampType === timestampType && this.maxTimestamp === maxTimestamp) return
    const kept = this.attributes & KNOWN_BITS & ~LOG_APPEND_TIME_BIT
    const bit = timestampType === 'LogAppendTime' ? LOG_APPEND_TIME_BIT : 0
    setInt16At(this.bytes, FIELD.attributes, kept | bit)
    setInt64At(this.bytes, FIELD.maxTimestamp, maxTimestamp)
    setInt32At(this.bytes, FIELD.crc, crc32c(this.bytes, FIELD.attributes))
  }

  #has(bit: number): boolean {
    return ((this.bytes[FIELD.attributes + 1] as number) & bit) !== 0
  }
}

/**
 * The batches in `bytes`, in order. A last one that is not complete, as a fetch cuts it, ends them silently. Throws like
 * `RecordBatch` for anything else that is no batch.
 */
export function* readBatches(bytes: Uint8Array): Generator<RecordBatch> {
  let position = 0
  for (;;) {
    const size = announcedSize(bytes, position)
    if (size === undefined || position + size > bytes.length) return
    yield new RecordBatch(bytes, position)
    position += size
  }
}

/** The size that the batch at `position` announces; undefined when not even that is there. Throws CORRUPT_MESSAGE. */
export function announcedSize(bytes: Uint8Array, position: number): number | undefined {
  const at = position + FIELD.batchLength
  if (at + 4 > bytes.length) return undefined
  const length = int32At(bytes, at)
  if (length >= MIN_LEGACY_LENGTH) return LOG_OVERHEAD_BYTES + length
  throw corrupt(`The batch at ${position} announces ${length} bytes`)
}

/** `sequence + count`; after 2147483647 comes 0. */
export function addToSequence(sequence: number, count: number): number {
  const sum = sequence + count
  return sum > MAX_SEQUENCE ? sum - MAX_SEQUENCE - 1 : sum
}

/** The attributes field for these properties. */
export function batchAttributes(of: {
  compression: Compression
  timestampType: TimestampType
  isTransactional: boolean
  isControl: boolean
  hasDeleteHorizon: boolean
}): number {
  return (
    COMPRESSIONS.indexOf(of.compression) |
    (of.timestampType === 'LogAppendTime' ? LOG_APPEND_TIME_BIT : 0) |
    (of.isTransactional ? TRANSACTIONAL_BIT : 0) |
    (of.isControl ? CONTROL_BIT : 0) |
    (of.hasDeleteHorizon ? DELETE_HORIZON_BIT : 0)
  )
}

function corrupt(detail: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', detail)
}

function legacy(magic: number, position: number): KafkaError {
  const detail = `The message at ${position} has Kafka's old format v${magic}, only v2 is supported`
  return new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', detail)
}
