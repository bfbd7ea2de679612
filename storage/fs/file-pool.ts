// A bounded number of open descriptors for any number of files: ten thousand partitions must not hold ten thousand.
import { systemCode } from '../base/errors.ts'
import type { Files, OpenFile, OpenMode } from './files.ts'
import { PooledFile, type PoolOfFile } from './pooled-file.ts'
import { systemError } from './system-error.ts'

/** For metrics. */
export interface FilePoolStats {
  readonly limit: number
  /** Descriptors open now. */
  readonly open: number
  /** Of those, held open by unsynced writes or a sync under way. */
  readonly dirty: number
  /** Since the start. */
  readonly opens: number
  readonly evictions: number
}

/**
 * Opens files on demand and closes the ones used least recently. Two ways in: `use` lends a file for reading for the
 * time of one call; `open` gives a file that its owner keeps, whose descriptor comes and goes behind its back.
 *
 * A descriptor with unsynced writes is never closed before it was synced. The kernel reports a failed write-back to the
 * descriptors that are open when it happens (errseq); closed, the report waits in the inode, which may be dropped from
 * memory, and the fdatasync of a descriptor opened later would then claim success. So when all are dirty the pool goes
 * over its limit and has the oldest synced, off this thread, to close it afterwards. At twice the limit it waits for one:
 * a short stall, and a bound that holds.
 */
export class FilePool {
  readonly #files: Files
  readonly #limit: number
  /** In order of use, oldest first. */
  readonly #idle = new Set<PooledFile>()
  /** In the order in which they became dirty. */
  readonly #dirty = new Set<PooledFile>()
  /** Files lent by `use`, by path. */
  readonly #readers = new Map<string, PooledFile>()
  /** Files given out by `open` and not closed. */
  readonly #owned = new Set<PooledFile>()
  readonly #owner: PoolOfFile
  #backgroundSyncs = 0
  #opens = 0
  #evictions = 0

  constructor(files: Files, limit: number) {
    this.#files = files
    this.#limit = limit
    this.#owner = {
      acquire: (path, mode, mustExist) => this.#acquire(path, mode, mustExist),
      touched: (file) => this.#place(file),
      closed: (file) => {
        this.#owned.delete(file)
        if (this.#readers.get(file.path) === file) this.#readers.delete(file.path)
        this.#place(file)
      },
    }
  }

  /** Calls `action` with the file open for reading. It must not keep it beyond the call. Throws ENOENT, EMFILE, … */
  use<T>(path: string, action: (file: OpenFile) => T): T {
    const known = this.#readers.get(path)
    if (known !== undefined) return known.pinned(action)
    const file = new PooledFile(this.#owner, path, 'read')
    return file.pinned((opened) => {
      this.#readers.set(path, file)
      return action(opened)
    })
  }

  /** A file that its owner closes. Opened now, so that ENOENT, EEXIST and EMFILE show here. */
  open(path: string, mode: OpenMode): OpenFile {
    const file = new PooledFile(this.#owner, path, mode)
    file.openNow()
    this.#owned.add(file)
    return file
  }

  /** The same for a file that exists, opened at its first use: most of ten thousand logs are never written to. */
  attach(path: string): OpenFile {
    const file = new PooledFile(this.#owner, path, 'write', { exists: true })
    this.#owned.add(file)
    return file
  }

  /** Closes what `use` holds of a file, or of all files in a directory: before they are replaced or removed. */
  evict(path: string): void {
    for (const [name, file] of this.#readers) {
      if (isAtOrBelow(name, path)) file.close()
    }
  }

  /** A file or directory was renamed: from now on its files are opened under the new name. */
  renamed(from: string, to: string): void {
    this.evict(from)
    this.evict(to)
    for (const file of this.#owned) {
      if (isAtOrBelow(file.path, from)) file.path = to + file.path.slice(from.length)
    }
  }

  /** For metrics. */
  get stats(): FilePoolStats {
    return {
      limit: this.#limit,
      open: this.#idle.size + this.#dirty.size,
      dirty: this.#dirty.size,
      opens: this.#opens,
      evictions: this.#evictions,
    }
  }

  /** Closes everything, synced or not: at the end, or when the directory is offline. */
  close(): void {
    for (const file of [...this.#readers.values(), ...this.#owned]) file.close()
  }

  #acquire(path: string, mode: OpenMode, mustExist: boolean): OpenFile {
    if (mustExist && this.#files.status(path) === undefined) {
      throw systemError('ENOENT', `'${path}' was removed while its descriptor was closed`)
    }
    while (this.#idle.size + this.#dirty.size >= this.#limit && this.#closeOldest()) {}
    if (this.#idle.size + this.#dirty.size >= this.#limit) this.#syncOldest()
    if (this.#idle.size + this.#dirty.size >= 2 * this.#limit) this.#syncOldestNow()
    this.#opens++
    try {
      return this.#files.open(path, mode)
    } catch (error) {
      // The system's limit is below ours: give back half of what can be given, and ask once more.
      const code = systemCode(error)
      if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#idle.size === 0) throw error
      for (let left = Math.ceil(this.#idle.size / 2); left > 0; left--) this.#closeOldest()
      return this.#files.open(path, mode)
    }
  }

  #closeOldest(): boolean {
    const [oldest] = this.#idle
    if (oldest === undefined) return false
    this.#idle.delete(oldest)
    if (this.#readers.get(oldest.path) === oldest) oldest.close()
    else oldest.closeDescriptor()
    this.#evictions++
    return true
  }

  /** A failed sync is remembered by the file, and its owner's next sync reports it. */
  #syncOldest(): void {
    // A file can't be closed while its sync is under way: leave some that could be synced at once.
    if (this.#backgroundSyncs >= Math.ceil(this.#limit / 2)) return
    const done = () => {
      this.#backgroundSyncs--
    }
    for (const file of this.#dirty) {
      if (!file.syncInBackground(done)) continue
      // If it is written to meanwhile, the others come first.
      this.#dirty.delete(file)
      this.#dirty.add(file)
      this.#backgroundSyncs++
      return
    }
  }

  /** On this thread; once it is clean, its place among the others is given up. */
  #syncOldestNow(): void {
    for (const file of this.#dirty) {
      if (file.syncForRoom()) return
    }
  }

  #place(file: PooledFile): void {
    const { state } = file
    // A write to a file that has been written to: the hot path.
    if (state === 'busy' && this.#dirty.has(file)) return
    this.#idle.delete(file)
    this.#dirty.delete(file)
    if (state === 'idle') this.#idle.add(file)
    else if (state === 'busy') this.#dirty.add(file)
    // Over the limit, because all were dirty when one more was needed.
    while (this.#idle.size + this.#dirty.size > this.#limit && this.#closeOldest()) {}
  }
}

function isAtOrBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`)
}
