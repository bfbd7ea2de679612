// The least of many numbers that come and go.

/** A binary heap of numbers: adding one and taking the least away cost the logarithm of how many there are. */
export class TickHeap {
  /** Each is at least as large as that at half its place. */
  readonly #ticks: number[] = []

  get least(): number | undefined {
    return this.#ticks[0]
  }

  add(tick: number): void {
    const ticks = this.#ticks
    let at = ticks.push(tick) - 1
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (this.#at(above) <= tick) break
      ticks[at] = this.#at(above)
      at = above
    }
    ticks[at] = tick
  }

  removeLeast(): void {
    const ticks = this.#ticks
    const last = ticks.pop()
    if (last === undefined || ticks.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= ticks.length) break
      if (below + 1 < ticks.length && this.#at(below + 1) < this.#at(below)) below++
      if (this.#at(below) >= last) break
      ticks[at] = this.#at(below)
      at = below
    }
    ticks[at] = last
  }

  clear(): void {
    this.#ticks.length = 0
  }

  #at(place: number): number {
    return this.#ticks[place] ?? 0
  }
}
