// The machine's own file system for Bun, Deno and Node: node:fs, and the C library where it can be had.
//
// Every other part of storage takes a `Files` by constructor; this one is handed in by `mod.ts`. Its neighbours here:
// `open-node-file.ts` (one open file), `mapped-file.ts` (maps), `file-lock.ts` (locks), `libc.ts` (the C library).
import {
  closeSync,
  constants,
  fsync,
  fsyncSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
} from 'node:fs'
import { systemCode } from '../base/errors.ts'
import { isFileLocked, lockFile } from './file-lock.ts'
import type { DirectoryEntry, FileMap, FileStatus, Files, OpenMode } from './files.ts'
import { type Libc, loadLibc } from './libc.ts'
import { mapFile } from './mapped-file.ts'
import { OpenNodeFile, type WriteBehind } from './open-node-file.ts'

const OPEN_FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
}

/** The machine's file system. `useLibc: false` behaves as where there is no FFI: no maps, locks that Kafka can't see. */
export function createNodeFiles({ useLibc = true } = {}): Files {
  // Loaded at the first map or lock, not at the start.
  const libc = () => (useLibc ? loadLibc() : undefined)
  const writeBehind = oneAtATime(libc)
  return {
    open(path, mode) {
      return new OpenNodeFile(path, openSync(path, OPEN_FLAGS[mode], 0o644), writeBehind)
    },
    readFile,
    status,
    list,
    makeDirectory: (path) => void mkdirSync(path, { recursive: true }),
    rename: (from, to) => renameSync(from, to),
    remove: (path) => void orMissing(() => unlinkSync(path)),
    removeDirectory: (path) => rmSync(path, { recursive: true, force: true }),
    setModified: (path, modifiedMs) => utimesSync(path, modifiedMs / 1000, modifiedMs / 1000),
    syncDirectory,
    syncDirectoryNow,
    map: (path, size) => mapWith(libc(), path, size),
    lock: (path) => lockFile(libc(), path),
    isLocked: (path) => isFileLocked(libc(), path),
    space(path) {
      const { bsize, blocks, bavail } = statfsSync(path)
      return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
    },
  }
}

/** On a slow disk the call may wait for it: more than one would hold the threads that syncs need. */
function oneAtATime(libc: () => Libc | undefined): WriteBehind {
  let isBusy = false
  return (fd, position, size) => {
    if (isBusy) return undefined
    const writing = libc()?.writeInBackground?.(fd, position, size)
    if (writing === undefined) return undefined
    isBusy = true
    return writing.finally(() => {
      isBusy = false
    })
  }
}

function mapWith(libc: Libc | undefined, path: string, size: number): FileMap | undefined {
  // Larger views than 4 GiB end some runtimes; Kafka's segments stay below 2 GiB.
  if (libc === undefined || !libc.canPopulate || size > 2 ** 31) return undefined
  return mapFile(libc, path, size)
}

/** What the broker uses. */
export const nodeFiles: Files = createNodeFiles()

/** Undefined when `call` finds nothing of that name. */
function orMissing<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function readFile(path: string): Uint8Array | undefined {
  const content = orMissing(() => readFileSync(path))
  // A plain Uint8Array: a Buffer's slice() and toString() mean something else.
  return content && new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
}

function status(path: string): FileStatus | undefined {
  const found = orMissing(() => statSync(path))
  return (
    found && {
      size: found.size,
      // Nanoseconds arrive as a float a hair off the millisecond that was set.
      modifiedMs: Math.round(found.mtimeMs),
      isDirectory: found.isDirectory(),
    }
  )
}

function list(directory: string): DirectoryEntry[] {
  return readdirSync(directory, { withFileTypes: true }).map((entry) => ({
    name: entry.name,
    // A partition directory may be a link to another disk.
    isDirectory: entry.isSymbolicLink()
      ? (status(`${directory}/${entry.name}`)?.isDirectory ?? false)
      : entry.isDirectory(),
  }))
}

function syncDirectoryNow(path: string): void {
  const fd = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function syncDirectory(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY, (openError, fd) => {
      if (openError) return reject(openError)
      fsync(fd, (syncError) => {
        closeSync(fd)
        if (syncError) reject(syncError)
        else resolve()
      })
    })
  })
}
