// Keeps `millrace.sums` of one partition: checksums of its files that have none of their own (RULES 13).
import { replaceFile } from '../fs/atomic-file.ts'
import type { Files } from '../fs/files.ts'
import { parseSegmentFileName, segmentFileName } from '../segment/segment-files.ts'
import { LEADER_EPOCH_CHECKPOINT } from '../state/leader-epoch-cache.ts'
import {
  type FileSum,
  matchesSum,
  parseSums,
  SUMS_FILE,
  serializeSums,
  sumOf,
} from '../state/sums.ts'

/** Kinds of index whose damage no other check would show; an offset index is checked against the log as it is used. */
const SUMMED_KINDS = ['timeindex', 'txnindex'] as const

/**
 * The sums of a partition's time and transaction indexes, written when a segment is sealed, and of its leader epochs,
 * written at a clean stop. A file that does not fit its sum is made anew from the log.
 */
export class SumFile {
  readonly #files: Files
  readonly #directory: string
  readonly #sums: Map<string, FileSum>

  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
    const bytes = files.readFile(`${directory}/${SUMS_FILE}`)
    this.#sums = (bytes && parseSums(bytes)) ?? new Map()
  }

  /**
   * False when a segment's files are not what they were when it was sealed. All of a transaction index is read, of a
   * time index only the size, unless `isThorough`: there are too many of them for a quick start.
   */
  fits(baseOffset: number, { isThorough }: { isThorough: boolean }): boolean {
    return SUMMED_KINDS.every((kind) => {
      const name = segmentFileName(baseOffset, kind)
      return this.#fitsFile(name, isThorough || kind === 'txnindex')
    })
  }

  /** False when the leader epochs are not those of the last clean stop. */
  get fitsEpochs(): boolean {
    return this.#fitsFile(LEADER_EPOCH_CHECKPOINT, true)
  }

  /** Takes the sums of a segment's indexes as they are now. */
  add(baseOffset: number): void {
    for (const kind of SUMMED_KINDS) this.#addFile(segmentFileName(baseOffset, kind))
  }

  /** Takes the sum of the leader epochs, for a clean stop. */
  addEpochs(): void {
    this.#addFile(LEADER_EPOCH_CHECKPOINT)
  }

  /** Puts the sums of segments that still exist on disk. */
  async save(isKnown: (baseOffset: number) => boolean): Promise<void> {
    for (const name of this.#sums.keys()) {
      const file = parseSegmentFileName(name)
      if (file && !isKnown(file.offset)) this.#sums.delete(name)
    }
    await replaceFile(this.#files, `${this.#directory}/${SUMS_FILE}`, serializeSums(this.#sums))
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
  }
}
