// How fast the cleaner may read and write.
import type { Clock } from '../base/world.ts'

/** The longest wait between two looks at whether it is still worth waiting. */
const LONGEST_WAIT_MS = 250

/** Bytes per second, for all who share it (`log.cleaner.io.max.bytes.per.second`). */
export class Throttle {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number
  /** On the monotonic clock: when all that was taken so far is paid for. */
  #paidAt = 0

  constructor(clock: Clock, bytesPerSecond: () => number) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
  }

  /** As it is now; `Infinity` for no limit. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond()
  }

  /** Takes note of bytes that were read or written; true when a wait is due. */
  take(bytes: number): boolean {
    const now = this.#clock.monotonic()
    this.#paidAt = Math.max(this.#paidAt, now) + (1000 * bytes) / this.#bytesPerSecond()
    // Timers are coarse: small debts are paid together.
    return this.#paidAt - now >= 5
  }

  /** Waits until all is paid for. `check` is called now and then; what it throws ends the wait. */
  async wait(check: () => void): Promise<void> {
    for (;;) {
      check()
      const left = this.#paidAt - this.#clock.monotonic()
      if (left <= 0) return
      await new Promise<void>((resolve) => {
        this.#clock.after(Math.min(left, LONGEST_WAIT_MS), resolve)
      })
    }
  }
}
