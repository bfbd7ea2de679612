// The commits of one consumer: by hand, by the clock, and at its ends.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock, Timer } from '#storage/base/world.ts'
import type { GroupOffsets } from '../group-offsets.ts'
import {
  type CommittedOffset,
  type Committer,
  commitOffsets,
  fetchOffsets,
  type PartitionName,
} from './committed-offsets.ts'
import {
  type Extent,
  type Position,
  type Positions,
  ripen,
  settle,
  uncommitted,
} from './positions.ts'
import { retried } from './retrying.ts'

/** What commits live on. */
export interface CommitsParts {
  readonly groupOffsets: Pick<GroupOffsets, 'commit' | 'fetch'>
  readonly clock: Clock
  readonly positions: Positions
  /** Undefined: nothing is committed by the clock. */
  readonly intervalMs: number | undefined
  /** What is committed by the clock. */
  readonly byClock: 'settled' | 'arrived'
  committer(): Committer
  /** Another number when the member has been given up by its group since: what it held may be others' now. */
  losses(): number
  /** Told of everything that has been committed. */
  readonly onCommitted: (offsets: readonly CommittedOffset[]) => void
}

/** One commit at a time is under way, so that no late one overtakes its successor: offsets never go back by themselves. */
export class Commits {
  readonly #parts: CommitsParts
  #last: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #isStopped = false

  constructor(parts: CommitsParts) {
    this.#parts = parts
  }

  get isAutomatic(): boolean {
    return this.#parts.intervalMs !== undefined
  }

  /** Commits these offsets. Rejects with the first refusal; others may be committed. */
  offsets(offsets: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    return this.#inTurn(() => this.#commit(offsets))
  }

  /** Commits what has moved of these positions, as far as it counts when its turn has come. Rejects as `offsets` does. */
  positions(
    positions: () => readonly Position[],
    upTo: Extent,
  ): Promise<readonly CommittedOffset[]> {
    return this.#inTurn(() => this.#commit(uncommitted(positions(), upTo)))
  }

  /** A commit that nobody asked for; false when it was refused: what can't be committed is read again by whoever comes next. */
  async quietly(positions: () => readonly Position[], upTo: Extent): Promise<boolean> {
    if (!this.isAutomatic) return true
    try {
      await this.positions(positions, upTo)
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return false
    }
  }

  /** Something was settled: it is committed when the interval is over, or one of the next where that is refused. */
  soon(): void {
    const { intervalMs, clock } = this.#parts
    if (intervalMs === undefined || this.#timer || this.#isStopped) return
    this.#timer = clock.after(intervalMs, () => {
      this.#timer = undefined
      void this.#byClock()
    })
  }

  /** No commit begins by itself any more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** What the group has committed; partitions without a position are left out. */
  fetch(partitions: readonly PartitionName[]): Promise<CommittedOffset[]> {
    const { groupOffsets, clock, committer } = this.#parts
    return retried(clock, () => fetchOffsets(groupOffsets, committer(), partitions))
  }

  async #byClock(): Promise<void> {
    const { positions, byClock } = this.#parts
    for (const position of positions.all()) ripen(position)
    const isDone = await this.quietly(() => positions.all(), byClock)
    const isUnderWay = positions.all().some(({ arrived, settled }) => arrived !== settled)
    if (!isDone || (byClock === 'arrived' && isUnderWay)) this.soon()
  }

  #inTurn<T>(commit: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(commit)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #commit(offsets: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    if (offsets.length === 0) return offsets
    const { groupOffsets, clock, committer, losses, positions, onCommitted } = this.#parts
    const lossesBefore = losses()
    const isStillMine = () => losses() === lossesBefore
    await retried(clock, () => commitOffsets(groupOffsets, committer(), offsets), isStillMine)
    for (const one of offsets) {
      const position = positions.get(one)
      if (!position) continue
      position.committed = one.offset
      // No commit by the clock may go back behind this one.
      position.sent = Math.max(position.sent ?? 0, one.offset)
      position.arrived = Math.max(position.arrived ?? 0, one.offset)
      settle(position, one.offset)
    }
    onCommitted(offsets)
    return offsets
  }
}
