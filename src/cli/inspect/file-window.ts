// Reads a file of any size through one small window, for inspection.
import type { OpenFile } from '#storage/fs/files.ts'

const WINDOW_BYTES = 1_048_576

/** A file seen through a window of 1 MiB. Its views are valid until the next call. */
export class FileWindow {
  /** The file's size when it was opened: what is appended later is not looked at. */
  readonly size: number
  readonly #file: OpenFile
  readonly #window = new Uint8Array(WINDOW_BYTES)
  #start = 0
  #length = 0

  constructor(file: OpenFile) {
    this.#file = file
    this.size = file.size()
  }

  /** `size` bytes at `position`, copied only when they are more than the window holds; undefined beyond the end. */
  bytes(position: number, size: number): Uint8Array | undefined {
    if (position + size > this.size) return undefined
    if (size > WINDOW_BYTES) {
      const whole = new Uint8Array(size)
      return this.#file.read(whole, position) === size ? whole : undefined
    }
    const isLoaded = position >= this.#start && position + size <= this.#start + this.#length
    if (!isLoaded) {
      const wanted = Math.min(WINDOW_BYTES, this.size - position)
      this.#start = position
      this.#length = this.#file.read(this.#window.subarray(0, wanted), position)
    }
    const at = position - this.#start
    return at + size <= this.#length ? this.#window.subarray(at, at + size) : undefined
  }
}
