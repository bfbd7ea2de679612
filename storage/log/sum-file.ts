// Keeps `millrace.sums` of one partition: checksums of its files that have none of their own (RULES 13).
import { replaceFile, replaceFileNow } from '../fs/atomic-file.ts'
import type { Files, OpenFile } from '../fs/files.ts'
import { parseSegmentFileName, segmentFileName } from '../segment/segment-files.ts'
import { TIME_INDEX_ENTRY_BYTES } from '../segment/time-index.ts'
import { LEADER_EPOCH_CHECKPOINT } from '../state/leader-epoch-cache.ts'
import { PARTITION_METADATA } from '../state/partition-metadata.ts'
import {
  type FileSum,
  matchesSum,
  parseSums,
  SUMS_FILE,
  serializeSums,
  sumOf,
} from '../state/sums.ts'

/** The kinds of index. None has a checksum of its own. */
const SUMMED_KINDS = ['index', 'timeindex', 'txnindex'] as const
/** A line for a sealed segment whose batches were all read and found sound since it was written. */
const SCRUBBED = '.scrubbed'
/** A line for the last entry of a time index, which is read without the rest of it. */
const LAST_ENTRY = '.last'
/** How much of a log's end is summed. */
const TAIL_BYTES = 4096

/**
 * The sums of a partition's time and transaction indexes, written when a segment is sealed, and of its leader epochs,
 * written at a clean stop. A file that does not fit its sum is made anew from the log. A clean stop also notes the size
 * of the last segment's log file and the sum of its last 4 KiB, so that a crash does not cost a scan of logs that nobody
 * wrote to since.
 */
export class SumFile {
  readonly #files: Files
  readonly #directory: string
  readonly #sums: Map<string, FileSum>
  /** The file was there, and makes no sense: nothing is known, as without it. */
  readonly isDamaged: boolean

  /** With `isNew`, no file is looked for. */
  constructor(files: Files, directory: string, { isNew }: { isNew: boolean }) {
    this.#files = files
    this.#directory = directory
    const bytes = isNew ? undefined : files.readFile(`${directory}/${SUMS_FILE}`)
    const sums = bytes && parseSums(bytes)
    this.#sums = sums ?? new Map()
    this.isDamaged = bytes !== undefined && sums === undefined
  }

