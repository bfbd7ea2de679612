// What the leader checks and settles before a batch enters the log (Kafka's LogValidator, and the checks of UnifiedLog in front
// of it). Batches stay as they came wherever that is possible; else they are built anew.
import { KafkaError, type KafkaErrorName } from '../base/errors.ts'
import { freeBuffer } from '../bytes/free-buffer.ts'
import { addInt64, type Int64 } from '../bytes/int64.ts'
import { buildBatch, type NewRecord } from './batch-builder.ts'
import type { Codec } from './compression/compression.ts'
import { RecordCursor } from './record.ts'
import {
  BATCH_HEADER_BYTES,
  type Compression,
  RecordBatch,
  type TimestampType,
} from './record-batch.ts'
import { scanRecords } from './scan-records.ts'

/** Who appends. Clients are trusted least; `metadata` is the writer of the metadata log. */
export type AppendOrigin = 'client' | 'coordinator' | 'metadata'

/** The topic configs that decide whether and how a batch enters the log. */
export interface AppendRules {
  readonly maxMessageBytes: number
  /** `producer` keeps the codec that came. */
  readonly compressionType: 'producer' | 'uncompressed' | Codec
  /** Levels for batches that are built anew. */
  readonly levels: { readonly gzip: number; readonly lz4: number; readonly zstd: number }
  readonly timestampType: TimestampType
  readonly timestampBeforeMaxMs: Int64
  readonly timestampAfterMaxMs: Int64
  /** Whether records need keys. */
  readonly isCompacted: boolean
  /** The broker's time in milliseconds. */
  readonly now: number
  readonly maxDecompressedBytes: number
}

/** One record that is refused: its place in the batch, and why. */
export interface RecordError {
  readonly index: number
  readonly message: string
}

/** A batch is refused because of some of its records; all of them are named. */
export class InvalidRecordsError extends KafkaError {
  /** In the order of the batch, never empty. */
  readonly recordErrors: readonly RecordError[]

  constructor(code: KafkaErrorName, message: string, recordErrors: readonly RecordError[]) {
    super(code, message)
    this.recordErrors = recordErrors
  }
}

/** A batch that may enter the log. */
export interface ValidBatch {
  /** The same batch, changed in place where the topic wants it, or one built anew. It still needs its offsets. */
  readonly batch: RecordBatch
  /** The time that the batch got from the broker; -1 when its records keep the producer's. */
  readonly logAppendTime: Int64
}

const NO_TIMESTAMP = -1

/** What the records of a compressed batch unpack to, or why they don't. */
export type UnpackedRecords = Uint8Array | KafkaError

/**
 * Checks one batch and settles its timestamps and codec. It is unpacked here unless that was done before; `unpacked` may have no bytes afterwards. Refuses with CORRUPT_MESSAGE (CRC), MESSAGE_TOO_LARGE,
 * INVALID_RECORD and INVALID_TIMESTAMP, the last two as `InvalidRecordsError` when single records are at fault, and with
 * UNSUPPORTED_COMPRESSION_TYPE. A refused batch is unchanged.
 */
export function validateBatch(
  batch: RecordBatch,
  rules: AppendRules,
  origin: AppendOrigin,
  unpacked?: UnpackedRecords,
): ValidBatch {
  if (origin === 'client' && batch.baseOffset !== 0) {
    throw invalid(`The base offset of a produced batch is 0, not ${batch.baseOffset}`)
  }
  checkSize(batch, rules)
  if (!batch.isCrcValid()) {
    throw new KafkaError('CORRUPT_MESSAGE', `The batch's CRC ${batch.crc} does not fit its bytes`)
  }
  if (origin === 'client') checkProducedHeader(batch)
  const cursor = refusing(() => openBatch(batch, rules, unpacked))
  const { maxTimestamp, isConsecutive } =
    scan(batch, cursor.unpacked, rules) ?? refusing(() => checkRecords(batch, cursor, rules))

  const isAppendTime = rules.timestampType === 'LogAppendTime'
  const logAppendTime = isAppendTime ? rules.now : NO_TIMESTAMP
  const target = targetCompression(batch, rules)
  // Control batches stay as they are. For all others, consumers must see the offsets that the log counts.
  if (batch.isControl || (target === batch.compression && isConsecutive)) {
    batch.setMaxTimestamp(rules.timestampType, isAppendTime ? logAppendTime : maxTimestamp)
    freeUnpacked(batch, cursor)
    return { batch, logAppendTime }
  }
  const rebuilt = rebuild(batch, cursor, target, rules)
  freeUnpacked(batch, cursor)
  checkSize(rebuilt, rules)
  return { batch: rebuilt, logAppendTime }
}

