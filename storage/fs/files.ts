// The file system as the storage engine sees it. Its adapters: `node-files.ts` (all three runtimes, through node:fs and
// koffi) and, in tests, `test/simulation/simulated-disk.ts`. Everything under storage/ takes a `Files` by constructor.

/**
 * An open file. Reads and writes are positional; there is no file pointer. Failures throw the system's own error,
 * whose `code` is ENOSPC, EIO, …; `storage/fs/failures.ts` says which are refusals and which are faults.
 */
export interface OpenFile {
  readonly path: string
  /** The size in bytes, asked of the system. */
  size(): number
  /** Fills `target` from `position` on; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): number
  /** Writes all of `bytes` at `position`, or throws. After a throw any prefix may have been written. */
  write(bytes: Uint8Array, position: number): void
  /**
   * Has the system begin to write a range to the disk, off this thread; false when it can't now. It promises nothing: only
   * `sync` gets bytes to the disk, and tells when that failed.
   */
  writeBehind(position: number, size: number): boolean
  truncate(size: number): void
  /** fdatasync on this thread: blocks the loop. For start, stop and tests. */
  syncNow(): void
  /** fdatasync off this thread. Resolves when what was written before the call is on disk. */
  sync(): Promise<void>
  close(): void
}

/** A read-only shared map of a file's first `size` bytes. */
export interface FileMap {
  readonly bytes: Uint8Array
  /**
   * Brings `[position, position + size)` into memory with `madvise(MADV_POPULATE_READ)` (RULES 7). False when the kernel
   * lacks the call; throws the system's error when the medium fails. Only bytes of a range that was populated may be touched.
   */
  populate(position: number, size: number): boolean
  /** The same off this thread, for ranges that are not resident (RULES 10). False also when the map was unmapped meanwhile. */
  populateInBackground(position: number, size: number): Promise<boolean>
  /** True when the whole range is in the page cache (`mincore`): touching it will not wait for the disk. */
  isResident(position: number, size: number): boolean
  /** Detaches `bytes` (its views become empty) and unmaps. */
  unmap(): void
}

/** An exclusive lock on a file, held against every process, Kafka's Java included (`fcntl(F_OFD_SETLK)`). */
export interface FileLock {
  /** False when this runtime can only lock against other Millrace processes (no FFI). */
  readonly isSeenByKafka: boolean
  release(): void
}

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string
  readonly isDirectory: boolean
}

/** What `stat` says. */
export interface FileStatus {
  readonly size: number
  readonly modifiedMs: number
  readonly isDirectory: boolean
}

/** `read`: must exist. `write`: read and write, made when missing. `create`: read and write, must not exist (EEXIST). */
export type OpenMode = 'read' | 'write' | 'create'

/**
 * A file system. Paths are plain strings, joined with `/`. All calls but `OpenFile.sync` and `syncDirectory` are
 * synchronous. A new name, a rename or a removal is durable only after `syncDirectory` of its parent.
 */
export interface Files {
  open(path: string, mode: OpenMode): OpenFile
  /** The whole content; undefined when there is no such file. */
  readFile(path: string): Uint8Array | undefined
  /** Undefined when nothing has that name. */
  status(path: string): FileStatus | undefined
  /** In no particular order. */
  list(directory: string): DirectoryEntry[]
  /** Makes a directory and its missing parents; one that exists is fine. */
  makeDirectory(path: string): void
  /** Atomic replacement, as rename(2). */
  rename(from: string, to: string): void
  /** Removes a file; a missing one is fine. */
  remove(path: string): void
  /** Removes a directory and everything in it; a missing one is fine. */
  removeDirectory(path: string): void
  /** Sets the modification time, in ms since the epoch. */
  setModified(path: string, modifiedMs: number): void
  /** fsync of a directory, off this thread. */
  syncDirectory(path: string): Promise<void>
  /** fsync of a directory on this thread. */
  syncDirectoryNow(path: string): void
  /** Maps the first `size` bytes (> 0) of a file; undefined when this runtime or platform has no maps. */
  map(path: string, size: number): FileMap | undefined
  /** Locks the file (made when missing); undefined when another holds it, in this process or another. */
  lock(path: string): FileLock | undefined
  /** Whether `lock` would be refused, found out without taking it, making the file or writing anything. */
  isLocked(path: string): boolean
  /** Total and available bytes of the file system that holds `path`. */
  space(path: string): { totalBytes: number; usableBytes: number }
}