  /** The base offsets of the segments of which anything is known, some of which may rightly be gone. */
  get baseOffsets(): Set<number> {
    const names = Array.from(this.#sums.keys(), segmentOf)
    return new Set(names.flatMap((name) => name?.offset ?? []))
  }

  /**
   * False when a segment's files are not what they were when it was sealed. All of a transaction index is read, of the
   * others only the size, unless `isThorough`: there are too many of them for a quick start, and `Segment` looks again
   * when it loads them.
   */
  fits(baseOffset: number, { isThorough }: { isThorough: boolean }): boolean {
    return SUMMED_KINDS.every((kind) => {
      const name = segmentFileName(baseOffset, kind)
      return this.#fitsFile(name, isThorough || kind === 'txnindex')
    })
  }

  /** False when `bytes`, read from a segment's index, are not what they were when it was sealed. */
  fitsIndex(baseOffset: number, kind: (typeof SUMMED_KINDS)[number], bytes: Uint8Array): boolean {
    const sum = this.#sums.get(segmentFileName(baseOffset, kind))
    return !sum || matchesSum(bytes, sum)
  }

  /** The same for the last entry of its time index. */
  fitsLastTime(baseOffset: number, bytes: Uint8Array): boolean {
    const sum = this.#sums.get(segmentFileName(baseOffset, 'timeindex') + LAST_ENTRY)
    return !sum || matchesSum(bytes, sum)
  }

  /** Whether it is worth to ask `isScrubbed`. */
  mayBeScrubbed(baseOffset: number): boolean {
    return this.#sums.has(segmentFileName(baseOffset, 'log') + SCRUBBED)
  }

  /** True when all of a sealed segment's batches were found sound, and it has the same size and end since. */
  isScrubbed(baseOffset: number, log: OpenFile): boolean {
    const sum = this.#sums.get(segmentFileName(baseOffset, 'log') + SCRUBBED)
    return sum?.sizeInBytes === log.size() && matchesSum(tailOf(log), tailSum(sum))
  }

  /** All of a sealed segment's batches were found sound. `save` has it on disk. */
  addScrubbed(baseOffset: number, log: OpenFile): void {
    const name = segmentFileName(baseOffset, 'log') + SCRUBBED
    this.#sums.set(name, { sizeInBytes: log.size(), crc: sumOf(tailOf(log)).crc })
  }

  /** False when the leader epochs are not those of the last clean stop. */
  get fitsEpochs(): boolean {
    return this.#fitsFile(LEADER_EPOCH_CHECKPOINT, true)
  }

  /**
   * True when the last segment is byte for byte what a clean stop left, indexes included: nothing was appended to it,
   * or nothing of that reached the disk. Appends only ever make the log file longer, and what cuts it calls `forgetFrom`
   * first; so its size tells, and the sum of its end guards against whoever else writes.
   */
  isAtCleanEnd(baseOffset: number, log: OpenFile): boolean {
    const end = this.#sums.get(segmentFileName(baseOffset, 'log'))
    if (!end || end.sizeInBytes !== log.size() || !matchesSum(tailOf(log), tailSum(end)))
      return false
    return SUMMED_KINDS.every((kind) => {
      const name = segmentFileName(baseOffset, kind)
      return (kind === 'txnindex' || this.#sums.has(name)) && this.#fitsFile(name, true)
    })
  }

  /** True when a segment's indexes are on disk as they were when it was finished: behind that is the recovery point. */
  isFinished(baseOffset: number): boolean {
    const isSummed = this.#sums.has(segmentFileName(baseOffset, 'timeindex'))
    // With the sum of its end they are those of a clean stop, and more may have been appended.
    const isEnd = this.#sums.has(segmentFileName(baseOffset, 'log'))
    return isSummed && !isEnd && this.fits(baseOffset, { isThorough: true })
  }

  /** Takes the sums of a segment's indexes as they are now. */
  add(baseOffset: number): void {
    this.#addFile(PARTITION_METADATA)
    for (const kind of SUMMED_KINDS) this.#addFile(segmentFileName(baseOffset, kind))
    this.#sums.delete(segmentFileName(baseOffset, 'log') + SCRUBBED)
    this.#forgetEnd(baseOffset)
  }

  /** The same, and has them on disk, as `save` does. It syncs the directory too. */
  finish(baseOffset: number, isKnown: (baseOffset: number) => boolean): Promise<void> {
    this.add(baseOffset)
    return this.save(isKnown)
  }

  /** What is known of a segment is of another one of that base offset. */
  forget(baseOffset: number): void {
    for (const name of this.#sums.keys()) {
      if (segmentOf(name)?.offset === baseOffset) this.#sums.delete(name)
    }
  }

  /** Takes the sums of the last segment at a clean stop: for `isAtCleanEnd`. */
  addEnd(baseOffset: number, log: OpenFile): void {
    for (const kind of SUMMED_KINDS) this.#addFile(segmentFileName(baseOffset, kind))
    const { crc } = sumOf(tailOf(log))
    this.#sums.set(segmentFileName(baseOffset, 'log'), { sizeInBytes: log.size(), crc })
  }

  /**
   * The log is about to be cut in the segment of this base: on disk before it returns, nothing is known of it, of what is
   * behind it, and of any end of a clean stop. Its sums still fit its old indexes when it is sealed for the second time.
   */
  forgetFrom(baseOffset: number): void {
    const names = Array.from(this.#sums.keys()).filter((name) => {
      const isEnd = parseSegmentFileName(name)?.kind === 'log'
      return isEnd || (segmentOf(name)?.offset ?? -1) >= baseOffset
    })
    if (names.length === 0) return
    for (const name of names) this.#sums.delete(name)
    replaceFileNow(this.#files, `${this.#directory}/${SUMS_FILE}`, serializeSums(this.#sums))
  }

  /** Takes the sums of the leader epochs and of the topic id, for a clean stop. */
  addEpochs(): void {
    this.#addFile(PARTITION_METADATA)
    this.#addFile(LEADER_EPOCH_CHECKPOINT)
  }

  /** Puts the sums of segments that still exist on disk. */
  async save(isKnown: (baseOffset: number) => boolean): Promise<void> {
    for (const name of this.#sums.keys()) {
      const file = segmentOf(name)
      if (file && !isKnown(file.offset)) this.#sums.delete(name)
    }
    await replaceFile(this.#files, `${this.#directory}/${SUMS_FILE}`, serializeSums(this.#sums))
  }

  #forgetEnd(baseOffset: number): void {
    this.#sums.delete(segmentFileName(baseOffset, 'log'))
  }

  #fitsFile(name: string, isThorough: boolean): boolean {
    const sum = this.#sums.get(name)
    if (!sum) return true
    const path = `${this.#directory}/${name}`
    if (!isThorough) return (this.#files.status(path)?.size ?? 0) === sum.sizeInBytes
    return matchesSum(this.#files.readFile(path) ?? new Uint8Array(0), sum)
  }

  #addFile(name: string): void {
    const bytes = this.#files.readFile(`${this.#directory}/${name}`)
    if (bytes) this.#sums.set(name, sumOf(bytes))
    else this.#sums.delete(name)
    if (!name.endsWith('.timeindex')) return
    const last = bytes && lastTimeEntry(bytes)
    if (last) this.#sums.set(name + LAST_ENTRY, sumOf(last))
    else this.#sums.delete(name + LAST_ENTRY)
  }
}

/** The segment of which a line speaks. */
function segmentOf(name: string) {
  return parseSegmentFileName(name.replace(/\.(scrubbed|last)$/, ''))
}

function lastTimeEntry(bytes: Uint8Array): Uint8Array | undefined {
  const end = bytes.length - (bytes.length % TIME_INDEX_ENTRY_BYTES)
  return end === 0 ? undefined : bytes.subarray(end - TIME_INDEX_ENTRY_BYTES, end)
}

function tailOf(log: OpenFile): Uint8Array {
  const size = log.size()
  const tail = new Uint8Array(Math.min(TAIL_BYTES, size))
  return tail.subarray(0, log.read(tail, size - tail.length))
}

function tailSum({ sizeInBytes, crc }: FileSum): FileSum {
  return { sizeInBytes: Math.min(TAIL_BYTES, sizeInBytes), crc }
}
