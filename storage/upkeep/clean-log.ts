// One cleaning of one log: what is read and written, by whom, and what becomes part of the log.
import type { StartThread } from '../base/background-thread.ts'
import type { TimeSlices } from '../base/time-slices.ts'
import type { Random } from '../base/world.ts'
import type { Int64 } from '../bytes/int64.ts'
import type { MapCache } from '../fs/map-cache.ts'
import type { LogCleaning } from '../log/log-cleaning.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { abortedTransactions } from '../log/segment-search.ts'
import type { Segment } from '../segment/segment.ts'
import { SegmentIndexes } from '../segment/segment-indexes.ts'
import { lastDataOffsetOf } from '../state/producer-entry.ts'
import type { LastOfProducer } from './batch-filter.ts'
import type { CleanableRange } from './cleanable.ts'
import type { CleaningJob, CleaningStage, DirtyRange, SegmentGroup } from './cleaning-job.ts'
import { CleaningPass } from './cleaning-pass.ts'
import { startCleaningThread } from './cleaning-stage.ts'
import { HASH_KEY_BYTES } from './key-hash.ts'
import { groupSegments } from './segment-groups.ts'
import type { Throttle } from './throttle.ts'

/** What a cleaning may use. */
export interface CleaningMeans {
  readonly maps: MapCache
  readonly random: Random
  readonly slices: TimeSlices
  readonly throttle: Throttle
  /** Threads to read and write in; without it all is done here, in slices. */
  readonly startThread?: StartThread
  /** Less than this is read here: a thread takes longer to start. */
  readonly threadFromBytes?: number
  /** How many share the throttle, each from a thread of its own. */
  readonly threads?: number
  readonly now: number
  /** For the map of keys, and how full it may get. */
  readonly mapBytes: number
  readonly loadFactor: number
  /** For reading; as much again for writing. */
  readonly bufferBytes: number
}

/** What a cleaning came to. */
export interface CleanedLog {
  /** Where the log is dirty from now on: below the range's end when there were more keys than the map may hold. */
  readonly firstDirtyOffset: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly mapBytes: number
}

/** A thread is as good as ready in the time that this much takes. */
const THREAD_FROM_BYTES = 16 * 1_048_576

/**
 * Cleans `range` of a log: what is superseded by records in it goes, in the range and below. Each group of segments is
 * on disk and in its place before the next is begun, so that a cleaning that ends early has done no harm. Rejects with
 * `CleaningAborted`, with CORRUPT_MESSAGE for what can't be compacted, with system errors, and with `StorageFault`.
 */
export async function cleanLog(
  log: PartitionLog,
  cleaning: LogCleaning,
  range: CleanableRange,
  means: CleaningMeans,
): Promise<CleanedLog> {
  return await new LogPass(log, cleaning, range, means).run()
}

class LogPass {
  readonly #log: PartitionLog
  readonly #cleaning: LogCleaning
  readonly #range: CleanableRange
  readonly #means: CleaningMeans
  readonly #producers: ReadonlyMap<Int64, LastOfProducer>

  constructor(
    log: PartitionLog,
    cleaning: LogCleaning,
    range: CleanableRange,
    means: CleaningMeans,
  ) {
    this.#log = log
    this.#cleaning = cleaning
    this.#range = range
    this.#means = means
    this.#producers = lastOfProducers(log, range)
  }

  async run(): Promise<CleanedLog> {
    const { startThread, threadFromBytes = THREAD_FROM_BYTES } = this.#means
    const { firstUncleanableOffset } = this.#range
    const bytes = this.#segmentsBelow(firstUncleanableOffset).reduce(
      (sum, { size }) => sum + size,
      0,
    )
    // A batch goes because its producer has a later one: that is on disk first, or a power loss takes both.
    await this.#unlessAborted(this.#log.flush())
    if (!startThread || bytes < threadFromBytes) return await this.#runWith(this.#pass())
    const thread = await startCleaningThread(startThread, this.#job()).catch(() => undefined)
    // There was none to be had: then it only takes longer.
    if (!thread) return await this.#runWith(this.#pass())
    try {
      this.#cleaning.check()
      this.#cleaning.onAbort(() => thread.interrupt())
      return await this.#runWith(thread)
    } finally {
      await thread.end()
    }
  }

