// A bound on how much goes on at the same time.

/** Lets so many works run at a time; the rest begin in the order in which they came. */
export class Turnstile {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Runs `work`, at once when there is room. Resolves and rejects as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) return this.#begin(work)
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => this.#begin(work).then(resolve, reject))
    })
  }

  async #begin<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
