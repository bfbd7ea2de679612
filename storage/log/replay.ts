// Rebuilds what a log remembers of its batches, producers and leader epochs, from the batches themselves.
import type { RecordBatch } from '../batch/record-batch.ts'
import { BatchHeaderReader } from '../segment/batch-header.ts'
import type { Segment } from '../segment/segment.ts'
import type { LeaderEpochCache } from '../state/leader-epoch-cache.ts'
import type { ProducerState } from '../state/producer-state.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import { readTransactionMarker } from './transaction-marker.ts'

/** What a replay works on. */
export interface ReplayTarget {
  readonly segments: readonly Segment[]
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  readonly now: number
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
    if (segment.baseOffset > from) snapshotAt(target, segment.baseOffset)
    yield* replaySegment(segment, target, options.rebuilt.has(segment))
    producers.advanceTo(end)
  }
}

/** Assigns the leader epochs of all batches of `segments`. */
export function* replayEpochs(
  segments: readonly Segment[],
  epochs: LeaderEpochCache,
): Generator<void, void> {
  for (const segment of segments) {
    for (const batch of headersOf(segment, segment.baseOffset)) {
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

function snapshotAt({ snapshots, producers }: ReplayTarget, offset: number): void {
  if (!snapshots.has(offset)) snapshots.write(offset, producers.snapshot())
}

function* replaySegment(
  segment: Segment,
  target: ReplayTarget,
  isRebuilt: boolean,
): Generator<void, void> {
  const { producers } = target
  for (const batch of headersOf(segment, producers.endOffset)) {
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

/** The batches from `offset` on, of which only control batches are whole; undefined from time to time, for a pause. */
function* headersOf(segment: Segment, offset: number): Generator<RecordBatch | undefined, void> {
  let position = segment.find(offset)?.position ?? segment.size
  while (position < segment.size) {
    const batches = segment.withFile((file) => {
      const reader = new BatchHeaderReader(file, segment.size)
      const run: RecordBatch[] = []
      while (run.length < SLICE_BATCHES) {
        const header = reader.at(position)
        if (!header) break
        if (header.magic === 2) run.push(reader.batch(header))
        position += header.sizeInBytes
      }
      return run
    })
    yield* batches
    yield undefined
  }
}
