// How long the event loop is held up, for /metrics.
import type { Clock } from '#storage/base/world.ts'

/** Upper bounds in seconds. */
const BOUNDS = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3,
  0.5, 1,
]
const TICK_MS = 5
/** Prometheus asks every minute at the rarest that makes sense. */
const ASKED_WITHIN_MS = 120_000

/** Delays that were at most so long: `le` is in seconds, as Prometheus writes it, `+Inf` for all. */
export interface DelayCount {
  readonly le: string
  readonly count: number
}

/**
 * A timer that fires every few milliseconds and sees how late it is. It runs only while somebody asks: from the first
 * look until two minutes after the last, since waking up for nobody would be most of what an idle broker does.
 */
export class LoopWatch {
  readonly #clock: Clock
  readonly #counts = new Array<number>(BOUNDS.length + 1).fill(0)
  #isTicking = false
  #askedAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The delays since the first look, cumulative by their bounds. */
  delays(): DelayCount[] {
    this.#askedAt = this.#clock.monotonic()
    if (!this.#isTicking) this.#tick(this.#askedAt)
    let sum = 0
    return this.#counts.map((count, index) => {
      sum += count
      return { le: BOUNDS[index]?.toString() ?? '+Inf', count: sum }
    })
  }

  #tick(now: number): void {
    this.#isTicking = now - this.#askedAt < ASKED_WITHIN_MS
    if (!this.#isTicking) return
    const due = now + TICK_MS
    this.#clock.after(TICK_MS, () => {
      const fired = this.#clock.monotonic()
      const late = (fired - due) / 1000
      const index = BOUNDS.findIndex((bound) => late <= bound)
      const slot = index === -1 ? BOUNDS.length : index
      this.#counts[slot] = (this.#counts[slot] ?? 0) + 1
      this.#tick(fired)
    })
  }
}
