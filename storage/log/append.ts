// The first half of an append: check the batches and give them their place. Nothing of the log changes here.
import { KafkaError } from '../base/errors.ts'
import { announcedSize, RecordBatch } from '../batch/record-batch.ts'
import { type AppendRules, type UnpackedRecords, validateBatch } from '../batch/validate.ts'
import { type Int64, maxInt64 } from '../bytes/int64.ts'
import type { DuplicateBatch } from '../state/producer-append.ts'
import type { LogConfig } from './log-config.ts'

/** How a log is appended to by its leader. */
export interface AppendRequest {
  readonly leaderEpoch: number
  readonly origin: 'client' | 'coordinator' | 'metadata'
  /** The batches may be seen, and their append acknowledged, only once they are on disk (RULES 1). */
  readonly needsDisk: boolean
  /** Of the only batch, which is compressed; where it was too large to be unpacked at once. */
  readonly unpacked?: UnpackedRecords | undefined
}

/** What became of an append. */
export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** -1 on CreateTime topics. */
  readonly logAppendTime: Int64
  readonly logStartOffset: number
  /** Nothing was appended: the offsets are those of the first time. */
  readonly isDuplicate: boolean
  /** As requested, or because `flush.messages` is due: acknowledge after `whenCommitted`. */
  readonly needsDisk: boolean
}

/** Batches that may be written as they are. */
export interface PlacedBatches {
  readonly batches: readonly RecordBatch[]
  /** The same bytes in as few pieces as possible. */
  readonly pieces: readonly Uint8Array[]
  readonly size: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: Int64
  readonly logAppendTime: Int64
}

/**
 * Validates the batches in `bytes` and patches offsets and leader epoch into them, from `baseOffset` on. Bytes behind
 * the last whole batch are left out. Throws the refusals of `validateBatch`.
 */
export function placeBatches(
  bytes: Uint8Array,
  request: AppendRequest,
  log: { baseOffset: number; config: LogConfig; now: number },
): PlacedBatches {
  const rules = appendRules(log.config, log.now)
  const batches: RecordBatch[] = []
  let offset = log.baseOffset
  let size = 0
  let maxTimestamp: Int64 = -1
  let logAppendTime: Int64 = -1
  // As `readBatches` does it, without a generator for the one batch that there mostly is.
  for (let position = 0; ; ) {
    const announced = announcedSize(bytes, position)
    if (announced === undefined || position + announced > bytes.length) break
    const found = new RecordBatch(bytes, position)
    const validated = validateBatch(found, rules, request.origin, request.unpacked)
    position += announced
    const { batch } = validated
    batch.setOffsets(offset, request.leaderEpoch)
    batches.push(batch)
    offset = batch.nextOffset
    size += batch.sizeInBytes
    maxTimestamp = maxInt64(maxTimestamp, batch.maxTimestamp)
    logAppendTime = validated.logAppendTime
  }
  if (batches.length === 0) {
    throw new KafkaError('INVALID_RECORD', `No whole record batch in ${bytes.length} bytes`)
  }
  if (size > log.config.segmentBytes) {
    const detail = `${size} bytes of batches do not fit a segment of ${log.config.segmentBytes}`
    throw new KafkaError('RECORD_LIST_TOO_LARGE', detail)
  }
  return {
    batches,
    pieces: joinPieces(batches),
    size,
    baseOffset: log.baseOffset,
    lastOffset: offset - 1,
    maxTimestamp,
    logAppendTime,
  }
}

/** The answer to a batch that its producer sent before: the offsets of the first time. */
export function answerDuplicate(
  { baseOffset, lastOffset, timestamp }: DuplicateBatch,
  needsDisk: boolean,
  { config, logStartOffset }: { config: LogConfig; logStartOffset: number },
): AppendResult {
  const logAppendTime = config.messageTimestampType === 'LogAppendTime' ? timestamp : -1
  return { baseOffset, lastOffset, logAppendTime, logStartOffset, isDuplicate: true, needsDisk }
}

function appendRules(config: LogConfig, now: number): AppendRules {
  return {
    maxMessageBytes: config.maxMessageBytes,
    compressionType: config.compressionType,
    levels: config.compressionLevels,
    timestampType: config.messageTimestampType,
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    isCompacted: config.cleanupPolicy.compact,
    now,
    maxDecompressedBytes: config.maxDecompressedBytes,
  }
}

/** One piece for each run of batches that lie behind one another in the same memory: mostly one in all. */
function joinPieces(batches: readonly RecordBatch[]): Uint8Array[] {
  if (batches.length === 1) return [(batches[0] as RecordBatch).bytes]
  const pieces: Uint8Array[] = []
  for (const { bytes } of batches) {
    const last = pieces.at(-1)
    const isNext =
      last?.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset
    if (last && isNext) {
      const joined = new Uint8Array(last.buffer, last.byteOffset, last.length + bytes.length)
      pieces[pieces.length - 1] = joined
    } else pieces.push(bytes)
  }
  return pieces
}
