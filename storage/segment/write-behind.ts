// Bytes that nobody waits for go to the disk while more are appended.
//
// A sync of much at once holds up appends to the same file for 10 to 50 ms: the kernel locks the pages that it is about to
// write, the last one with them, until the disk has taken those before.
import type { OpenFile } from '../fs/files.ts'

/** How much is written at a time. */
const STEP_BYTES = 2_097_152
/** What always stays: pages that are still written to. */
const TAIL_BYTES = 1_048_576

/** How far the file of one segment was told to go to the disk. It promises nothing: syncs do. */
export class WriteBehind {
  #begunSize = 0

  /** The file has `size` bytes now, of which `syncedSize` are on disk. */
  follow(file: OpenFile, size: number, syncedSize: number): void {
    const from = Math.max(syncedSize, this.#begunSize)
    if (size - from < STEP_BYTES + TAIL_BYTES) return
    const end = Math.min(size - TAIL_BYTES, from + 2 * STEP_BYTES)
    if (file.writeBehind(from, end - from)) this.#begunSize = end
  }

  /** The file was cut. */
  cut(size: number): void {
    this.#begunSize = Math.min(this.#begunSize, size)
  }
}
