// Long work on the loop, cut into slices.
import { nextTurn } from './event-loop.ts'
import type { Clock } from './world.ts'

/** How long the loop may be held at a time, unless told otherwise. */
const SLICE_MS = 4
/** Microtasks from waking somebody in `breathe` to the end of the piece of work that follows it, and some to spare. */
const STEPS_TO_WORK = 8

/**
 * Keeps work that never waits by itself from stalling the loop: `await breathe()` after each small piece of it. All that
 * goes on at the same time shares one of these: sixteen slices in a row are a stall again.
 */
export class TimeSlices {
  readonly #clock: Clock
  readonly #sliceMs: number
  #startedAt: number
  /** Who waits for the next slice, in order. */
  readonly #waiting: (() => void)[] = []
  #isWaking = false

  constructor(clock: Clock, sliceMs = SLICE_MS) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    this.#startedAt = clock.monotonic()
  }

  /** Lets others have the loop when the slice is used up. */
  async breathe(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    if (!this.#isWaking) void this.#wake()
    await promise
  }

  /** One at a time: were all let go at once, each would work before the first of them had used anything up. */
  async #wake(): Promise<void> {
    this.#isWaking = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      if (this.#clock.monotonic() - this.#startedAt >= this.#sliceMs) {
        await nextTurn()
        this.#startedAt = this.#clock.monotonic()
      }
      next()
      for (let step = 0; step < STEPS_TO_WORK; step++) await Promise.resolve()
    }
    this.#isWaking = false
  }
}
