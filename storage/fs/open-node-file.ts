// One open file of the machine, through node:fs.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  readSync,
  writeSync,
} from 'node:fs'
import type { OpenFile } from './files.ts'
import { systemError } from './system-error.ts'

/** Owns `fd`. Not for import outside `node-files.ts`. */
export class OpenNodeFile implements OpenFile {
  readonly path: string
  readonly #fd: number
  #pendingSyncs = 0
  #isClosed = false

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  size(): number {
    this.#checkOpen()
    return fstatSync(this.#fd).size
  }

  read(target: Uint8Array, position: number): number {
    this.#checkOpen()
    let done = 0
    while (done < target.length) {
      const count = readSync(this.#fd, target, done, target.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  write(bytes: Uint8Array, position: number): void {
    this.#checkOpen()
    let done = 0
    // The system may take a part, as it does just before the disk is full; the next call then says why.
    while (done < bytes.length) {
      const count = writeSync(this.#fd, bytes, done, bytes.length - done, position + done)
      if (count === 0) throw systemError('EIO', `write to '${this.path}' took no byte`)
      done += count
    }
  }

  truncate(size: number): void {
    this.#checkOpen()
    ftruncateSync(this.#fd, size)
  }

  syncNow(): void {
    this.#checkOpen()
    fdatasyncSync(this.#fd)
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#checkOpen()
      this.#pendingSyncs++
      fdatasync(this.#fd, (error) => {
        this.#pendingSyncs--
        if (this.#isClosed) this.#release()
        if (error) reject(error)
        else resolve()
      })
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release()
  }

  /** Waits for syncs under way: the number of a closed descriptor may belong to another file by then. */
  #release(): void {
    if (this.#pendingSyncs === 0) closeSync(this.#fd)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw systemError('EBADF', `'${this.path}' is closed`)
  }
}
