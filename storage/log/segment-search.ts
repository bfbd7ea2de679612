// Searches over the segments of a log: by offset, by time, for aborted transactions.
import { KafkaError } from '../base/errors.ts'
import { readRecords } from '../batch/record.ts'
import { RecordBatch } from '../batch/record-batch.ts'
import type { Int64 } from '../bytes/int64.ts'
import { type BatchHeader, BatchHeaderReader } from '../segment/batch-header.ts'
import type { OffsetIndex } from '../segment/offset-index.ts'
import type { Segment } from '../segment/segment.ts'
import type { TimestampOffset } from '../segment/time-index.ts'
import type { AbortedTransaction } from '../segment/transaction-index.ts'
import type { LogPosition } from './durability.ts'

/** A range of offsets whose bytes are damaged below the recovery point: never cut, never served (RULES 12). */
export interface DamagedRange {
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly segmentBaseOffset: number
  readonly position: number
  /** Where the next intact batch begins, if it is known. */
  readonly endPosition?: number
}

/** Where a slice begins, and how much of its segment may be seen. */
export interface FoundBatch {
  readonly segment: Segment
  readonly header: BatchHeader
  /** The position up to which the segment's bytes may be handed out. */
  readonly end: number
}

/** The index of the segment that holds `offset`: the last whose base is not beyond it; -1 when there is none. */
export function floorSegment(segments: readonly Segment[], offset: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segments[middle]?.baseOffset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The first batch at or after `offset` that lies below `bound`; in a later segment when compaction emptied this one. */
export function findBatch(
  segments: readonly Segment[],
  offset: number,
  bound: LogPosition,
  damages: readonly DamagedRange[] = [],
): FoundBatch | undefined {
  for (let index = Math.max(0, floorSegment(segments, offset)); index < segments.length; index++) {
    const segment = segments[index]
    if (!segment || segment.baseOffset > bound.segmentBaseOffset) return undefined
    const isLast = segment.baseOffset === bound.segmentBaseOffset
    const end = isLast ? bound.position : segment.size
    const header = segment.find(offset, { end, from: endOfDamage(damages, segment, offset) })
    if (header) return { segment, header, end }
  }
  return undefined
}

/** Where to begin to look for `offset`: no walk leads through damaged bytes. */
function endOfDamage(
  damages: readonly DamagedRange[],
  { baseOffset }: Segment,
  offset: number,
): number {
  let end = 0
  for (const { segmentBaseOffset, to, endPosition = 0 } of damages) {
    if (segmentBaseOffset === baseOffset && to <= offset) end = Math.max(end, endPosition)
  }
  return end
}

/** Throws KAFKA_STORAGE_ERROR when `offset` lies in a damaged range. */
export function checkUndamaged(damages: readonly DamagedRange[], offset: number): void {
  const damage = damages.find(({ from, to }) => offset >= from && offset < to)
  if (!damage) return
  const detail = `Offset ${offset} is in the damaged range [${damage.from}, ${damage.to})`
  throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
}

/** Where the undamaged bytes behind `position` of a segment end, at most `end`. */
export function endOfUndamaged(
  damages: readonly DamagedRange[],
  { segment, header, end }: FoundBatch,
): number {
  for (const damage of damages) {
    const isBehind = damage.position > header.position && damage.position < end
    if (damage.segmentBaseOffset === segment.baseOffset && isBehind) return damage.position
  }
  return end
}

/** The aborted transactions that overlap `[from, upTo)`, from segment number `first` on. */
export function abortedTransactions(
  segments: readonly Segment[],
  first: number,
  range: { from: number; upTo: number },
): AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  for (let index = first; index < segments.length; index++) {
    const indexes = segments[index]?.indexes
    if (!indexes) break
    if (indexes.areTransactionsDamaged) {
      const detail = `The transaction index of ${segments[index]?.path} is damaged; the next start makes it anew`
      throw new KafkaError('KAFKA_STORAGE_ERROR', detail)
    }
    const result = indexes.transactions.query(range)
    found.push(...result.transactions)
    if (result.isComplete) break
  }
  return found
}

/** An offset at or beyond all batches that begin below `position`: from the index, else `otherwise`. */
export function offsetBeyond(index: OffsetIndex, position: number, otherwise: number): number {
  let low = 0
  let high = index.entries
  while (low < high) {
    const middle = (low + high) >>> 1
    if (index.entryAt(middle).position < position) low = middle + 1
    else high = middle
  }
  return low < index.entries ? index.entryAt(low).offset : otherwise
}

/** The first record of a segment with `timestamp` or a later one, at or beyond `from`. */
export function findTimestamp(
  segment: Segment,
  timestamp: Int64,
  from: number,
): TimestampOffset | undefined {
  const { offset } = segment.indexes.times.lookup(timestamp)
  let header = segment.find(Math.max(offset, from))
  let hasMatched = false
  while (header) {
    if (header.maxTimestamp >= timestamp && header.lastOffset >= from) {
      hasMatched = true
      for (const record of readRecords(readBatch(segment, header))) {
        if (record.timestamp < timestamp || record.offset < from) continue
        return { timestamp: record.timestamp, offset: record.offset }
      }
    }
    header = nextHeader(segment, header)
  }
  const { largest } = segment
  if (hasMatched || largest.timestamp < timestamp || largest.offset < from) return undefined
  const detail = `No batch of ${segment.path} has the timestamp ${largest.timestamp} that its index names`
  throw new KafkaError('CORRUPT_MESSAGE', detail)
}

/** The first record that has the largest timestamp of a segment; undefined when its records have none. */
export function findLargestTimestamp(segment: Segment): TimestampOffset | undefined {
  const { timestamp, offset } = segment.largest
  if (timestamp < 0) return undefined
  const header = segment.find(offset)
  if (!header) return undefined
  for (const record of readRecords(readBatch(segment, header))) {
    if (record.timestamp === timestamp) return { timestamp, offset: record.offset }
  }
  // Compaction may have removed the record and left the batch its timestamp.
  return { timestamp, offset }
}

function nextHeader(segment: Segment, { position, sizeInBytes }: BatchHeader) {
  return segment.withFile((file) => {
    return new BatchHeaderReader(file, segment.size).at(position + sizeInBytes)
  })
}

/** Its records are looked into: so its checksum must be right. */
function readBatch(segment: Segment, header: BatchHeader): RecordBatch {
  const bytes = new Uint8Array(header.sizeInBytes)
  segment.withFile((file) => file.read(bytes, header.position))
  const batch = new RecordBatch(bytes)
  if (batch.isCrcValid()) return batch
  const detail = `The batch at position ${header.position} of ${segment.path} fails its checksum`
  throw new KafkaError('CORRUPT_MESSAGE', detail)
}