function checkSize(batch: RecordBatch, rules: AppendRules): void {
  if (batch.sizeInBytes <= rules.maxMessageBytes) return
  const detail = `The batch has ${batch.sizeInBytes} bytes, the limit is ${rules.maxMessageBytes}`
  throw new KafkaError('MESSAGE_TOO_LARGE', detail)
}

function checkProducedHeader(batch: RecordBatch): void {
  const { lastOffsetDelta, recordCount, baseSequence } = batch
  if (lastOffsetDelta < 0) throw invalid(`The batch has a last offset delta of ${lastOffsetDelta}`)
  if (recordCount <= 0) throw invalid(`The batch has a record count of ${recordCount}`)
  if (lastOffsetDelta + 1 !== recordCount) {
    throw invalid(`The batch has ${lastOffsetDelta + 1} offsets for ${recordCount} records`)
  }
  if (batch.isControl) throw invalid('Clients may not write control batches')
  if (batch.hasProducerId && baseSequence < 0) {
    throw invalid(`The batch of producer ${batch.producerId} has sequence ${baseSequence}`)
  }
}

function openBatch(
  batch: RecordBatch,
  { maxDecompressedBytes }: AppendRules,
  unpacked: UnpackedRecords | undefined,
): RecordCursor {
  if (unpacked instanceof KafkaError) throw unpacked
  return new RecordCursor(batch, maxDecompressedBytes, unpacked)
}

/** What a walk over the records gives. */
interface CheckedRecords {
  readonly maxTimestamp: Int64
  /** Whether the offset deltas are 0, 1, 2, … */
  readonly isConsecutive: boolean
}

/** What `checkRecords` would give, for records that one pass finds to be in order; undefined for all others. */
function scan(
  batch: RecordBatch,
  unpacked: Uint8Array,
  rules: AppendRules,
): CheckedRecords | undefined {
  const { recordCount, baseTimestamp } = batch
  if (recordCount <= 0 || batch.timestampType !== 'CreateTime') return undefined
  if (typeof baseTimestamp !== 'number') return undefined
  const start = unpacked === batch.bytes ? BATCH_HEADER_BYTES : 0
  const found = scanRecords(unpacked, start, unpacked.length, recordCount)
  if (!found || (rules.isCompacted && !found.haveKeys)) return undefined
  const least = baseTimestamp + found.minTimestampDelta
  const maxTimestamp = baseTimestamp + found.maxTimestampDelta
  const areExact = least >= 0 && maxTimestamp <= Number.MAX_SAFE_INTEGER
  if (!areExact || !areTimesAllowed(least, maxTimestamp, rules)) return undefined
  return { maxTimestamp, isConsecutive: true }
}

/** Whether no timestamp in [least, most] is refused; both are safe integers, the first not negative. */
function areTimesAllowed(least: number, most: number, rules: AppendRules): boolean {
  if (rules.timestampType === 'LogAppendTime') return true
  const { now, timestampBeforeMaxMs: before, timestampAfterMaxMs: after } = rules
  // A bigint lies beyond 2^53: far enough, whatever the time is.
  const isRecent = typeof before === 'number' ? least >= now - before : before > 0n
  const isPast = typeof after === 'number' ? most <= now + after : after > 0n
  return isRecent && isPast
}

