// Files that count what is asked of them, for tests of what a start costs.
import type { Files, OpenFile } from '#storage/fs/files.ts'

/** What was asked of the file system, by the path of the file. */
export interface AskedOfFiles {
  readonly opened: Map<string, number>
  /** Bytes, whole files read included. */
  readonly read: Map<string, number>
  /** Bytes. */
  readonly written: Map<string, number>
  /** Calls of any kind. */
  calls: number
}

/** Wraps `files`; `asked` gives what was asked since its last call. */
export function countedFiles(files: Files): { files: Files; asked(): AskedOfFiles } {
  const none = (): AskedOfFiles => ({
    opened: new Map(),
    read: new Map(),
    written: new Map(),
    calls: 0,
  })
  let now = none()
  const count = (counts: Map<string, number>, path: string, by: number) => {
    now.calls++
    counts.set(path, (counts.get(path) ?? 0) + by)
  }
  const wrap = (file: OpenFile): OpenFile => ({
    path: file.path,
    size: () => file.size(),
    read(target, position) {
      const got = file.read(target, position)
      count(now.read, file.path, got)
      return got
    },
    write(bytes, position) {
      count(now.written, file.path, bytes.length)
      file.write(bytes, position)
    },
    writeBehind: (position, size) => file.writeBehind(position, size),
    truncate: (size) => file.truncate(size),
    syncNow: () => file.syncNow(),
    sync: () => file.sync(),
    close: () => file.close(),
  })
  // Not a spread: a simulated disk has its methods on its prototype.
  const counted: Files = {
    open(path, mode) {
      count(now.opened, path, 1)
      return wrap(files.open(path, mode))
    },
    readFile(path) {
      const bytes = files.readFile(path)
      count(now.read, path, bytes?.length ?? 0)
      return bytes
    },
    status(path) {
      now.calls++
      return files.status(path)
    },
    map(path, size) {
      count(now.opened, path, 1)
      return files.map(path, size)
    },
    list: (directory) => files.list(directory),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    removeDirectory: (path) => files.removeDirectory(path),
    setModified: (path, modifiedMs) => files.setModified(path, modifiedMs),
    syncDirectory: (path) => files.syncDirectory(path),
    syncDirectoryNow: (path) => files.syncDirectoryNow(path),
    lock: (path) => files.lock(path),
    isLocked: (path) => files.isLocked(path),
    space: (path) => files.space(path),
  }
  return {
    files: counted,
    asked() {
      const before = now
      now = none()
      return before
    },
  }
}

/** The sum of counts over the paths that match. */
export function sumOver(counts: ReadonlyMap<string, number>, pattern: RegExp): number {
  return Array.from(counts)
    .filter(([path]) => pattern.test(path))
    .reduce((sum, [, count]) => sum + count, 0)
}
