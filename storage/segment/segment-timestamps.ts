// Timestamps of a segment that is not loaded.
import type { Files } from '../fs/files.ts'
import { TIME_INDEX_ENTRY_BYTES, TimeIndex, type TimestampOffset } from './time-index.ts'

/**
 * The last entry of a time index file, read without the rest of it. (-1, base offset) when there is none; undefined when
 * its bytes are not what was written.
 */
export function readLastTimeEntry(
  files: Files,
  path: string,
  { baseOffset, isSound }: { baseOffset: number; isSound: (entry: Uint8Array) => boolean },
): TimestampOffset | undefined {
  const size = files.status(path)?.size ?? 0
  if (size < TIME_INDEX_ENTRY_BYTES) return { timestamp: -1, offset: baseOffset }
  const end = size - (size % TIME_INDEX_ENTRY_BYTES)
  const last = new Uint8Array(TIME_INDEX_ENTRY_BYTES)
  const file = files.open(path, 'read')
  try {
    file.read(last, end - TIME_INDEX_ENTRY_BYTES)
  } finally {
    file.close()
  }
  if (!isSound(last)) return undefined
  // Zeros at the end are Kafka's padding: only the whole file tells where the entries end.
  const isPadded = size > TIME_INDEX_ENTRY_BYTES && last.every((byte) => byte === 0)
  const bytes = isPadded ? files.readFile(path) : last
  return TimeIndex.parse(baseOffset, bytes ?? last).lastEntry
}
