// Verifies segments after an unclean stop, and cuts at the first invalid batch at or above the recovery point.
import type { Files, OpenFile } from '../fs/files.ts'
import type { ReadBufferPool } from '../fs/read-buffer.ts'
import { BatchScanner, type IntactBatch } from '../segment/batch-scanner.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { cutPath, segmentPath } from '../segment/segment-files.ts'
import { SegmentIndexes } from '../segment/segment-indexes.ts'
import type { LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { LogCut } from './log-recovery.ts'
import { assignEpoch } from './replay.ts'
import type { DamagedRange } from './segment-search.ts'

/** What the verification works on. */
export interface RecoveryTarget {
  readonly environment: SegmentEnvironment
  /** Ascending. Segments behind a cut are taken out. */
  readonly segments: Segment[]
  readonly epochs: LeaderEpochCache
  readonly recoveryPoint: number
  readonly indexIntervalBytes: number
  /** Compaction leaves gaps between segments; without it, one means that a segment lost its end. */
  readonly mayHaveGaps: boolean
  readonly now: number
  /** Told the bytes of each batch that was verified. */
  readonly onScanned?: ((bytes: number) => void) | undefined
}

/** What the verification found. */
export interface VerifiedSegments {
  readonly logEndOffset: number
  /** Whether the last segment's bytes end in damage, so that nothing may be appended to it. */
  readonly endsDamaged: boolean
  readonly scannedBytes: number
  readonly cuts: readonly LogCut[]
  readonly damages: readonly DamagedRange[]
  /** With their new indexes, which are not in their files yet. */
  readonly rebuilt: ReadonlyMap<Segment, SegmentIndexes>
}

const COPY_BYTES = 1_048_576
/** A batch at which a scan may pause: at most this many between two. */
const SLICE_BATCHES = 64
const LARGEST_RELATIVE_OFFSET = 2_147_483_647

/** Work on the loop in small pieces: between two of them it may pause; a promise it waits for. */
export type Paced<T> = Generator<Promise<void> | undefined, T, void>

/**
 * Checks every batch of the `wanted` segments, makes their indexes and epochs anew, as Kafka does
 * (`LogSegment.recover`), and syncs them. Nothing below the recovery point is ever cut.
 */
export function* verifySegments(
  target: RecoveryTarget,
  wanted: ReadonlySet<Segment>,
): Paced<VerifiedSegments> {
  const { segments, recoveryPoint, environment } = target
  const rebuilt = new Map<Segment, SegmentIndexes>()
  const damages: DamagedRange[] = []
  const cuts: LogCut[] = []
  let scannedBytes = 0
  let expected = 0
  let endsDamaged = false
  for (let number = 0; number < segments.length; number++) {
    const segment = segments[number]
    if (!segment || !wanted.has(segment)) continue
    const isLast = number === segments.length - 1
    expected = Math.max(expected, segment.baseOffset)
    const file = environment.files.open(segment.path, 'write')
    try {
      const scan = new SegmentScan(segment, file, target, expected)
      try {
        yield* scan.run(damages, segments[number + 1]?.baseOffset)
      } finally {
        scan.release()
      }
      scannedBytes += segment.size
      expected = scan.nextOffset
      endsDamaged = scan.endsDamaged
      const next = segments[number + 1]
      if (next && expected < next.baseOffset && expected >= recoveryPoint && !target.mayHaveGaps) {
        scan.cutPosition ??= segment.size
      }
      if (scan.cutPosition !== undefined) {
        if (scan.cutPosition < segment.size) {
          cuts.push(
            yield* cutTail(target, segment, file, { position: scan.cutPosition, offset: expected }),
          )
        }
        for (const later of segments.splice(number + 1)) {
          cuts.push(yield* setAside(target, later, expected))
        }
        // The names of what was kept must be on disk before the bytes go.
        yield environment.files.syncDirectory(environment.directory)
        file.truncate(scan.cutPosition)
      }
      const size = scan.cutPosition ?? segment.size
      yield* writeAgain(file, scan.suspectFrom ?? size, size)
      yield file.sync()
      const verified = replaceSegment(target, segment, size)
      segments[number] = verified
      rebuilt.set(verified, scan.indexes)
    } finally {
      file.close()
    }
    if (isLast && expected < recoveryPoint) {
      damages.push({
        from: expected,
        to: recoveryPoint,
        segmentBaseOffset: segment.baseOffset,
        position: segments[number]?.size ?? 0,
      })
      expected = recoveryPoint
      endsDamaged = true
    }
  }
  return { logEndOffset: expected, endsDamaged, scannedBytes, cuts, damages, rebuilt }
}

/** One segment, batch by batch. */
class SegmentScan {
  readonly indexes: SegmentIndexes
  nextOffset: number
  /** Where the segment must be cut; undefined when it need not be. */
  cutPosition: number | undefined
  endsDamaged = false
  /** Where the batches begin of which it is not known that they are on disk. */
  suspectFrom: number | undefined
  readonly #segment: Segment
  readonly #target: RecoveryTarget
  readonly #scanner: BatchScanner
  #largest = { timestamp: -1 as number | bigint, offset: 0 }
  #lastIndexed = 0

  constructor(segment: Segment, file: OpenFile, target: RecoveryTarget, nextOffset: number) {
    this.#segment = segment
    this.#target = target
    this.#scanner = new BatchScanner(file, segment.size, target.environment.buffers)
    this.indexes = new SegmentIndexes(segment.baseOffset)
    this.indexes.markUnwritten()
    this.nextOffset = nextOffset
  }

  release(): void {
    this.#scanner.release()
  }

  *run(damages: DamagedRange[], nextBase: number | undefined): Paced<void> {
    const { size, baseOffset } = this.#segment
    let position = 0
    for (let count = 1; position < size; count++) {
      const found = this.#read(position)
      if (found) {
        this.#add(found)
        position += found.header.sizeInBytes
        this.#target.onScanned?.(found.header.sizeInBytes)
        if (count % SLICE_BATCHES === 0) yield undefined
        continue
      }
      if (this.nextOffset >= this.#target.recoveryPoint) {
        this.cutPosition = position
        break
      }
      const intact = yield* this.search(position)
      const from = this.nextOffset
      const to = intact?.header.baseOffset ?? nextBase ?? Math.max(from, this.#target.recoveryPoint)
      const endPosition = intact?.header.position ?? size
      damages.push({ from, to, segmentBaseOffset: baseOffset, position, endPosition })
      this.nextOffset = to
      this.endsDamaged = intact === undefined
      if (!intact) break
      position = intact.header.position
    }
    // As a normally closed segment has it.
    this.indexes.times.maybeAppend(this.#largest)
  }

  /** The next intact batch behind `position`. */
  *search(position: number): Paced<IntactBatch | undefined> {
    let at = position
    while (at < this.#segment.size) {
      const { found, searchedTo } = this.#scanner.search(at, this.nextOffset)
      if (found) return found
      at = searchedTo
      yield undefined
    }
    return undefined
  }

  /** The batch at `position`, if it is intact and its offsets go on from the last one's. */
  #read(position: number): IntactBatch | undefined {
    const found = this.#scanner.read(position)
    if (!found || found.header.baseOffset < this.nextOffset) return undefined
    const reach = found.header.lastOffset - this.#segment.baseOffset
    return reach <= LARGEST_RELATIVE_OFFSET ? found : undefined
  }

  #add({ header, batch }: IntactBatch): void {
    const { position, lastOffset, maxTimestamp } = header
    if (maxTimestamp > this.#largest.timestamp) {
      this.#largest = { timestamp: maxTimestamp, offset: lastOffset }
    }
    if (position - this.#lastIndexed > this.#target.indexIntervalBytes) {
      this.indexes.offsets.append({ offset: lastOffset, position })
      this.indexes.times.maybeAppend(this.#largest)
      this.#lastIndexed = position
    }
    if (batch) assignEpoch(this.#target.epochs, batch)
    if (lastOffset >= this.#target.recoveryPoint) this.suspectFrom ??= position
    this.nextOffset = lastOffset + 1
  }
}

/**
 * Writes verified bytes to where they stand. The process before may have met a failed fdatasync, after which the kernel
 * takes the pages for clean: read back they look well, and a sync has nothing to do (RULES 11). Written again they are
 * dirty, so that the sync that follows says the truth.
 */
function* writeAgain(file: OpenFile, from: number, to: number): Paced<void> {
  const buffer = new Uint8Array(Math.min(COPY_BYTES, to - from))
  for (let position = from; position < to; position += COPY_BYTES) {
    const bytes = buffer.subarray(0, Math.min(COPY_BYTES, to - position))
    const count = file.read(bytes, position)
    file.write(bytes.subarray(0, count), position)
    yield undefined
  }
}

/** Keeps what lies behind the cut in a file of its own, and looks for intact batches in it. */
function* cutTail(
  { environment, now }: RecoveryTarget,
  segment: Segment,
  file: OpenFile,
  { position, offset }: { position: number; offset: number },
): Paced<LogCut> {
  const sizeInBytes = segment.size - position
  const path = freeCutPath(environment, offset, now)
  const isKept = yield* copyTail(environment.files, file, { position, size: segment.size, path })
  const part = { position, size: segment.size, minOffset: offset }
  const offsetsAtRisk = yield* findAtRisk(file, part, environment.buffers)
  const { baseOffset: segmentBaseOffset } = segment
  const keptIn = isKept ? path : undefined
  return { offset, segmentBaseOffset, position, sizeInBytes, keptIn, offsetsAtRisk }
}

/** A whole segment behind a cut: renamed, its indexes and snapshot removed. The caller syncs the directory. */
export function* setAside(
  { environment, now }: Pick<RecoveryTarget, 'environment' | 'now'>,
  segment: Segment,
  cutOffset: number,
): Paced<LogCut> {
  const { files, directory } = environment
  const { baseOffset, size } = segment
  const file = files.open(segment.path, 'read')
  let offsetsAtRisk: LogCut['offsetsAtRisk']
  try {
    const part = { position: 0, size, minOffset: cutOffset }
    offsetsAtRisk = yield* findAtRisk(file, part, environment.buffers)
  } finally {
    file.close()
  }
  const path = freeCutPath(environment, baseOffset, now)
  if (size > 0) files.rename(segment.path, path)
  else files.remove(segment.path)
  for (const kind of ['index', 'timeindex', 'txnindex', 'snapshot'] as const) {
    files.remove(segmentPath(directory, baseOffset, kind))
  }
  environment.pool.evict(segment.path)
  environment.indexCache.delete(segment.path)
  const keptIn = size > 0 ? path : undefined
  const segmentBaseOffset = baseOffset
  return {
    offset: baseOffset,
    segmentBaseOffset,
    position: 0,
    sizeInBytes: size,
    keptIn,
    offsetsAtRisk,
  }
}

/** Where nothing is kept yet: one recovery may cut a torn tail and set aside the segment that begins at the same offset. */
function freeCutPath(
  { files, directory }: SegmentEnvironment,
  offset: number,
  nowMs: number,
): string {
  let path = cutPath(directory, offset, nowMs)
  for (let ms = nowMs + 1; files.status(path); ms++) path = cutPath(directory, offset, ms)
  return path
}

/** Copies a tail to a new file and syncs it; false, and no file, when there is nothing but zeros. */
function* copyTail(
  files: Files,
  from: OpenFile,
  tail: { position: number; size: number; path: string },
): Paced<boolean> {
  const buffer = new Uint8Array(Math.min(COPY_BYTES, tail.size - tail.position))
  const to = files.open(tail.path, 'write')
  let hasContent = false
  try {
    for (let position = tail.position; position < tail.size; position += COPY_BYTES) {
      const count = from.read(buffer.subarray(0, tail.size - position), position)
      const bytes = buffer.subarray(0, count)
      hasContent ||= bytes.some((byte) => byte !== 0)
      to.write(bytes, position - tail.position)
      yield undefined
    }
    if (hasContent) yield to.sync()
  } finally {
    to.close()
    if (!hasContent) files.remove(tail.path)
  }
  return hasContent
}

/** The range of offsets of all intact batches in a part of a file. */
function* findAtRisk(
  file: OpenFile,
  part: { position: number; size: number; minOffset: number },
  buffers: ReadBufferPool,
): Paced<LogCut['offsetsAtRisk']> {
  const scanner = new BatchScanner(file, part.size, buffers)
  try {
    return yield* searchAtRisk(scanner, part)
  } finally {
    scanner.release()
  }
}

function* searchAtRisk(
  scanner: BatchScanner,
  part: { position: number; size: number; minOffset: number },
): Paced<LogCut['offsetsAtRisk']> {
  let range: { from: number; to: number; batches: number } | undefined
  for (let position = part.position; position < part.size; ) {
    const here = scanner.read(position)
    const intact = here && here.header.baseOffset >= part.minOffset ? here : undefined
    const { found, searchedTo } = intact
      ? { found: intact, searchedTo: position }
      : scanner.search(position, part.minOffset)
    position = found ? found.header.position + found.header.sizeInBytes : searchedTo
    if (found) {
      const { baseOffset, lastOffset } = found.header
      const from = Math.min(range?.from ?? baseOffset, baseOffset)
      const to = Math.max(range?.to ?? 0, lastOffset + 1)
      range = { from, to, batches: (range?.batches ?? 0) + 1 }
    }
    yield undefined
  }
  return range
}

function replaceSegment(target: RecoveryTarget, segment: Segment, size: number): Segment {
  const { environment } = target
  environment.pool.evict(segment.path)
  environment.indexCache.delete(segment.path)
  if (size === segment.size) return segment
  return Segment.open(environment, {
    baseOffset: segment.baseOffset,
    size,
    createdMs: segment.createdMs,
  })
}
