// Where the batches of a segment end, read from their headers.
import type { Files } from '../fs/files.ts'
import { BatchHeaderReader } from '../segment/batch-header.ts'
import type { Segment } from '../segment/segment.ts'
import { parseSegmentFileName } from '../segment/segment-files.ts'

/** The offset behind a segment's last batch. Throws CORRUPT_MESSAGE when its headers do not lead to its end. */
export function endOffsetOf(segment: Segment): number {
  if (segment.size === 0) return segment.baseOffset
  const { position, offset } = segment.indexes.offsets.lastEntry
  return segment.withFile((file) => {
    const reader = new BatchHeaderReader(file, segment.size)
    const isSound = position > 0 && reader.peek(position)?.lastOffset === offset
    const start = isSound ? position : 0
    return walkToEnd(reader, start, segment.size) ?? segment.baseOffset
  })
}

/** The offset behind the last batch of a file in `directory`; its name's when there is none. */
export function nextOffsetOf(files: Files, directory: string, path: string): number {
  const name = parseSegmentFileName(path.slice(directory.length + 1))
  const size = files.status(path)?.size ?? 0
  const file = files.open(path, 'read')
  try {
    return walkToEnd(new BatchHeaderReader(file, size), 0, size) ?? name?.offset ?? 0
  } finally {
    file.close()
  }
}

/** The offset behind the last batch; undefined when there is none. */
function walkToEnd(reader: BatchHeaderReader, start: number, size: number): number | undefined {
  let end: number | undefined
  for (let position = start; position < size; ) {
    const header = reader.at(position)
    if (!header) break
    end = header.lastOffset + 1
    position += header.sizeInBytes
  }
  return end
}
