// Reads the segments of a log for their cleaning: which key was written last where, then what is not superseded.
import type { TimeSlices } from '../base/time-slices.ts'
import { openRecords } from '../batch/open-records.ts'
import { RecordBatch } from '../batch/record-batch.ts'
import type { MapCache } from '../fs/map-cache.ts'
import { syncFile } from '../log/durability.ts'
import { Segment, type SegmentEnvironment } from '../segment/segment.ts'
import { BatchFilter } from './batch-filter.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import type {
  CleanedSegment,
  CleaningJob,
  CleaningStage,
  DirtyRange,
  DirtySegment,
  MapSummary,
  SegmentGroup,
  SourceSegment,
} from './cleaning-job.ts'
import { KeyHash } from './key-hash.ts'
import { OffsetMap } from './offset-map.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { Throttle } from './throttle.ts'

/** What a pass may use. */
export interface PassMeans {
  /** Of the log's directory. */
  readonly environment: SegmentEnvironment
  readonly maps: MapCache
  readonly slices: TimeSlices
  readonly throttle: Throttle
  /** Called after each wait; what it throws ends the pass. */
  readonly check: () => void
}

/** Records between two looks at the clock. */
const SLICE_RECORDS = 64

/** One pass over a log. Its memory is that of the map and the buffers. */
export class CleaningPass implements CleaningStage {
  readonly #job: CleaningJob
  readonly #means: PassMeans
  readonly #map: OffsetMap
  readonly #transactions: CleanedTransactions
  #writer: SegmentWriter | undefined
  #bytesRead = 0

  constructor(job: CleaningJob, means: PassMeans) {
    this.#job = job
    this.#means = means
    const { mapBytes: maxBytes, loadFactor } = job
    this.#map = new OffsetMap(new KeyHash(job.secret), { maxBytes, loadFactor })
    this.#transactions = new CleanedTransactions((aborted) => this.#writer?.addAborted(aborted))
  }

  async buildMap({ segments, aborted }: DirtyRange): Promise<MapSummary> {
    const map = this.#map
    map.latestOffset = this.#job.firstDirtyOffset - 1
    const transactions = new CleanedTransactions()
    transactions.add(aborted)
    const from = this.#bytesRead
    for (const segment of segments) {
      if (!(await this.#mapSegment(segment, transactions))) break
      // Behind the last batch there may be a gap.
      map.latestOffset = Math.max(map.latestOffset, segment.endOffset - 1)
    }
    const { latestOffset, sizeInBytes: mapBytes } = map
    return { latestOffset, mapBytes, bytesRead: this.#bytesRead - from }
  }

  async clean({ baseOffset, createdMs, segments }: SegmentGroup): Promise<CleanedSegment> {
    const { environment } = this.#means
    const from = this.#bytesRead
    const cleaned = Segment.create(environment, baseOffset, createdMs, '.cleaned')
    try {
      const { indexIntervalBytes, bufferBytes } = this.#job
      const writer = new SegmentWriter(cleaned, { indexIntervalBytes, bufferBytes })
      this.#writer = writer
      const filter = new BatchFilter(this.#rules(), this.#means.slices)
      for (const segment of segments) {
        this.#transactions.add(segment.aborted)
        await this.#filterInto(writer, segment, filter)
      }
      await writer.flush()
      await this.#persist(cleaned)
      const { offsets, times, transactions } = cleaned.indexes
      return {
        size: cleaned.size,
        bytesRead: this.#bytesRead - from,
        indexes: {
          offsets: offsets.toBytes(),
          times: times.toBytes(),
          transactions: transactions.toBytes(),
        },
      }
    } finally {
      this.#writer = undefined
      cleaned.release()
    }
  }

  /** False when the map is full. */
  async #mapSegment(segment: DirtySegment, transactions: CleanedTransactions): Promise<boolean> {
    const map = this.#map
    const reader = this.#read(segment, segment.position)
    while (await this.#fill(reader)) {
      for (let batch = reader.take(); batch; batch = reader.take()) {
        if (batch.isControl) transactions.readControl(batch)
        else if (!transactions.readBatch(batch) && !(await this.#mapBatch(batch))) return false
        map.latestOffset = Math.max(map.latestOffset, batch.lastOffset)
        if (this.#means.slices.isOver) await this.#breathe()
      }
    }
    return true
  }

  /** False when the map is full before the batch is in it: then it is left to the next cleaning, unless it is the first. */
  async #mapBatch(batch: RecordBatch): Promise<boolean> {
    const { firstDirtyOffset, maxDecompressedBytes } = this.#job
    const { slices } = this.#means
    const map = this.#map
    const opened = openRecords(batch, maxDecompressedBytes)
    const cursor = opened instanceof Promise ? await opened : opened
    const isFirst = map.latestOffset < firstDirtyOffset
    for (let number = 1; cursor.next(); number++) {
      if (number % SLICE_RECORDS === 0 && slices.isOver) await this.#breathe()
      const offset = batch.baseOffset + cursor.offsetDelta
      if (!cursor.hasKey || offset < firstDirtyOffset) continue
      if (map.isFull && !(await map.grow(() => this.#breathe()))) return false
      map.put(offset, cursor.unpacked, cursor.keyStart, cursor.keyEnd)
      if (isFirst) map.latestOffset = offset
    }
    return true
  }

  async #filterInto(
    writer: SegmentWriter,
    segment: SourceSegment,
    filter: BatchFilter,
  ): Promise<void> {
    const reader = this.#read(segment, 0)
    while (await this.#fill(reader)) {
      for (let batch = reader.take(); batch; batch = reader.take()) {
        const bytes = await filter.filter(batch)
        if (bytes) {
          await writer.add(bytes === batch.bytes ? batch : new RecordBatch(bytes))
          await this.#pay(bytes.length)
        }
        if (this.#means.slices.isOver) await this.#breathe()
      }
    }
  }

  /** All of the new segment on disk, but for the names. */
  async #persist(cleaned: Segment): Promise<void> {
    const { environment, check } = this.#means
    cleaned.seal()
    await cleaned.sync()
    check()
    const paths = cleaned.writeIndexes()
    await Promise.all(paths.map((path) => syncFile(environment.files, path)))
    check()
  }

  #read(segment: SourceSegment, position: number): SegmentReader {
    const { environment, maps } = this.#means
    const { bufferBytes } = this.#job
    return new SegmentReader(segment, { pool: environment.pool, maps, position, bufferBytes })
  }

  /** Has the reader read on; false at the end. */
  async #fill(reader: SegmentReader): Promise<boolean> {
    const size = await reader.fill()
    this.#means.check()
    this.#bytesRead += size
    await this.#pay(size)
    return size > 0
  }

  async #breathe(): Promise<void> {
    await this.#means.slices.breathe()
    this.#means.check()
  }

  async #pay(bytes: number): Promise<void> {
    const { throttle, check } = this.#means
    if (throttle.take(bytes)) await throttle.wait(check)
  }

  #rules() {
    const { firstUncleanableOffset: endOffset, now, producers } = this.#job
    const { deleteRetentionMs, maxDecompressedBytes } = this.#job
    const [map, transactions] = [this.#map, this.#transactions]
    return { map, transactions, producers, endOffset, now, deleteRetentionMs, maxDecompressedBytes }
  }
}
