// How many have something.

/** Counts by name; what nobody has is not in it. */
export class Counts {
  readonly #counts: Map<string, number>

  constructor(counts: Iterable<readonly [string, number]> = []) {
    this.#counts = new Map(counts)
  }

  /** One more for each. */
  add(names: Iterable<string>): void {
    for (const name of names) this.#counts.set(name, this.of(name) + 1)
  }

  /** One less for each. */
  remove(names: Iterable<string>): void {
    for (const name of names) {
      const count = this.of(name)
      if (count <= 1) this.#counts.delete(name)
      else this.#counts.set(name, count - 1)
    }
  }

  /** How many have it. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** What at least one has. */
  names(): Iterable<string> {
    return this.#counts.keys()
  }

  /** How many names there are. */
  get size(): number {
    return this.#counts.size
  }

  /** The same counts, to be changed apart from these. */
  copy(): Counts {
    return new Counts(this.#counts)
  }
}
