// Small files that are replaced as a whole: checkpoints, meta.properties, the quorum state.
//
//   write <path>.tmp → fdatasync it → rename it to <path> → fsync the directory
//
// Whenever the power goes, <path> holds the old bytes or the new ones. The data must be on disk before the name points
// at it, else a crash leaves an empty file under a good name; and the rename is not durable before the directory is.
import type { Files, OpenFile } from './files.ts'

/**
 * Replaces `path` by `bytes`; when it resolves, they are on disk. The waiting is off this thread. One at a time for a
 * path: two share a temporary file. Throws the system's error, and the old content stays.
 */
export async function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  try {
    const file = writeNew(files, temporary, bytes)
    try {
      await file.sync()
    } finally {
      file.close()
    }
    files.rename(temporary, path)
  } catch (error) {
    removeQuietly(files, temporary)
    throw error
  }
  await files.syncDirectory(parentOf(path))
}

/** The same on this thread: for start, stop and faults. */
export function replaceFileNow(files: Files, path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`
  try {
    const file = writeNew(files, temporary, bytes)
    try {
      file.syncNow()
    } finally {
      file.close()
    }
    files.rename(temporary, path)
  } catch (error) {
    removeQuietly(files, temporary)
    throw error
  }
  files.syncDirectoryNow(parentOf(path))
}

/** The directory that holds `path`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

/** A temporary file may be left over from a crash. */
function writeNew(files: Files, path: string, bytes: Uint8Array): OpenFile {
  const file = files.open(path, 'write')
  try {
    file.truncate(0)
    file.write(bytes, 0)
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

/** The failure that led here is the one to report. */
function removeQuietly(files: Files, path: string): void {
  try {
    files.remove(path)
  } catch {
    // The next replacement overwrites it.
  }
}
