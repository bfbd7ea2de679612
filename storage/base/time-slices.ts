// Long work on the loop, cut into slices.
import { nextTurn } from './event-loop.ts'
import type { Clock } from './world.ts'

/** How long the loop may be held at a time, unless told otherwise. */
const SLICE_MS = 4

/**
 * Keeps work that never waits by itself from stalling the loop: `await breathe()` after each small piece of it. All that
 * goes on at the same time shares one of these: sixteen slices in a row are a stall again.
 */
export class TimeSlices {
  readonly #clock: Clock
  readonly #sliceMs: number
  #startedAt: number
  #turn: Promise<void> | undefined

  constructor(clock: Clock, sliceMs = SLICE_MS) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    this.#startedAt = clock.monotonic()
  }

  /** Lets others have the loop when the slice is used up. */
  async breathe(): Promise<void> {
    // Who is woken first may have used up the new slice as well.
    while (this.#clock.monotonic() - this.#startedAt >= this.#sliceMs) {
      this.#turn ??= this.#nextSlice()
      await this.#turn
    }
  }

  async #nextSlice(): Promise<void> {
    await nextTurn()
    this.#turn = undefined
    this.#startedAt = this.#clock.monotonic()
  }
}
