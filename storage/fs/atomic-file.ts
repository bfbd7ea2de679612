// Small files that are replaced as a whole: checkpoints, meta.properties, the quorum state.
//
//   write <path>.tmp → fdatasync it → rename it to <path> → fsync the directory
//
// Whenever the power goes, <path> holds the old bytes or the new ones. The data must be on disk before the name points
// at it, else a crash leaves an empty file under a good name; and the rename is not durable before the directory is.
import { Turnstile } from '../base/turnstile.ts'
import type { Files, OpenFile } from './files.ts'

/** The replacements of one path that are under way. */
interface Replacements {
  /** Settles when the last one that waits is done. */
  tail: Promise<void>
  /** What the last `replaceFileNow` in between came to; undefined when there was none. */
  overtaken?: { readonly order: number; readonly error: unknown }
}

/** Numbers the calls, so that an older content never replaces a newer one. */
let calls = 0
const underWay = new WeakMap<Files, Map<string, Replacements>>()
/** Each takes a descriptor, and ten thousand logs may begin an epoch in one request. */
const MAX_AT_A_TIME = 32
const turnstiles = new WeakMap<Files, Turnstile>()

/**
 * Replaces `path` by `bytes`; when it resolves, they, or what replaced them meanwhile, are on disk. The waiting is off
 * this thread. Calls for the same path queue up, and so do those beyond a number of paths. `bytes` must not change until then. Rejects with the system's error; the
 * old content stays, unless it is the directory's sync that failed.
 */
export function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const paths = underWay.get(files) ?? new Map<string, Replacements>()
  underWay.set(files, paths)
  const before = paths.get(path)
  const replacements: Replacements = before ?? { tail: Promise.resolve() }
  const order = ++calls
  const turnstile = turnstiles.get(files) ?? new Turnstile(MAX_AT_A_TIME)
  turnstiles.set(files, turnstile)
  const replace = () => turnstile.run(() => replaceOne(files, { path, bytes, order }, replacements))
  // Whether the one before failed is for its own caller.
  const tail = before ? before.tail.then(replace, replace) : replace()
  replacements.tail = tail
  paths.set(path, replacements)
  const forget = () => {
    if (replacements.tail === tail) paths.delete(path)
  }
  tail.then(forget, forget)
  return tail
}

/**
 * Puts a file into a directory that is new: its bytes are on disk when this resolves, its name is not. The caller syncs
 * the directory, once for all that it makes there.
 */
export async function placeFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  const file = writeNew(files, temporary, bytes)
  try {
    await file.sync()
  } finally {
    file.close()
  }
  files.rename(temporary, path)
}

/** The same as `replaceFile` on this thread, for start, stop and faults. It overtakes a `replaceFile` of the path that is under way. */
export function replaceFileNow(files: Files, path: string, bytes: Uint8Array): void {
  const waiting = underWay.get(files)?.get(path)
  const order = ++calls
  const temporary = `${path}.tmp`
  try {
    const file = writeNew(files, temporary, bytes)
    try {
      file.syncNow()
    } finally {
      file.close()
    }
    files.rename(temporary, path)
    files.syncDirectoryNow(parentOf(path))
    if (waiting) waiting.overtaken = { order, error: undefined }
  } catch (error) {
    if (waiting) waiting.overtaken = { order, error }
    removeQuietly(files, temporary)
    throw error
  }
}

async function replaceOne(
  files: Files,
  { path, bytes, order }: { path: string; bytes: Uint8Array; order: number },
  replacements: Replacements,
): Promise<void> {
  const temporary = `${path}.tmp`
  if (isOvertaken(replacements, order)) return
  try {
    const file = writeNew(files, temporary, bytes)
    try {
      await file.sync()
    } finally {
      file.close()
    }
    // Then the temporary file is gone, or not ours.
    if (isOvertaken(replacements, order)) return
    files.rename(temporary, path)
  } catch (error) {
    removeQuietly(files, temporary)
    throw error
  }
  await files.syncDirectory(parentOf(path))
}

/** True when a newer content is on disk. Throws what kept it from getting there. */
function isOvertaken({ overtaken }: Replacements, order: number): boolean {
  if (overtaken === undefined || overtaken.order < order) return false
  if (overtaken.error !== undefined) throw overtaken.error
  return true
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
