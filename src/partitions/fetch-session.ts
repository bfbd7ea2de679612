// A fetch session: what a client reads again and again, kept here so that it need not say it each time (KIP-227).

import { KafkaError } from '#storage/base/errors.ts'
import { type Uuid, ZERO_UUID } from '#storage/base/uuid.ts'
import type { FetchOutcome, FetchPosition } from './fetch-read.ts'
import type { PartitionId } from './lookup.ts'

/** One partition of a fetch. */
export interface FetchTarget extends FetchPosition, PartitionId {}

/** What the client last heard of a partition. */
interface Tracked {
  target: FetchTarget
  highWatermark: number
  logStartOffset: number
}

const LAST_EPOCH = 2_147_483_647

/** The epoch after this one; 0 and -1 have meanings of their own. */
export function nextSessionEpoch(epoch: number): number {
  return epoch === LAST_EPOCH ? 1 : epoch + 1
}

/**
 * The partitions of one session, in the order in which they are read: those that gave data go to the end, so that all
 * get their turn under a limit on bytes.
 */
export class FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** The epoch that the next request must carry. */
  epoch = 1
  readonly #partitions = new Map<string, Tracked>()

  constructor(id: number, options: { usesTopicIds: boolean; nowMs: number }) {
    this.id = id
    this.usesTopicIds = options.usesTopicIds
    this.createdMs = options.nowMs
    this.lastUsedMs = options.nowMs
  }

  get size(): number {
    return this.#partitions.size
  }

  /** In the order of reading. */
  targets(): FetchTarget[] {
    return Array.from(this.#partitions.values(), ({ target }) => target)
  }

  /** Adds partitions, or takes new positions over, then forgets others. */
  update(targets: readonly FetchTarget[], forgotten: readonly PartitionId[]): void {
    for (const target of targets) {
      const key = keyOf(target)
      const known = this.#partitions.get(key)
      if (known) known.target = target
      else this.#partitions.set(key, { target, highWatermark: -1, logStartOffset: -1 })
    }
    for (const partition of forgotten) this.#partitions.delete(keyOf(partition))
  }

  /**
   * Takes note of what a partition's answer will tell. True when it tells the client something: data, an error, a moved
   * high watermark or log start, a diverging epoch.
   */
  note(target: FetchTarget, outcome: FetchOutcome): boolean {
    const key = keyOf(target)
    const tracked = this.#partitions.get(key)
    if (!tracked) return true
    if (outcome instanceof KafkaError) {
      // When the error has gone, the partition is told again.
      tracked.highWatermark = -1
      return true
    }
    const { highWatermark, logStartOffset, slice, divergingEpoch } = outcome
    const hasData = slice !== undefined && slice.size > 0
    const hasMoved =
      tracked.highWatermark !== highWatermark || tracked.logStartOffset !== logStartOffset
    tracked.highWatermark = highWatermark
    tracked.logStartOffset = logStartOffset
    if (hasData) {
      this.#partitions.delete(key)
      this.#partitions.set(key, tracked)
    }
    return hasData || hasMoved || divergingEpoch !== undefined
  }
}

function keyOf({ topic, topicId, partition }: { topic: string; topicId: Uuid; partition: number }) {
  return `${topicId === ZERO_UUID ? topic : topicId}:${partition}`
}
