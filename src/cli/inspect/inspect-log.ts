// Reads a log file batch by batch: headers, checksums, records, and whether the indexes beside it are right.
import { KafkaError } from '#storage/base/errors.ts'
import { readRecords } from '#storage/batch/record.ts'
import { RecordBatch } from '#storage/batch/record-batch.ts'
import type { Files } from '#storage/fs/files.ts'
import { type BatchHeader, parseBatchHeader } from '#storage/segment/batch-header.ts'
import { OffsetIndex } from '#storage/segment/offset-index.ts'
import { TimeIndex } from '#storage/segment/time-index.ts'
import { hexLines } from '../display.ts'
import { FileWindow } from './file-window.ts'
import { IndexCheck } from './index-check.ts'
import {
  type BatchEvent,
  fault,
  type InspectEvent,
  type InspectOptions,
  note,
} from './inspect-event.ts'
import { recordEvent } from './record-event.ts'

/** A log file and what is known of it. */
export interface LogFile {
  readonly path: string
  /** From its name; undefined when the name says nothing. */
  readonly baseOffset: number | undefined
  /** Paths of its indexes; they are compared when they exist. */
  readonly indexPath?: string
  readonly timeIndexPath?: string
  /** Whether its records are those of the metadata log. */
  readonly isMetadata: boolean
  /** Whether a broker may be appending to it. */
  readonly isActive: boolean
}

const HEADER_BYTES = 61
/** A batch that claims to be larger than this is believed only as far as its checksum: its records are not listed. */
const MAX_BATCH_BYTES = 268_435_456

/** Totals of one log. */
interface LogTotals {
  batches: number
  records: number
  badBatches: number
  firstOffset: number | undefined
  nextOffset: number | undefined
  end: number
}

/** Walks a log. It holds one window and one batch in memory, however large the file. */
export function* inspectLog(
  files: Files,
  log: LogFile,
  options: InspectOptions,
): Generator<InspectEvent> {
  // The indexes come first: a running broker may add entries for batches that we don't see.
  const index = readIndex(files, log)
  const times = readTimeIndex(files, log)
  const file = files.open(log.path, 'read')
  try {
    const window = new FileWindow(file)
    yield { kind: 'file', path: log.path, type: 'segment', sizeInBytes: window.size }
    const start = options.offset === undefined ? 0 : (index?.lookup(options.offset).position ?? 0)
    const check = start === 0 ? new IndexCheck(log.path, index, times) : undefined
    const totals = yield* walk(window, log, options, start, check)
    if (totals.end < window.size) yield* strayBytes(window, log, totals.end)
    else if (check !== undefined) yield* check.end()
    yield {
      kind: 'summary',
      path: log.path,
      fields: {
        batches: totals.batches,
        records: totals.records,
        'bad batches': totals.badBatches,
        'first offset': totals.firstOffset ?? null,
        'next offset': totals.nextOffset ?? log.baseOffset ?? null,
        ...(index === undefined ? {} : { 'index entries': index.entries }),
        ...(times === undefined ? {} : { 'time index entries': times.entries }),
      },
    }
  } finally {
    file.close()
  }
}

function* walk(
  window: FileWindow,
  log: LogFile,
  options: InspectOptions,
  start: number,
  check: IndexCheck | undefined,
): Generator<InspectEvent, LogTotals> {
  const totals: LogTotals = {
    batches: 0,
    records: 0,
    badBatches: 0,
    firstOffset: undefined,
    nextOffset: undefined,
    end: start,
  }
  let listed = 0
  for (;;) {
    const header = headerAt(window, totals.end)
    if (header === undefined || header.position + header.sizeInBytes > window.size) return totals
    totals.end += header.sizeInBytes
    if (check !== undefined) yield* check.batch(header)
    yield* orderProblems(log, header, totals.nextOffset)
    totals.nextOffset = header.lastOffset + 1
    if (options.offset !== undefined && header.lastOffset < options.offset) continue
    totals.firstOffset ??= header.baseOffset
    totals.batches++
    const batch = header.sizeInBytes > MAX_BATCH_BYTES ? undefined : batchAt(window, header)
    const isIntact = batch === undefined ? header.magic < 2 : batch.isCrcValid()
    totals.records += batch?.recordCount ?? 0
    const isListed = options.batches && listed++ < options.limit
    if (isListed) yield batchEvent(header, batch, isIntact)
    if (!isIntact) {
      totals.badBatches++
      yield fault(log.path, badBatch(header))
    }
    if (isListed) yield* details(log, options, header, batch, isIntact)
  }
}

