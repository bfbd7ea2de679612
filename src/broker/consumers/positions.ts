// Where a consumer stands in each of its partitions.
import type { CommittedOffset, PartitionName } from './committed-offsets.ts'

/** One partition of a consumer. Its offsets are undefined until the first has been found out. */
export interface Position extends PartitionName {
  /** The topic that the group means; undefined for a partition that was taken by hand. */
  readonly topicId: string | undefined
  /** The next offset to read. */
  offset: number | undefined
  /** Behind the last record that was handed out. */
  given: number | undefined
  /** Below it, the reader is done with everything. */
  settled: number | undefined
  /** What `settled` was when the clock last asked. */
  sent: number | undefined
  /** What `sent` was before that: of this it is safe to say that it has arrived. */
  arrived: number | undefined
  /** What the group has on record, as far as this consumer knows. */
  committed: number | undefined
  /** It is about to go to another member: nothing more is read of it. */
  isLeaving: boolean
}

/** The positions of the partitions that a consumer has, by turns. */
export class Positions {
  readonly #byName = new Map<string, Position>()
  #turn = 0

  get size(): number {
    return this.#byName.size
  }

  all(): Position[] {
    return [...this.#byName.values()]
  }

  get({ topic, partition }: PartitionName): Position | undefined {
    return this.#byName.get(nameOf(topic, partition))
  }

  /** True while this very position counts: a partition that went and came again has another. */
  holds(position: Position): boolean {
    return this.get(position) === position
  }

  add({ topic, partition }: PartitionName, topicId?: string): void {
    this.#byName.set(nameOf(topic, partition), {
      topic,
      partition,
      topicId,
      offset: undefined,
      given: undefined,
      settled: undefined,
      sent: undefined,
      arrived: undefined,
      committed: undefined,
      isLeaving: false,
    })
  }

  /** Forgets this very position. */
  remove(position: Position): void {
    if (this.holds(position)) this.#byName.delete(nameOf(position.topic, position.partition))
  }

  clear(): void {
    this.#byName.clear()
  }

  /** The positions to read from, each time beginning with another: nobody waits behind a busy partition. */
  inTurn(): Position[] {
    const all = this.all().filter(({ isLeaving }) => !isLeaving)
    this.#turn = (this.#turn + 1) % Math.max(1, all.length)
    return [...all.slice(this.#turn), ...all.slice(0, this.#turn)]
  }
}

/** Goes on elsewhere: what was handed out before is of no concern any more. */
export function moveTo(position: Position, offset: number): void {
  position.offset = position.given = position.settled = position.sent = position.arrived = offset
}

/** The reader is done with everything below `upTo`, or with all that was handed out. */
export function settle(position: Position, upTo = position.given): void {
  const { given, offset, settled } = position
  if (upTo === undefined || given === undefined || settled === undefined) return
  // Behind the last record there may be offsets that hold none.
  position.settled = upTo >= given ? offset : Math.max(settled, upTo)
}

/** Another interval has passed. */
export function ripen(position: Position): void {
  position.arrived = position.sent
  position.sent = position.settled
}

/** Whether the reader has records of the partition that it may still be busy with. */
export function isOutstanding({ given, settled }: Position): boolean {
  return given !== undefined && settled !== undefined && settled < given
}

/** How much of what was handed out is committed: all, what is settled, or what has arrived. */
export type Extent = 'offset' | 'settled' | 'arrived'

/** What is to be committed of these positions: what has moved since the last commit. */
export function uncommitted(positions: readonly Position[], upTo: Extent): CommittedOffset[] {
  return positions.flatMap(({ topic, partition, committed, [upTo]: offset }) =>
    offset === undefined || offset === committed
      ? []
      : [{ topic, partition, offset, metadata: '' }],
  )
}

function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
