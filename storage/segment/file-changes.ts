// Changes to the files of a segment that are made as a whole or not at all.
import { StorageFault } from '../base/errors.ts'
import { failureKind } from '../fs/failures.ts'
import type { Files, OpenFile } from '../fs/files.ts'

interface Rename {
  readonly from: string
  readonly to: string
}

/**
 * Renames those of the files that exist, and returns their new names. When one is refused, the ones before get their old
 * names back, and the refusal is thrown; `StorageFault` when that is refused, too.
 */
export function renameTogether(files: Files, renames: readonly Rename[]): string[] {
  const done: Rename[] = []
  try {
    for (const rename of renames) {
      if (!files.status(rename.from)) continue
      files.rename(rename.from, rename.to)
      done.push(rename)
    }
  } catch (error) {
    if (failureKind(error) === 'refusal') renameBack(files, done)
    throw error
  }
  return done.map(({ to }) => to)
}

function renameBack(files: Files, done: readonly Rename[]): void {
  try {
    for (const { from, to } of done) files.rename(to, from)
  } catch (cause) {
    throw new StorageFault(`Renaming ${done[0]?.from} stopped halfway`, { cause })
  }
}

const COPY_BYTES = 1_048_576

/** Copies the first `size` bytes. */
export function copyBytes(from: OpenFile, to: OpenFile, size: number): void {
  const buffer = new Uint8Array(Math.min(COPY_BYTES, size))
  for (let position = 0; position < size; ) {
    const wanted = Math.min(buffer.length, size - position)
    const count = from.read(buffer.subarray(0, wanted), position)
    if (count < wanted) throw new Error(`${from.path} ends at ${position + count}, below ${size}`)
    to.write(buffer.subarray(0, count), position)
    position += count
  }
}
