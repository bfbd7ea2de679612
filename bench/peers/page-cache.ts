// A page cache that is kept full, so that a log grows by pages that the kernel takes from it, which are there.
//
// Free memory is what the host of a virtual machine takes back, within seconds of a topic's deletion (see ballast.ts). A page that comes from
// it costs several times what writing to it does; one that held a file's old bytes costs what it costs on a machine of its own.
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { systemMib } from './proc.ts'

const PIECE_BYTES = 4 * 1_048_576
/** About what the kernel leaves free on its own; what is in that is never used. */
const FREE_MIB = 320

/** A file of old bytes, large enough to fill what memory is left. */
export class PageCache {
  readonly #fd: number
  readonly #sizeInBytes: number
  readonly #freeMib: () => number
  readonly #piece = Buffer.alloc(PIECE_BYTES, 1)
  #position = 0

  /** Writes a file of `mib` at `path`, which goes with its folder. */
  constructor(path: string, mib: number, freeMib = () => systemMib('MemFree')) {
    this.#sizeInBytes = Math.floor(mib * 1_048_576)
    this.#freeMib = freeMib
    this.#fd = openSync(path, 'w+')
    for (let at = 0; at < this.#sizeInBytes; at += PIECE_BYTES) {
      writeSync(this.#fd, this.#piece, 0, Math.min(PIECE_BYTES, this.#sizeInBytes - at), at)
    }
    fdatasyncSync(this.#fd)
  }

  /** Reads on in the file, around its end, until little memory is free, or all of it was read. Returns the MiB that it read. */
  fill(): number {
    let bytes = 0
    while (bytes < this.#sizeInBytes && this.#freeMib() > FREE_MIB) {
      bytes += readSync(this.#fd, this.#piece, 0, PIECE_BYTES, this.#position)
      this.#position += PIECE_BYTES
      if (this.#position >= this.#sizeInBytes) this.#position = 0
    }
    return bytes / 1_048_576
  }

  close(): void {
    closeSync(this.#fd)
  }
}
