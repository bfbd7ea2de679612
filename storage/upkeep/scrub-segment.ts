// Reads all batches of one sealed segment and tells which do not fit their checksums.
import type { TimeSlices } from '../base/time-slices.ts'
import type { Files } from '../fs/files.ts'
import type { MapCache } from '../fs/map-cache.ts'
import type { ReadBufferPool } from '../fs/read-buffer.ts'
import type { DamagedRange } from '../log/segment-search.ts'
import { BatchScanner, type IntactBatch } from '../segment/batch-scanner.ts'
import type { Segment } from '../segment/segment.ts'

/** How a segment is read. */
export interface ScrubMeans {
  readonly files: Files
  readonly maps: MapCache
  readonly buffers: ReadBufferPool
  readonly slices: TimeSlices
  /** Told how many bytes are about to be read; what it throws ends the scrub. */
  readonly pace: (bytes: number) => Promise<void>
  /** Called after each wait; what it throws ends the scrub. */
  readonly check: () => void
}

/** As much as is read at a time: the scanner's window. */
const READ_BYTES = 1_048_576

/** What is damaged of a segment whose offsets end at `endOffset`, in order. */
export async function scrubSegment(
  segment: Segment,
  endOffset: number,
  means: ScrubMeans,
): Promise<DamagedRange[]> {
  // A descriptor of its own: it does not go while others come and go in the pool.
  const file = means.files.open(segment.path, 'read')
  const scanner = new BatchScanner(file, segment.size, means.buffers)
  try {
    return await new SegmentScrub(segment, scanner, means, endOffset).run()
  } finally {
    scanner.release()
    file.close()
  }
}

class SegmentScrub {
  readonly #segment: Segment
  readonly #scanner: BatchScanner
  readonly #means: ScrubMeans
  readonly #endOffset: number
  readonly #damages: DamagedRange[] = []
  /** Where the next batch stands, and the lowest offset that it may have. */
  #position = 0
  #nextOffset: number
  /** The batch before, as `#position` and `#nextOffset` were. */
  #before: { readonly position: number; readonly offset: number } | undefined
  /** Up to where bytes are in memory, and paid for. */
  #readTo = 0

  constructor(segment: Segment, scanner: BatchScanner, means: ScrubMeans, endOffset: number) {
    this.#segment = segment
    this.#scanner = scanner
    this.#means = means
    this.#endOffset = endOffset
    this.#nextOffset = segment.baseOffset
  }

  async run(): Promise<DamagedRange[]> {
    while (this.#position < this.#segment.size) {
      await this.#prepare(this.#position)
      const found = this.#scanner.read(this.#position)
      if (found && this.#fits(found)) this.#pass(found)
      else if (found && this.#accusesBefore(found)) this.#blameBefore(found)
      else await this.#skip()
    }
    return this.#damages
  }

  #fits({ header }: IntactBatch): boolean {
    return header.baseOffset >= this.#nextOffset && header.lastOffset < this.#endOffset
  }

  #pass({ header }: IntactBatch): void {
    this.#before = { position: this.#position, offset: this.#nextOffset }
    this.#nextOffset = header.lastOffset + 1
    this.#position += header.sizeInBytes
  }

  /** The base offset is no part of the checksum: a batch that goes too far shows by the one that follows. */
  #accusesBefore({ header }: IntactBatch): boolean {
    const { offset = Infinity } = this.#before ?? {}
    return header.baseOffset >= offset && header.lastOffset < this.#endOffset
  }

  #blameBefore({ header }: IntactBatch): void {
    const { position, offset } = this.#before ?? { position: 0, offset: 0 }
    this.#note({ from: offset, to: header.baseOffset, position, endPosition: this.#position })
    this.#nextOffset = header.baseOffset
    this.#before = undefined
  }

  /** Notes what is damaged from here on, and goes on behind it. */
  async #skip(): Promise<void> {
    const { size } = this.#segment
    const position = this.#position
    let found: IntactBatch | undefined
    for (let at = position; at < size && !found; ) {
      await this.#prepare(at)
      const searched = this.#scanner.search(at, this.#nextOffset)
      const isFitting = searched.found !== undefined && this.#fits(searched.found)
      if (isFitting) found = searched.found
      at = searched.found && !isFitting ? searched.found.header.position : searched.searchedTo
    }
    const endPosition = found?.header.position ?? size
    const to = found?.header.baseOffset ?? this.#endOffset
    this.#note({ from: this.#nextOffset, to, position, endPosition })
    this.#nextOffset = to
    this.#position = endPosition
    this.#before = undefined
  }

  #note(range: Pick<DamagedRange, 'from' | 'to' | 'position' | 'endPosition'>): void {
    this.#damages.push({ ...range, segmentBaseOffset: this.#segment.baseOffset })
  }

  /** Brings what is read next into memory, off this thread, when the rate allows it. */
  async #prepare(position: number): Promise<void> {
    const { slices, pace, check, maps } = this.#means
    await slices.breathe()
    check()
    if (position < this.#readTo) return
    const size = Math.min(READ_BYTES, this.#segment.size - position)
    await pace(size)
    check()
    const range = { position, size }
    if (maps.isCold(this.#segment, range)) await maps.warm(this.#segment, range)
    check()
    this.#readTo = position + size
  }
}
