// Directories as the user names them, and one for a broker that shall leave nothing behind.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** A new empty directory of this process, and the way to remove it with all that is in it. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The path from the root of what is named relative to the working directory. */
export function absolutePath(path: string): string {
  return resolve(path)
}
