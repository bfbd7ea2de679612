// An open file whose descriptor comes and goes.
import { systemCode } from '../base/errors.ts'
import type { OpenFile, OpenMode } from './files.ts'
import { systemError } from './system-error.ts'

/** What a pooled file needs of its pool. */
export interface PoolOfFile {
  /** Makes room and opens. With `mustExist`, a file that is gone is ENOENT instead of being made anew. */
  acquire(path: string, mode: OpenMode, mustExist: boolean): OpenFile
  /** The file's state may have changed, or it was used. */
  touched(file: PooledFile): void
  /** The file was closed for good. */
  closed(file: PooledFile): void
}

/** `closed`: no descriptor. `idle`: may be closed. `busy`: unsynced writes, a sync under way, or in use. */
export type PooledFileState = 'closed' | 'idle' | 'busy'

/** Made by `FilePool` alone. Once a sync has failed, every later one fails too: the kernel may have lost the pages. */
export class PooledFile implements OpenFile {
  path: string
  readonly #pool: PoolOfFile
  readonly #mode: OpenMode
  #wasOpened: boolean
  #descriptor: OpenFile | undefined
  #isClosed = false
  #pins = 0
  #pendingSyncs = 0
  /** Changes made, and how many of them were on disk at the last sync. */
  #changes = 0
  #syncedChanges = 0
  #syncFailure: { readonly error: unknown } | undefined

  /** With `exists`, a file that is gone at the first use is ENOENT instead of being made anew. */
  constructor(pool: PoolOfFile, path: string, mode: OpenMode, { exists = false } = {}) {
    this.#wasOpened = exists
    this.#pool = pool
    this.path = path
    this.#mode = mode
  }

  get state(): PooledFileState {
    if (this.#descriptor === undefined) return 'closed'
    const isClean = this.#changes === this.#syncedChanges
    return isClean && this.#pins === 0 && this.#pendingSyncs === 0 ? 'idle' : 'busy'
  }

  /** Opens the descriptor, so that what prevents it shows now. */
  openNow(): void {
    this.pinned(() => undefined)
  }

  /** Calls `action` with the descriptor open; it stays so for the time of the call. */
  pinned<T>(action: (file: OpenFile) => T): T {
    if (this.#isClosed) throw systemError('EBADF', `'${this.path}' is closed`)
    this.#descriptor ??= this.#reopen()
    this.#pins++
    // Pinned from here on: what `action` opens must not close this one.
    this.#pool.touched(this)
    try {
      return action(this.#descriptor)
    } finally {
      this.#pins--
      this.#pool.touched(this)
    }
  }

  size(): number {
    return this.pinned((file) => file.size())
  }

  read(target: Uint8Array, position: number): number {
    return this.pinned((file) => file.read(target, position))
  }

  write(bytes: Uint8Array, position: number): void {
    // As `pinned`, for what opens no other file in between.
    if (this.#isClosed) throw systemError('EBADF', `'${this.path}' is closed`)
    this.#descriptor ??= this.#reopen()
    // Before the call: a failed write may have written a part.
    this.#changes++
    try {
      this.#descriptor.write(bytes, position)
    } finally {
      this.#pool.touched(this)
    }
  }

  writeBehind(position: number, size: number): boolean {
    // Of a file that was just written to. There is nothing to open, and nothing that an append should fail for.
    return this.#descriptor?.writeBehind(position, size) ?? false
  }

  truncate(size: number): void {
    this.pinned((file) => {
      this.#changes++
      file.truncate(size)
    })
  }

  syncNow(): void {
    this.#throwSyncFailure()
    this.pinned((file) => {
      try {
        file.syncNow()
      } catch (error) {
        this.#noteSyncFailure(error)
        throw error
      }
      this.#syncedChanges = this.#changes
    })
  }

  /** Also when nothing was written through this file: others may have written to it before. */
  async sync(): Promise<void> {
    this.#throwSyncFailure()
    const changes = this.#changes
    this.#pendingSyncs++
    try {
      await this.pinned((file) => file.sync())
      this.#syncedChanges = Math.max(this.#syncedChanges, changes)
    } catch (error) {
      this.#noteSyncFailure(error)
      throw error
    } finally {
      this.#pendingSyncs--
      this.#pool.touched(this)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.closeDescriptor()
    this.#pool.closed(this)
  }

  /** For the pool: closes an idle file's descriptor; the next use opens it again. */
  closeDescriptor(): void {
    this.#descriptor?.close()
    this.#descriptor = undefined
  }

  /** For the pool: starts a sync so that the file may become idle; false when one is under way or can't help. */
  syncInBackground(done: () => void): boolean {
    if (this.#pendingSyncs > 0 || this.#syncFailure || this.#pins > 0) return false
    // A failure is kept, for whoever relies on the bytes.
    this.sync().then(done, done)
    return true
  }

  /** For the pool: the same at once, on this thread. False when it did not help. */
  syncForRoom(): boolean {
    if (this.#pendingSyncs > 0 || this.#syncFailure || this.#pins > 0) return false
    try {
      this.syncNow()
      return true
    } catch {
      // Kept, as above.
      return false
    }
  }

  #noteSyncFailure(error: unknown): void {
    // No descriptor for it (Deno duplicates one for each call): then nothing was synced, and nothing lost.
    const code = systemCode(error)
    if (code !== 'EMFILE' && code !== 'ENFILE') this.#syncFailure ??= { error }
  }

  #reopen(): OpenFile {
    const mode = this.#wasOpened && this.#mode === 'create' ? 'write' : this.#mode
    const descriptor = this.#pool.acquire(this.path, mode, this.#wasOpened)
    this.#wasOpened = true
    return descriptor
  }

  #throwSyncFailure(): void {
    if (this.#syncFailure) throw this.#syncFailure.error
  }
}
