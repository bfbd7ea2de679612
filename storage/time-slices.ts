// Long work on the loop, cut into slices.
import { nextTurn } from './base/event-loop.ts'
import type { Clock } from './base/world.ts'

/** How long the loop may be held at a time. */
const SLICE_MS = 8

/** Keeps work that never waits by itself from stalling the loop: `await breathe()` after each small piece of it. */
export class TimeSlices {
  readonly #clock: Clock
  #startedAt: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAt = clock.monotonic()
  }

  /** Lets others have the loop when the slice is used up. */
  async breathe(): Promise<void> {
    if (this.#clock.monotonic() - this.#startedAt < SLICE_MS) return
    await nextTurn()
    this.#startedAt = this.#clock.monotonic()
  }
}