  async #runWith(stage: CleaningStage): Promise<CleanedLog> {
    const map = await this.#unlessAborted(stage.buildMap(this.#dirtyRange()))
    const firstDirtyOffset = map.latestOffset + 1
    let [bytesRead, bytesWritten] = [map.bytesRead, 0]
    for (const group of this.#groups(firstDirtyOffset)) {
      const done = await this.#cleanGroup(group, stage)
      bytesRead += done.bytesRead
      bytesWritten += done.size
    }
    return { firstDirtyOffset, bytesRead, bytesWritten, mapBytes: map.mapBytes }
  }

  async #cleanGroup(segments: readonly Segment[], stage: CleaningStage) {
    const cleaning = this.#cleaning
    const group = await this.#describeGroup(segments)
    const { baseOffset, createdMs } = group
    try {
      const cleaned = await this.#unlessAborted(stage.clean(group))
      const { size, bytesRead } = cleaned
      const indexes = SegmentIndexes.parse(baseOffset, cleaned.indexes)
      const segment = cleaning.adopt({ baseOffset, size, createdMs }, indexes)
      await cleaning.replace(segments, segment)
      return { size, bytesRead }
    } catch (error) {
      cleaning.discard(baseOffset)
      throw error
    }
  }

  /** A log that was cut fails in all kinds of ways, none of which matters. */
  async #unlessAborted<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } finally {
      this.#cleaning.check()
    }
  }

  /** The same work on this loop. */
  #pass(): CleaningPass {
    const { maps, slices, throttle } = this.#means
    const environment = this.#cleaning.segmentEnvironment
    const check = () => this.#cleaning.check()
    return new CleaningPass(this.#job(), { environment, maps, slices, throttle, check })
  }

  #job(): CleaningJob {
    const { random, throttle, now, mapBytes, loadFactor, bufferBytes, threads = 1 } = this.#means
    const { maxDecompressedBytes, deleteRetentionMs, indexIntervalBytes } = this.#log.config
    const { firstDirtyOffset, firstUncleanableOffset } = this.#range
    return {
      directory: this.#log.directory,
      firstDirtyOffset,
      firstUncleanableOffset,
      now,
      deleteRetentionMs,
      maxDecompressedBytes,
      indexIntervalBytes,
      secret: random.bytes(HASH_KEY_BYTES),
      mapBytes,
      loadFactor,
      bufferBytes,
      bytesPerSecond: throttle.bytesPerSecond / threads,
      producers: this.#producers,
    }
  }

  #dirtyRange(): DirtyRange {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#range
    const segments = this.#segmentsBelow(firstUncleanableOffset)
    const dirty = segments.map((segment, index) => {
      const { path, size, baseOffset } = segment
      const isPartly = baseOffset < firstDirtyOffset
      const endOffset = segments[index + 1]?.baseOffset ?? firstUncleanableOffset
      if (!isPartly || endOffset <= firstDirtyOffset) return { path, size, position: 0, endOffset }
      const { position } = segment.indexes.offsets.lookup(firstDirtyOffset)
      return { path, size, position, endOffset }
    })
    const aborted = this.#abortedIn(firstDirtyOffset, firstUncleanableOffset)
    return { segments: dirty.filter(({ endOffset }) => endOffset > firstDirtyOffset), aborted }
  }

  /** The segments up to the one in which the map ends, in groups that become one segment each. */
  #groups(endOffset: number): Segment[][] {
    const { segmentBytes, segmentIndexBytes } = this.#log.config
    const measured = this.#segmentsBelow(endOffset).map((segment) => ({
      segment,
      baseOffset: segment.baseOffset,
      size: segment.size,
      ...segment.indexSizes(),
    }))
    const limits = {
      segmentBytes,
      segmentIndexBytes,
      endOffset: this.#range.firstUncleanableOffset,
    }
    return groupSegments(measured, limits).map((group) => group.map(({ segment }) => segment))
  }

  #segmentsBelow(offset: number): Segment[] {
    const { firstUncleanableOffset } = this.#range
    const end = Math.min(offset, firstUncleanableOffset)
    return this.#log.segments.filter(({ baseOffset }) => baseOffset < end)
  }

  async #describeGroup(segments: readonly Segment[]): Promise<SegmentGroup> {
    const described: SegmentGroup['segments'][number][] = []
    for (const segment of segments) {
      const { path, size, baseOffset } = segment
      const aborted = this.#abortedIn(baseOffset, this.#endOf(segment))
      described.push({ path, size, aborted })
      await this.#means.slices.breathe()
      this.#cleaning.check()
    }
    const [first, last] = [segments[0], segments.at(-1)]
    return {
      baseOffset: first?.baseOffset ?? 0,
      createdMs: last?.createdMs ?? 0,
      segments: described,
    }
  }

  #abortedIn(from: number, upTo: number) {
    const { segments } = this.#log
    const first = segments.findLastIndex(({ baseOffset }) => baseOffset <= from)
    return abortedTransactions(segments, Math.max(first, 0), { from, upTo })
  }

  #endOf(segment: Segment): number {
    const { segments } = this.#log
    return segments[segments.indexOf(segment) + 1]?.baseOffset ?? this.#log.logEndOffset
  }
}

/** Those of whom something in the range may be the last, as of now. */
function lastOfProducers(
  { producers }: PartitionLog,
  { firstUncleanableOffset }: CleanableRange,
): Map<Int64, LastOfProducer> {
  const last = new Map<Int64, LastOfProducer>()
  for (const entry of producers.producers()) {
    const lastDataOffset = lastDataOffsetOf(entry)
    if (lastDataOffset >= firstUncleanableOffset) continue
    last.set(entry.producerId, { lastDataOffset, producerEpoch: entry.epoch })
  }
  return last
}
