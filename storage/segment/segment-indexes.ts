// The three indexes of one segment, together: loaded, grown, cut and written as one.
import type { Files } from '../fs/files.ts'
import { OffsetIndex } from './offset-index.ts'
import { segmentPath } from './segment-files.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** The index files that a segment always has once it is closed. */
export const INDEX_KINDS = ['index', 'timeindex'] as const

/**
 * The indexes of one segment in memory. They reach their files when the segment is sealed or closed, not with every
 * entry. That is safe: after an unclean stop every segment at or above the recovery point has its indexes rebuilt from
 * the log, and the recovery point passes a segment only after its indexes are written and synced.
 */
export class SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly transactions: TransactionIndex
  /** The file of the transactions is not what was written. */
  areTransactionsDamaged = false

  constructor(
    baseOffset: number,
    offsets = new OffsetIndex(baseOffset),
    times = new TimeIndex(baseOffset),
    transactions = new TransactionIndex(baseOffset),
  ) {
    this.offsets = offsets
    this.times = times
    this.transactions = transactions
  }

  /** Reads the files, whose names end with `suffix`; a missing one counts as empty. */
  static load(files: Files, directory: string, baseOffset: number, suffix = ''): SegmentIndexes {
    const read = (kind: 'index' | 'timeindex' | 'txnindex') => {
      return files.readFile(segmentPath(directory, baseOffset, kind) + suffix) ?? new Uint8Array(0)
    }
    return SegmentIndexes.parse(baseOffset, {
      offsets: read('index'),
      times: read('timeindex'),
      transactions: read('txnindex'),
    })
  }

  /** Takes what the files hold, and keeps it. */
  static parse(
    baseOffset: number,
    files: Readonly<Record<'offsets' | 'times' | 'transactions', Uint8Array>>,
  ): SegmentIndexes {
    return new SegmentIndexes(
      baseOffset,
      OffsetIndex.parse(baseOffset, files.offsets),
      TimeIndex.parse(baseOffset, files.times),
      TransactionIndex.parse(baseOffset, files.transactions),
    )
  }

  /** The memory that the entries take. */
  get sizeInBytes(): number {
    return this.offsets.sizeInBytes + this.times.sizeInBytes + this.transactions.sizeInBytes
  }

  /** True when either index has no room for another entry in a file of `maxBytes`: the segment must roll. */
  isFull(maxBytes: number): boolean {
    return this.offsets.isFull(maxBytes) || this.times.isFull(maxBytes)
  }

  /** Forgets everything at or above `offset`. */
  truncateTo(offset: number): void {
    this.offsets.truncateTo(offset)
    this.times.truncateTo(offset)
    this.transactions.truncateTo(offset)
  }

  /** Tells that the files hold nothing of this: the next `write` writes them whole. */
  markUnwritten(): void {
    for (const index of [this.offsets, this.times, this.transactions]) index.markWritten(false)
  }

  /**
   * Writes what the files lack and cuts them to size, padding of Kafka's included. Returns the paths of the files, whose
   * names end with `suffix`.
   */
  write(files: Files, directory: string, suffix = ''): string[] {
    const { baseOffset } = this.offsets
    const path = (kind: 'index' | 'timeindex' | 'txnindex') => {
      return segmentPath(directory, baseOffset, kind) + suffix
    }
    writeIndex(files, path('index'), this.offsets)
    writeIndex(files, path('timeindex'), this.times)
    const transactions = path('txnindex')
    if (this.transactions.entries === 0) {
      files.remove(transactions)
      return [path('index'), path('timeindex')]
    }
    writeIndex(files, transactions, this.transactions)
    return [path('index'), path('timeindex'), transactions]
  }
}

function writeIndex(
  files: Files,
  path: string,
  index: OffsetIndex | TimeIndex | TransactionIndex,
): void {
  const file = files.open(path, 'write')
  try {
    const { bytes, position } = index.unwritten()
    if (bytes.length > 0) file.write(bytes, position)
    if (file.size() !== index.sizeInBytes) file.truncate(index.sizeInBytes)
    index.markWritten()
  } finally {
    file.close()
  }
}