/** Walks all records. Throws InvalidRecordsError when some are refused, CORRUPT_MESSAGE when one cannot be read. */
function checkRecords(
  batch: RecordBatch,
  cursor: RecordCursor,
  rules: AppendRules,
): CheckedRecords {
  const { baseTimestamp, timestampType } = batch
  const times = timesAllowed(rules)
  const errors: RecordError[] = []
  // Kafka answers INVALID_TIMESTAMP as soon as one record has that fault.
  let code: Problem['code'] = 'INVALID_RECORD'
  let maxTimestamp: Int64 = NO_TIMESTAMP
  let isConsecutive = true
  for (let index = 0; cursor.next(); index++) {
    const timestamp = addInt64(baseTimestamp, cursor.timestampDelta)
    const problem = keyProblem(cursor, rules) ?? timestampProblem(timestamp, timestampType, times)
    if (problem !== undefined) {
      if (problem.code === 'INVALID_TIMESTAMP') code = problem.code
      errors.push({ index, message: problem.message })
    }
    if (cursor.offsetDelta !== index) isConsecutive = false
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
  }
  if (errors.length === 0) return { maxTimestamp, isConsecutive }
  const first = errors.slice(0, 3).map((error) => `record ${error.index}: ${error.message}`)
  const message = `${errors.length} of ${batch.recordCount} records are refused, ${first.join(', ')}`
  throw new InvalidRecordsError(code, message, errors)
}

interface Problem {
  readonly code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP'
  readonly message: string
}

function keyProblem(cursor: RecordCursor, rules: AppendRules): Problem | undefined {
  if (cursor.hasKey || !rules.isCompacted) return undefined
  return { code: 'INVALID_RECORD', message: 'A compacted topic takes no record without a key' }
}

function timestampProblem(
  timestamp: Int64,
  batchType: TimestampType,
  { earliest, latest }: { earliest: Int64; latest: Int64 },
): Problem | undefined {
  if (batchType === 'LogAppendTime') {
    return { code: 'INVALID_TIMESTAMP', message: 'Producers may not set LogAppendTime' }
  }
  if (timestamp >= earliest && timestamp <= latest) return undefined
  if (timestamp === NO_TIMESTAMP) return undefined
  const message =
    timestamp < earliest
      ? `Timestamp ${timestamp} is before ${earliest}, the earliest that message.timestamp.before.max.ms allows`
      : `Timestamp ${timestamp} is after ${latest}, the latest that message.timestamp.after.max.ms allows`
  return { code: 'INVALID_TIMESTAMP', message }
}

/** The times that producers may give their records. They need not be Int64: a limit may be infinite. */
function timesAllowed(rules: AppendRules): { earliest: Int64; latest: Int64 } {
  const { now, timestampBeforeMaxMs: before, timestampAfterMaxMs: after } = rules
  if (rules.timestampType === 'LogAppendTime') return { earliest: -Infinity, latest: Infinity }
  return {
    earliest: typeof before === 'number' ? now - before : BigInt(now) - before,
    latest: typeof after === 'number' ? now + after : BigInt(now) + after,
  }
}

function targetCompression(batch: RecordBatch, rules: AppendRules): Compression {
  if (rules.compressionType === 'producer') return batch.compression
  return rules.compressionType === 'uncompressed' ? 'none' : rules.compressionType
}

/** The same records under the topic's codec, with offsets 0, 1, 2, … */
function rebuild(
  batch: RecordBatch,
  cursor: RecordCursor,
  compression: Compression,
  rules: AppendRules,
): RecordBatch {
  const records: NewRecord[] = []
  const { baseTimestamp } = batch
  for (cursor.rewind(); cursor.next(); ) {
    records.push({
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
      timestamp: addInt64(baseTimestamp, cursor.timestampDelta),
    })
  }
  const hasLevel = compression === 'gzip' || compression === 'lz4' || compression === 'zstd'
  const bytes = buildBatch(records, {
    compression,
    ...(hasLevel && { compressionLevel: rules.levels[compression] }),
    timestampType: rules.timestampType,
    ...(rules.timestampType === 'LogAppendTime' && { maxTimestamp: rules.now }),
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
  })
  return new RecordBatch(bytes)
}

/** Gives back what the batch was unpacked into: nobody looks at it again. */
function freeUnpacked(batch: RecordBatch, { unpacked }: RecordCursor): void {
  if (unpacked.buffer !== batch.bytes.buffer) freeBuffer(unpacked)
}

/** Runs `walk`. What it finds corrupt behind a valid CRC is the producer's doing: retrying would not help. */
function refusing<Result>(walk: () => Result): Result {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== 'CORRUPT_MESSAGE') throw error
    throw new KafkaError('INVALID_RECORD', error.message, { cause: error })
  }
}

function invalid(detail: string): KafkaError {
  return new KafkaError('INVALID_RECORD', detail)
}
