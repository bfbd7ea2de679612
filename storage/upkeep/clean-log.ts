// One cleaning of one log: which key was written last where, then every segment without what is superseded.
import type { TimeSlices } from '../base/time-slices.ts'
import type { Random } from '../base/world.ts'
import { RecordCursor } from '../batch/record.ts'
import { RecordBatch } from '../batch/record-batch.ts'
import type { Int64 } from '../bytes/int64.ts'
import type { MapCache } from '../fs/map-cache.ts'
import type { LogCleaning } from '../log/log-cleaning.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { abortedTransactions } from '../log/segment-search.ts'
import type { Segment } from '../segment/segment.ts'
import { lastDataOffsetOf } from '../state/producer-entry.ts'
import { BatchFilter, type LastOfProducer } from './batch-filter.ts'
import type { CleanableRange } from './cleanable.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { HASH_KEY_BYTES, KeyHash } from './key-hash.ts'
import { OffsetMap } from './offset-map.ts'
import { groupSegments } from './segment-groups.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { Throttle } from './throttle.ts'

/** What a cleaning may use. */
export interface CleaningMeans {
  readonly maps: MapCache
  readonly random: Random
  readonly slices: TimeSlices
  readonly throttle: Throttle
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
  #bytesRead = 0
  #bytesWritten = 0

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
  }

  async run(): Promise<CleanedLog> {
    const map = await this.#buildMap()
    const firstDirtyOffset = map.latestOffset + 1
    const transactions = new CleanedTransactions((aborted) => this.#writer?.addAborted(aborted))
    for (const group of this.#groups(firstDirtyOffset)) {
      await this.#cleanGroup(group, map, transactions)
    }
    const [bytesRead, bytesWritten] = [this.#bytesRead, this.#bytesWritten]
    return { firstDirtyOffset, bytesRead, bytesWritten, mapBytes: map.sizeInBytes }
  }

  #writer: SegmentWriter | undefined

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

  async #buildMap(): Promise<OffsetMap> {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#range
    const { random, mapBytes, loadFactor } = this.#means
    const map = new OffsetMap(new KeyHash(random.bytes(HASH_KEY_BYTES)), {
      maxBytes: mapBytes,
      loadFactor,
    })
    map.latestOffset = firstDirtyOffset - 1
    const segments = this.#segmentsBelow(firstUncleanableOffset)
    const first = segments.findLastIndex(({ baseOffset }) => baseOffset <= firstDirtyOffset)
    const transactions = new CleanedTransactions()
    transactions.add(this.#abortedIn(firstDirtyOffset, firstUncleanableOffset))
    for (let index = Math.max(first, 0); index < segments.length; index++) {
      const segment = segments[index] as Segment
      const end = segments[index + 1]?.baseOffset ?? firstUncleanableOffset
      if (end <= firstDirtyOffset) continue
      if (!(await this.#mapSegment(segment, map, transactions))) break
      // Behind the last batch there may be a gap.
      map.latestOffset = Math.max(map.latestOffset, end - 1)
    }
    return map
  }

  /** False when the map is full. */
  async #mapSegment(
    segment: Segment,
    map: OffsetMap,
    transactions: CleanedTransactions,
  ): Promise<boolean> {
    const { firstDirtyOffset } = this.#range
    const position = segment.indexes.offsets.lookup(firstDirtyOffset).position
    for await (const batch of this.#batches(segment, position)) {
      if (batch.isControl) transactions.readControl(batch)
      else if (!transactions.readBatch(batch) && !(await this.#mapBatch(batch, map))) return false
      map.latestOffset = Math.max(map.latestOffset, batch.lastOffset)
    }
    return true
  }

  /** False when the map is full before the batch is in it: then it is left to the next cleaning, unless it is the first. */
  async #mapBatch(batch: RecordBatch, map: OffsetMap): Promise<boolean> {
    const { firstDirtyOffset } = this.#range
    const cursor = new RecordCursor(batch, this.#log.config.maxDecompressedBytes)
    const isFirst = map.latestOffset < firstDirtyOffset
    for (let number = 1; cursor.next(); number++) {
      if (number % SLICE_RECORDS === 0) await this.#breathe()
      const offset = batch.baseOffset + cursor.offsetDelta
      if (!cursor.hasKey || offset < firstDirtyOffset) continue
      if (map.isFull && !(await map.grow(() => this.#breathe()))) return false
      map.put(offset, cursor.unpacked, cursor.keyStart, cursor.keyEnd)
      if (isFirst) map.latestOffset = offset
    }
    return true
  }

  async #cleanGroup(
    group: readonly Segment[],
    map: OffsetMap,
    transactions: CleanedTransactions,
  ): Promise<void> {
    const [first] = group
    const last = group.at(-1)
    if (!first || !last) return
    const cleaning = this.#cleaning
    const cleaned = cleaning.createSegment(first.baseOffset, last.createdMs)
    try {
      const { indexIntervalBytes } = this.#log.config
      const options = { indexIntervalBytes, bufferBytes: this.#means.bufferBytes }
      const writer = new SegmentWriter(cleaned, options)
      this.#writer = writer
      const filter = new BatchFilter(this.#rules(map, transactions), this.#means.slices)
      for (const segment of group) {
        transactions.add(this.#abortedIn(segment.baseOffset, this.#endOf(segment)))
        await this.#filterInto(writer, segment, filter)
      }
      await writer.flush()
      cleaning.check()
      await cleaning.replace(group, cleaned)
      this.#bytesWritten += cleaned.size
    } catch (error) {
      cleaning.discard(cleaned)
      throw error
    } finally {
      this.#writer = undefined
    }
  }

  async #filterInto(writer: SegmentWriter, segment: Segment, filter: BatchFilter): Promise<void> {
    for await (const batch of this.#batches(segment, 0)) {
      const bytes = await filter.filter(batch)
      if (!bytes) continue
      await writer.add(bytes === batch.bytes ? batch : new RecordBatch(bytes))
      await this.#pay(bytes.length)
    }
  }

  /** The batches of a segment from a position on, each valid until the next. Lets others have the loop in between. */
  async *#batches(segment: Segment, position: number): AsyncGenerator<RecordBatch, void, void> {
    const { maps, bufferBytes } = this.#means
    const reader = new SegmentReader(segment, maps, { position, bufferBytes })
    for (;;) {
      const size = await reader.fill()
      this.#cleaning.check()
      if (size === 0) return
      this.#bytesRead += size
      await this.#pay(size)
      for (let batch = reader.take(); batch; batch = reader.take()) {
        yield batch
        await this.#breathe()
      }
    }
  }

  async #breathe(): Promise<void> {
    await this.#means.slices.breathe()
    this.#cleaning.check()
  }

  async #pay(bytes: number): Promise<void> {
    const { throttle } = this.#means
    if (throttle.take(bytes)) await throttle.wait(() => this.#cleaning.check())
  }

  #rules(map: OffsetMap, transactions: CleanedTransactions) {
    const { maxDecompressedBytes, deleteRetentionMs } = this.#log.config
    const producers = new Map<Int64, LastOfProducer>()
    for (const entry of this.#log.producers.producers()) {
      const lastDataOffset = lastDataOffsetOf(entry)
      producers.set(entry.producerId, { lastDataOffset, producerEpoch: entry.epoch })
    }
    const endOffset = this.#range.firstUncleanableOffset
    const { now } = this.#means
    return { map, transactions, producers, endOffset, now, deleteRetentionMs, maxDecompressedBytes }
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

/** Records between two looks at the clock. */
const SLICE_RECORDS = 64
