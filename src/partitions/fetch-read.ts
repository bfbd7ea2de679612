// The reads of one fetch: several partitions in order, under limits that they share (KIP-74).
import { KafkaError, StorageFault } from '#storage/base/errors.ts'
import type { ReadRequest } from '#storage/log/log-reader.ts'
import type { LogSlice } from '#storage/log/log-slice.ts'
import type { EpochEnd } from '#storage/state/leader-epoch-cache.ts'
import type { Partition } from './partition.ts'

/** Where to read in one partition, and what the client knows of it. Epochs are -1 when it knows none. */
export interface FetchPosition {
  readonly offset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  /** The epoch of the record before `offset`: where it ended earlier, the client's log diverges (KIP-595). */
  readonly lastFetchedEpoch: number
}

/** How far a fetch may see. */
export type FetchIsolation = ReadRequest['isolation']

/** What a partition gave. */
export interface PartitionRead {
  /** Undefined where the client's log diverges. */
  readonly slice: LogSlice | undefined
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch: EpochEnd | undefined
}

/** A partition to read, or why it can't be. */
export type FetchSource = Partition | KafkaError

/** What became of one partition's read. */
export type FetchOutcome = PartitionRead | KafkaError

/** One round of reads. */
export interface FetchRound {
  /** In the order of the sources. */
  readonly outcomes: readonly FetchOutcome[]
  readonly readableBytes: number
  /** Whether waiting for more bytes would keep from the client what it should know now. */
  readonly isUrgent: boolean
}

/**
 * Reads all sources in order. The first batch that is found is given whole, whatever the limits; after it, what does not
 * fit is left out.
 */
export function readRound(
  sources: readonly FetchSource[],
  positions: readonly FetchPosition[],
  { maxBytes, isolation }: { readonly maxBytes: number; readonly isolation: FetchIsolation },
): FetchRound {
  let bytesLeft = maxBytes
  let readableBytes = 0
  let isUrgent = false
  const outcomes = sources.map((source, index) => {
    if (source instanceof KafkaError) {
      isUrgent = true
      return source
    }
    const position = positions[index] as FetchPosition
    const limits = {
      maxBytes: Math.max(0, Math.min(position.maxBytes, bytesLeft)),
      isolation,
      minOneBatch: readableBytes === 0,
    }
    const outcome = readPosition(source, position, limits)
    if (outcome instanceof KafkaError || outcome.divergingEpoch) isUrgent = true
    else if (outcome.slice && outcome.slice.size > 0) {
      readableBytes += outcome.slice.size
      bytesLeft -= outcome.slice.size
    }
    return outcome
  })
  return { outcomes, readableBytes, isUrgent }
}

function readPosition(
  partition: Partition,
  position: FetchPosition,
  limits: ReadRequest,
): FetchOutcome {
  try {
    partition.checkLeaderEpoch(position.currentLeaderEpoch)
    const divergingEpoch = divergence(partition, position)
    if (divergingEpoch) {
      const { highWatermark, lastStableOffset, logStartOffset } = partition.log
      const bounds = { highWatermark, lastStableOffset, logStartOffset }
      return { slice: undefined, ...bounds, divergingEpoch }
    }
    const slice = partition.read(position.offset, limits)
    const { highWatermark, lastStableOffset, logStartOffset } = slice.bounds
    return { slice, highWatermark, lastStableOffset, logStartOffset, divergingEpoch }
  } catch (error) {
    if (error instanceof KafkaError) return error
    if (!(error instanceof StorageFault)) throw error
    return new KafkaError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
  }
}

/** Where the log of a client parts from this one; undefined when it does not. Throws OFFSET_OUT_OF_RANGE. */
function divergence(
  { log }: Partition,
  { offset, lastFetchedEpoch }: FetchPosition,
): EpochEnd | undefined {
  if (lastFetchedEpoch === -1) return undefined
  const end = log.endOffsetForEpoch(lastFetchedEpoch)
  if (end.endOffset === -1 || end.epoch === -1) {
    const detail = `The end of epoch ${lastFetchedEpoch} is not known`
    throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
  }
  if (offset < log.logStartOffset) {
    const detail = `Offset ${offset} is below the log start ${log.logStartOffset}`
    throw new KafkaError('OFFSET_OUT_OF_RANGE', detail)
  }
  return end.epoch < lastFetchedEpoch || end.endOffset < offset ? end : undefined
}
