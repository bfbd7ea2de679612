// Fetches that wait for bytes. They cost a set entry per partition while nothing happens, and no timer of their own.
import type { Clock } from '#storage/base/world.ts'
import { Deadlines } from './deadlines.ts'
import type { FetchIsolation, FetchPosition } from './fetch-read.ts'
import type { Partition } from './partition.ts'

/** A partition in which a fetch waits. */
export interface WaitingPosition {
  readonly partition: Partition
  readonly position: FetchPosition
}

/** What ends a wait. */
export interface FetchWait {
  readonly waitMs: number
  /** Readable bytes over all partitions. */
  readonly minBytes: number
  readonly isolation: FetchIsolation
  /** The client has gone. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Long polls (Kafka's fetch purgatory). A change of a partition is looked at by those alone who wait there, and for that
 * one partition; it ends a wait when the bytes suffice, or when reading on would fail: the partition is gone, its leader
 * epoch is another, its log now begins or ends elsewhere.
 */
export class FetchPurgatory {
  readonly #deadlines: Deadlines
  readonly #waiting = new Set<ParkedFetch>()
  #looks = 0

  constructor(clock: Clock) {
    this.#deadlines = new Deadlines(clock)
  }

  /** How many fetches wait, and how often changes of partitions have made one look. */
  get stats(): { readonly waiting: number; readonly looks: number } {
    return { waiting: this.#waiting.size, looks: this.#looks }
  }

  /** Resolves when one of `positions` says so, when the time has passed, when the client or the broker goes. */
  wait(positions: readonly WaitingPosition[], wait: FetchWait): Promise<void> {
    if (wait.signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const parked = new ParkedFetch(positions, wait, () => {
        takeBack()
        wait.signal?.removeEventListener('abort', parked.finish)
        this.#waiting.delete(parked)
        resolve()
      })
      const takeBack = this.#deadlines.add(wait.waitMs, parked.finish)
      wait.signal?.addEventListener('abort', parked.finish)
      this.#waiting.add(parked)
      parked.park(() => this.#looks++)
    })
  }

  /** Ends all waits. */
  close(): void {
    for (const parked of this.#waiting) parked.finish()
    this.#deadlines.clear()
  }
}

/** One fetch while it waits. */
class ParkedFetch {
  readonly #positions: readonly WaitingPosition[]
  readonly #wait: FetchWait
  readonly #onFinish: () => void
  /** Readable bytes by position. */
  readonly #bytes: number[]
  #stops: (() => void)[] = []
  #total = 0
  #isFinished = false

  constructor(positions: readonly WaitingPosition[], wait: FetchWait, onFinish: () => void) {
    this.#positions = positions
    this.#wait = wait
    this.#onFinish = onFinish
    this.#bytes = positions.map(() => 0)
  }

  /** Begins to watch. What changed since the fetch has read is seen too. */
  park(onLook: () => void): void {
    for (const [index, { partition }] of this.#positions.entries()) {
      const look = () => {
        onLook()
        if (!this.#isFinished && this.#isEnough(index)) this.finish()
      }
      this.#stops.push(partition.watch(look))
    }
    const isEnough = this.#positions.some((_, index) => this.#isEnough(index))
    if (isEnough) this.finish()
  }

  readonly finish = (): void => {
    if (this.#isFinished) return
    this.#isFinished = true
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#onFinish()
  }

  #isEnough(index: number): boolean {
    const { partition, position } = this.#positions[index] as WaitingPosition
    const { offset, currentLeaderEpoch } = position
    const { isolation, minBytes } = this.#wait
    const isEpochKnown = currentLeaderEpoch === -1 || currentLeaderEpoch === partition.leaderEpoch
    if (!partition.isOpen || !isEpochKnown) return true
    const { logStartOffset, logEndOffset } = partition.log
    if (offset < logStartOffset || offset > logEndOffset) return true
    if (offset >= partition.readableEnd(isolation)) return false
    if (minBytes <= 1) return true
    const { size, isLast } = this.#readable(partition, position)
    this.#total += size - (this.#bytes[index] ?? 0)
    this.#bytes[index] = size
    return !isLast || this.#total >= minBytes
  }

  /** What can be read now; `isLast` is false where the read fails, or where a newer segment follows. */
  #readable(
    partition: Partition,
    { offset, maxBytes }: FetchPosition,
  ): { readonly size: number; readonly isLast: boolean } {
    const { isolation } = this.#wait
    try {
      const { size, isSealed } = partition.read(offset, { maxBytes, isolation })
      return { size: Math.min(size, maxBytes), isLast: !isSealed }
    } catch {
      // The fetch itself meets it again, and answers or throws it.
      return { size: 0, isLast: false }
    }
  }
}
