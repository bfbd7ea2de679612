// Rebuilds what a log remembers of its batches, producers and leader epochs, from the batches themselves.
import { KafkaError } from '../base/errors.ts'
import type { RecordBatch } from '../batch/record-batch.ts'
import { BatchHeaderReader } from '../segment/batch-header.ts'
import type { Segment } from '../segment/segment.ts'
import type { LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { ProducerState } from '../state/producer-state.ts'
import type { DamagedRange } from './segment-search.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import { readTransactionMarker } from './transaction-marker.ts'

/** What a replay works on. */
export interface ReplayTarget {
  readonly segments: readonly Segment[]
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  readonly now: number
  /** What is known to be damaged; what the replay finds is added. */
  readonly damages: DamagedRange[]
}

/** Batches between two pauses. */
const SLICE_BATCHES = 256

/**
 * Brings the producer state to the log's end, from the newest readable snapshot at or below `atMost`, leaving out the
 * `skip` newest ones, else from the beginning. Segments in `rebuilt` get their aborted transactions again. Yields now and then, so that the caller may pause.
 */
export function* replayProducers(
  target: ReplayTarget,
  options: { skip: number; atMost: number; rebuilt: ReadonlySet<Segment> },
): Generator<void, void> {
  const { producers, snapshots, segments, logEndOffset, now } = target
  const start = segments[0]?.baseOffset ?? logEndOffset
  let skip = options.skip
  producers.clear(start)
  for (const snapshot of snapshots.newestFirst(logEndOffset)) {
    // A snapshot below the first segment belongs to segments that are gone.
    if (snapshot.offset < start) break
    if (skip-- > 0 || snapshot.offset > options.atMost) continue
    producers.restore(snapshot.entries, { endOffset: snapshot.offset, nowMs: now })
    break
  }
  const from = producers.endOffset
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset ?? logEndOffset
    if (end <= from) continue
    if (segment.baseOffset > from) passSnapshot(target, segment.baseOffset, options.atMost)
    yield* replaySegment(segment, target, options.rebuilt.has(segment))
    producers.advanceTo(end)
  }
}

/** The same on the spot, from the newest snapshot: after a truncation. */
export function replayProducersNow(target: ReplayTarget): void {
  const options = { skip: 0, atMost: Infinity, rebuilt: new Set<Segment>() }
  for (const _ of replayProducers(target, options));
}

/** Assigns the leader epochs of all batches of `segments`. */
export function* replayEpochs(
  segments: readonly Segment[],
  epochs: LeaderEpochCache,
  damages: DamagedRange[],
): Generator<void, void> {
  for (const segment of segments) {
    for (const batch of new HeaderWalk(segment, damages).from(segment.baseOffset)) {
      if (!batch) yield
      else assignEpoch(epochs, batch)
    }
  }
}

/** Takes note of a batch whose leader epoch is newer than all known ones. */
export function assignEpoch(epochs: LeaderEpochCache, batch: RecordBatch): void {
  const epoch = batch.partitionLeaderEpoch
  if (epoch < 0 || epoch <= (epochs.latestEpoch ?? -1)) return
  epochs.assign({ epoch, startOffset: batch.baseOffset })
}

/**
 * Compaction may have taken what a replay needs: the marker of a transaction that was open at the snapshot it began from,
 * or a producer's batches. So what the log itself noted on the way counts, where it was on disk before the crash.
 */
function passSnapshot(target: ReplayTarget, offset: number, atMost: number): void {
  const { snapshots, producers, now: nowMs } = target
  const noted = offset <= atMost ? snapshots.at(offset) : undefined
  if (noted) producers.confirm(noted, { endOffset: offset, nowMs })
  // One that lies beyond may tell of batches that the crash took.
  else snapshots.write(offset, producers.snapshot())
}

function* replaySegment(
  segment: Segment,
  target: ReplayTarget,
  isRebuilt: boolean,
): Generator<void, void> {
  const { producers } = target
  for (const batch of new HeaderWalk(segment, target.damages).from(producers.endOffset)) {
    if (!batch) {
      yield
      continue
    }
    if (batch.nextOffset > target.logEndOffset) return
    if (!batch.hasProducerId) continue
    const append = producers.prepare('replication')
    append.add(batch, batch.isControl ? readTransactionMarker(batch) : undefined)
    for (const ended of producers.apply(append, batch.nextOffset)) {
      if (isRebuilt && ended.isAborted) segment.addAborted(ended)
    }
  }
}

/** The batch headers of one segment, past damage. What is damaged and not known yet is added to `damages`. */
class HeaderWalk {
  readonly #segment: Segment
  readonly #damages: DamagedRange[]
  #position = 0
  #nextOffset: number

  constructor(segment: Segment, damages: DamagedRange[]) {
    this.#segment = segment
    this.#damages = damages
    this.#nextOffset = segment.baseOffset
  }

  /** The batches from `offset` on, of which only control batches are whole; undefined from time to time, for a pause. */
  *from(offset: number): Generator<RecordBatch | undefined, void> {
    if (offset > this.#segment.baseOffset) this.#position = this.#positionOf(offset)
    while (this.#position < this.#segment.size) {
      for (const batch of this.#nextRun()) if (batch.lastOffset >= offset) yield batch
      if (this.#position < this.#segment.size && this.#isDamagedHere()) yield* this.#skipDamage()
      yield undefined
    }
  }

  #positionOf(offset: number): number {
    try {
      return this.#segment.find(offset)?.position ?? this.#segment.size
    } catch (error) {
      if (error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE') return 0
      throw error
    }
  }

  #nextRun(): RecordBatch[] {
    return this.#segment.withFile((file) => {
      const reader = new BatchHeaderReader(file, this.#segment.size)
      const run: RecordBatch[] = []
      while (run.length < SLICE_BATCHES && !this.#isKnownDamage()) {
        const header = reader.peek(this.#position)
        if (!header) break
        if (header.magic === 2) {
          const batch = reader.batch(header)
          if (batch.isControl && !batch.isCrcValid()) break
          run.push(batch)
        }
        this.#position += header.sizeInBytes
        this.#nextOffset = header.lastOffset + 1
      }
      return run
    })
  }

  #isDamagedHere(): boolean {
    if (this.#isKnownDamage()) return true
    return this.#segment.withFile((file) => {
      const reader = new BatchHeaderReader(file, this.#segment.size)
      const header = reader.peek(this.#position)
      if (!header) return true
      if (header.magic < 2) return false
      const batch = reader.batch(header)
      return batch.isControl && !batch.isCrcValid()
    })
  }

  #isKnownDamage(): boolean {
    return this.#damages.some(({ segmentBaseOffset, position }) => {
      return segmentBaseOffset === this.#segment.baseOffset && position === this.#position
    })
  }

  *#skipDamage(): Generator<undefined, void> {
    const { size, baseOffset } = this.#segment
    const from = this.#nextOffset
    const start = this.#position
    let to: number | undefined
    while (this.#position < size && to === undefined) {
      const at = this.#position
      const { header, searchedTo } = this.#segment.findIntact(at, from)
      this.#position = header?.position ?? searchedTo
      to = header?.baseOffset
      yield undefined
    }
    const isKnown = this.#damages.some((damage) => {
      return damage.segmentBaseOffset === baseOffset && damage.position === start
    })
    this.#nextOffset = to ?? from + 1
    if (isKnown) return
    const damage = { from, to: this.#nextOffset, segmentBaseOffset: baseOffset, position: start }
    this.#damages.push(damage)
  }
}
