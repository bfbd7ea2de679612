// Walks the batches of a log as it lies on disk, opening it for nobody: nothing is locked, cut or written.
import type { RecordBatch } from '#storage/batch/record-batch.ts'
import type { Files } from '#storage/fs/files.ts'
import { ReadBufferPool } from '#storage/fs/read-buffer.ts'
import { BatchScanner } from '#storage/segment/batch-scanner.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from '#storage/segment/offset-index.ts'

const SEGMENT = /^(\d{20})\.log$/

/** A segment file. */
export interface StoredSegment {
  readonly path: string
  readonly baseOffset: number
}

/** Where a walk ended that met something other than a batch. */
export interface DamagedPlace {
  readonly path: string
  readonly position: number
  readonly nextOffset: number
}

/** The segments of a partition directory, the oldest first. */
export function storedSegments(files: Files, directory: string): StoredSegment[] {
  return files
    .list(directory)
    .flatMap(({ name }) => {
      const base = SEGMENT.exec(name)?.[1]
      return base === undefined ? [] : [{ path: `${directory}/${name}`, baseOffset: Number(base) }]
    })
    .sort((left, right) => left.baseOffset - right.baseOffset)
}

/**
 * The batches that hold offsets from `from` on, each valid until the next is asked for, up to the first that is damaged
 * or torn, which is returned. Messages of old formats are passed over. What lies before `from` is not read.
 */
export function* storedBatches(
  files: Files,
  segments: readonly StoredSegment[],
  from: number,
): Generator<RecordBatch, DamagedPlace | undefined> {
  const buffers = new ReadBufferPool()
  // A segment ends where the next begins.
  const wanted = segments.filter((_, index) => (segments[index + 1]?.baseOffset ?? Infinity) > from)
  for (const { path, baseOffset } of wanted) {
    const file = files.open(path, 'read')
    const size = file.size()
    const scanner = new BatchScanner(file, size, buffers)
    try {
      let position = startOf(files, scanner, { path, baseOffset }, from)
      let nextOffset = baseOffset
      while (position < size) {
        const found = scanner.read(position)
        if (!found) return { path, position, nextOffset }
        position += found.header.sizeInBytes
        nextOffset = found.header.lastOffset + 1
        if (found.batch && nextOffset > from) yield found.batch
      }
    } finally {
      scanner.release()
      file.close()
    }
  }
  return undefined
}

/** A position at or before the batch that holds `from`: what the index says, if there is such a batch, or the start. */
function startOf(
  files: Files,
  scanner: BatchScanner,
  { path, baseOffset }: StoredSegment,
  from: number,
): number {
  if (from <= baseOffset) return 0
  const bytes = files.readFile(path.replace(/\.log$/, '.index')) ?? new Uint8Array()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  for (let at = 0; at + OFFSET_INDEX_ENTRY_BYTES <= bytes.length; at += OFFSET_INDEX_ENTRY_BYTES) {
    const next = view.getInt32(at + 4)
    // Kafka's are padded with zeros.
    if (baseOffset + view.getInt32(at) > from || next <= position) break
    position = next
  }
  const header = scanner.read(position)?.header
  return header && header.baseOffset <= from ? position : 0
}