function* details(
  log: LogFile,
  options: InspectOptions,
  header: BatchHeader,
  batch: RecordBatch | undefined,
  isIntact: boolean,
): Generator<InspectEvent> {
  if (options.records && batch !== undefined && isIntact) yield* records(log, batch)
  if (options.hex && batch !== undefined) {
    yield { kind: 'hex', lines: [...hexLines(batch.bytes, header.position)] }
  }
}

function* records(log: LogFile, batch: RecordBatch): Generator<InspectEvent> {
  try {
    for (const record of readRecords(batch))
      yield recordEvent(record, batch.isControl, log.isMetadata)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    yield fault(
      log.path,
      `The records of the batch at offset ${batch.baseOffset}: ${error.message}`,
    )
  }
}

function* orderProblems(
  log: LogFile,
  { baseOffset, position }: BatchHeader,
  expected: number | undefined,
): Generator<InspectEvent> {
  const least = expected ?? log.baseOffset ?? 0
  if (baseOffset < least) {
    yield fault(
      log.path,
      `The batch at position ${position} has offset ${baseOffset}, below ${least}`,
    )
  }
}

function* strayBytes(window: FileWindow, log: LogFile, end: number): Generator<InspectEvent> {
  const stray = window.size - end
  const rest = window.bytes(end, Math.min(stray, 4096))
  if (rest?.every((byte) => byte === 0) === true && log.isActive) {
    yield note(
      log.path,
      `${stray} bytes from position ${end} on are preallocated or not yet written`,
    )
    return
  }
  const sentence = `${stray} bytes from position ${end} on are no whole batch`
  yield log.isActive
    ? note(log.path, `${sentence}: torn by a crash, or an append is under way`)
    : fault(log.path, sentence)
}

function headerAt(window: FileWindow, position: number): BatchHeader | undefined {
  const size = Math.min(HEADER_BYTES, window.size - position)
  const bytes = size > 0 ? window.bytes(position, size) : undefined
  if (bytes === undefined) return undefined
  return parseBatchHeader(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, position)
}

function batchAt(window: FileWindow, header: BatchHeader): RecordBatch | undefined {
  const bytes = header.magic < 2 ? undefined : window.bytes(header.position, header.sizeInBytes)
  return bytes === undefined ? undefined : new RecordBatch(bytes)
}

function badBatch({ baseOffset, position, sizeInBytes }: BatchHeader): string {
  return sizeInBytes > MAX_BATCH_BYTES
    ? `The batch at offset ${baseOffset}, position ${position}, claims ${sizeInBytes} bytes`
    : `The batch at offset ${baseOffset}, position ${position}, has a wrong checksum`
}

function batchEvent(
  header: BatchHeader,
  batch: RecordBatch | undefined,
  isCrcValid: boolean,
): BatchEvent {
  const { position, sizeInBytes, magic, baseOffset, lastOffset } = header
  const place = { kind: 'batch', position, sizeInBytes, magic, baseOffset, lastOffset } as const
  if (batch === undefined) return place
  return {
    ...place,
    isCrcValid,
    crc: batch.crc.toString(16).padStart(8, '0'),
    compression: batch.compression,
    timestampType: batch.timestampType,
    baseTimestamp: String(batch.baseTimestamp),
    maxTimestamp: String(batch.maxTimestamp),
    recordCount: batch.recordCount,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    ...(batch.hasProducerId
      ? {
          producerId: String(batch.producerId),
          producerEpoch: batch.producerEpoch,
          baseSequence: batch.baseSequence,
          lastSequence: batch.lastSequence,
        }
      : {}),
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    hasDeleteHorizon: batch.hasDeleteHorizon,
  }
}

function readIndex(files: Files, { indexPath, baseOffset }: LogFile): OffsetIndex | undefined {
  const bytes = indexPath === undefined ? undefined : files.readFile(indexPath)
  return bytes === undefined ? undefined : OffsetIndex.parse(baseOffset ?? 0, bytes)
}

function readTimeIndex(
  files: Files,
  { timeIndexPath, baseOffset }: LogFile,
): TimeIndex | undefined {
  const bytes = timeIndexPath === undefined ? undefined : files.readFile(timeIndexPath)
  return bytes === undefined ? undefined : TimeIndex.parse(baseOffset ?? 0, bytes)
}
