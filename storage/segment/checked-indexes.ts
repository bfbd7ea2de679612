// Loads the indexes of a sealed segment, and makes those anew that are not what was written.
import type { Files } from '../fs/files.ts'
import type { BatchHeaderReader } from './batch-header.ts'
import { OffsetIndex } from './offset-index.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { TimeIndex } from './time-index.ts'
import type { TransactionIndex } from './transaction-index.ts'

/** Tells whether what is read of an index is what was written. True when it is not known. */
export interface IndexSums {
  fitsIndex(
    baseOffset: number,
    kind: 'index' | 'timeindex' | 'txnindex',
    bytes: Uint8Array,
  ): boolean
  fitsLastTime(baseOffset: number, entry: Uint8Array): boolean
}

/** Kafka's default: what a damaged index is made anew with. */
const INDEX_INTERVAL_BYTES = 4096

/**
 * The indexes of a segment, whose files' names end with `suffix`. Where there are sums, damaged ones are made from the headers of the log, which `withLog` lends;
 * that of the transactions can't be, and is marked.
 */
export function loadIndexes(
  { files, directory, sums }: { files: Files; directory: string; sums?: IndexSums },
  { baseOffset, suffix }: { baseOffset: number; suffix: string },
  withLog: (make: (log: BatchHeaderReader) => SegmentIndexes) => SegmentIndexes,
): SegmentIndexes {
  const indexes = SegmentIndexes.load(files, directory, baseOffset, suffix)
  if (!sums) return indexes
  const { offsets, times, transactions } = indexes
  const areSound =
    sums.fitsIndex(baseOffset, 'index', offsets.toBytes()) &&
    sums.fitsIndex(baseOffset, 'timeindex', times.toBytes())
  const sound = areSound ? indexes : withLog((log) => makeIndexes(log, baseOffset, transactions))
  sound.areTransactionsDamaged = !sums.fitsIndex(baseOffset, 'txnindex', transactions.toBytes())
  return sound
}

function makeIndexes(
  log: BatchHeaderReader,
  baseOffset: number,
  transactions: TransactionIndex,
): SegmentIndexes {
  const offsets = new OffsetIndex(baseOffset)
  const times = new TimeIndex(baseOffset)
  let largest = times.lastEntry
  let lastIndexed = 0
  let header = log.peek(0)
  while (header) {
    const { position, sizeInBytes, lastOffset, maxTimestamp } = header
    if (maxTimestamp > largest.timestamp) {
      largest = { timestamp: maxTimestamp, offset: lastOffset }
    }
    if (position - lastIndexed > INDEX_INTERVAL_BYTES) {
      offsets.append({ offset: lastOffset, position })
      times.maybeAppend(largest)
      lastIndexed = position
    }
    header = log.peek(position + sizeInBytes)
  }
  times.maybeAppend(largest)
  const made = new SegmentIndexes(baseOffset, offsets, times, transactions)
  made.markUnwritten()
  return made
}
