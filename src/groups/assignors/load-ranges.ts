// The least and the most loaded of some members, found again after each move without sorting again.

/**
 * Members in the order of their loads, with a range growing from each end:
 * ```
 *        load ^                     most loaded, each gives one in turn
 *             |                  # [#<-]  ##
 *             |               #  # [#  ]  ##   <- excluded: have nothing to give
 *             | [->   #]   #  #  # [#  ]  ##
 *             | [#    #]   #  #  # [#  ]  ##
 *             +---------------------------->   members
 *   least loaded, each takes one in turn
 * ```
 * All in a range have its level, once its turn is over. When each has taken one, the level of the least rises by one, and
 * the members that stand at it join; the other end does the same downwards.
 */
export class LoadRanges {
  /** How many partitions each member has, of all topics. */
  readonly #loads: Int32Array
  readonly #sorted: number[] = []
  #leastEnd = 0
  #leastLevel = 0
  #nextLeast = 0
  #mostStart = 0
  #mostEnd = 0
  #mostLevel = 0
  #nextMost = 0

  /** Works on `loads`, which belongs to it from now on. */
  constructor(loads: Int32Array) {
    this.#loads = loads
  }

  /** Begins with these members, of which there is at least one. Equal loads stand in ascending order of members. */
  reset(members: readonly number[]): void {
    const sorted = this.#sorted
    sorted.length = 0
    sorted.push(...members)
    sorted.sort((left, right) => this.#load(left) - this.#load(right) || left - right)
    this.#leastEnd = 0
    this.#leastLevel = this.#loadAt(0) - 1
    this.#nextLeast = 0
    this.#mostStart = sorted.length
    this.#mostEnd = sorted.length
    this.#mostLevel = this.#loadAt(sorted.length - 1) + 1
    this.#nextMost = sorted.length - 1
  }

  /** How far the loads of the members were apart at the reset. */
  get spread(): number {
    return this.#mostLevel - this.#leastLevel - 2
  }

  /** Whether a move from the most to the least loaded no longer helps. */
  get isBalanced(): boolean {
    return this.#mostLevel - this.#leastLevel <= 1
  }

  /** Who takes the next partition. */
  nextLeastLoaded(): number {
    if (this.#nextLeast >= this.#leastEnd) {
      this.#leastLevel++
      while (
        this.#leastEnd < this.#sorted.length &&
        this.#loadAt(this.#leastEnd) === this.#leastLevel
      )
        this.#leastEnd++
      this.#nextLeast = 0
    }
    return this.#sorted[this.#nextLeast++] ?? 0
  }

  /** Who gives the next partition; undefined when all were excluded. */
  nextMostLoaded(): number | undefined {
    if (this.#nextMost < this.#mostStart) {
      const isEmpty = this.#mostEnd <= this.#mostStart
      // Where all of the range were excluded, the next level may lie several steps below.
      this.#mostLevel =
        isEmpty && this.#mostStart > 0 ? this.#loadAt(this.#mostStart - 1) : this.#mostLevel - 1
      while (this.#mostStart > 0 && this.#loadAt(this.#mostStart - 1) === this.#mostLevel)
        this.#mostStart--
      this.#nextMost = this.#mostEnd - 1
    }
    return this.#nextMost < 0 ? undefined : this.#sorted[this.#nextMost--]
  }

  /** The member that was named last has nothing to give. */
  excludeMostLoaded(): void {
    const sorted = this.#sorted
    const [at, last] = [this.#nextMost + 1, this.#mostEnd - 1]
    const excluded = sorted[at] ?? 0
    sorted[at] = sorted[last] ?? 0
    sorted[last] = excluded
    this.#mostEnd--
  }

  /** The member has taken (1) or given (-1) a partition. */
  add(member: number, change: 1 | -1): void {
    this.#loads[member] = this.#load(member) + change
  }

  #load(member: number): number {
    return this.#loads[member] ?? 0
  }

  #loadAt(at: number): number {
    return this.#load(this.#sorted[at] ?? 0)
  }
}
