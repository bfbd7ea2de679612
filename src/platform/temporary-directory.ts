// A directory for a broker that shall leave nothing behind.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new empty directory of this process, and the way to remove it with all that is in it. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
