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

/** Begins to write a range of a file to the disk; undefined when it can't now. Settles when the descriptor is not needed any more. */
export type WriteBehind = (
  fd: number,
  position: number,
  size: number,
) => Promise<unknown> | undefined

/** Owns `fd`. Not for import outside `node-files.ts`. */
export class OpenNodeFile implements OpenFile {
  readonly path: string
  readonly #fd: number
  readonly #writeBehind: WriteBehind
  #pendingCalls = 0
  #isClosed = false

  constructor(path: string, fd: number, writeBehind: WriteBehind) {
    this.path = path
    this.#fd = fd
    this.#writeBehind = writeBehind
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

  writeBehind(position: number, size: number): boolean {
    this.#checkOpen()
    const writing = this.#writeBehind(this.#fd, position, size)
    if (writing === undefined) return false
    this.#pendingCalls++
    const done = () => this.#endCall()
    writing.then(done, done)
    return true
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
      this.#pendingCalls++
      fdatasync(this.#fd, (error) => {
        this.#endCall()
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

  #endCall(): void {
    this.#pendingCalls--
    if (!this.#isClosed) return
    try {
      this.#release()
    } catch {
      // Whoever closed it has gone on; what had to be on disk was synced.
    }
  }

  /** Waits for calls under way: the number of a closed descriptor may belong to another file by then. */
  #release(): void {
    if (this.#pendingCalls === 0) closeSync(this.#fd)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw systemError('EBADF', `'${this.path}' is closed`)
  }
}
