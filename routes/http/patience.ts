// One timer for all who wait for the same length of time.
import type { Clock, Timer } from '#storage/base/world.ts'

interface Waiting {
  readonly due: number
  readonly expire: () => void
}

/** Calls whoever has waited for longer than `waitMs`, up to a tenth of that late. The first in is the first out. */
export class Patience {
  readonly #clock: Clock
  readonly #waitMs: number
  readonly #waiting = new Set<Waiting>()
  #timer: Timer | undefined

  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock
    this.#waitMs = waitMs
  }

  /** Settles as `promise` does, or rejects with `reason()` when that takes too long. */
  limit<T>(promise: Promise<T>, reason: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = {
        due: this.#clock.monotonic() + this.#waitMs,
        expire: () => reject(reason()),
      }
      this.#waiting.add(waiting)
      this.#arm()
      const settle = () => this.#waiting.delete(waiting)
      promise.then(
        (value) => {
          settle()
          resolve(value)
        },
        (error: unknown) => {
          settle()
          reject(error)
        },
      )
    })
  }

  /** The timer looks ten times in `waitMs`, and rests when nobody waits. */
  #arm(): void {
    this.#timer ??= this.#clock.after(this.#waitMs / 10, () => {
      this.#timer = undefined
      const now = this.#clock.monotonic()
      for (const waiting of this.#waiting) {
        if (waiting.due > now) break
        this.#waiting.delete(waiting)
        waiting.expire()
      }
      if (this.#waiting.size > 0) this.#arm()
    })
  }
}
