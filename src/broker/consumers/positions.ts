// Where a consumer stands in each of its partitions.
import type { CommittedOffset, PartitionName } from './committed-offsets.ts'

/** One partition of a consumer. */
export interface Position extends PartitionName {
  /** The next offset to read; undefined until it has been found out. */
  offset: number | undefined
  /** Below it, everything was handed out before the last poll: its reader is done with that. */
  settled: number | undefined
  /** What the group has on record, as far as this consumer knows. */
  committed: number | undefined
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

  add({ topic, partition }: PartitionName): void {
    const position = {
      topic,
      partition,
      offset: undefined,
      settled: undefined,
      committed: undefined,
    }
    this.#byName.set(nameOf(topic, partition), position)
  }

  remove({ topic, partition }: PartitionName): void {
    this.#byName.delete(nameOf(topic, partition))
  }

  clear(): void {
    this.#byName.clear()
  }

  /** All positions, each time beginning with another: nobody waits behind a busy partition. */
  inTurn(): Position[] {
    const all = this.all()
    this.#turn = (this.#turn + 1) % Math.max(1, all.length)
    return [...all.slice(this.#turn), ...all.slice(0, this.#turn)]
  }

  /** What was handed out so far counts as dealt with. */
  settle(): void {
    for (const position of this.#byName.values()) position.settled = position.offset
  }
}

/** What is to be committed of these positions: what has moved since the last commit. */
export function uncommitted(
  positions: readonly Position[],
  upTo: 'offset' | 'settled',
): CommittedOffset[] {
  return positions.flatMap(({ topic, partition, committed, [upTo]: offset }) =>
    offset === undefined || offset === committed
      ? []
      : [{ topic, partition, offset, metadata: '' }],
  )
}

function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
