// Long work on the loop, cut into slices.
import { nextTurn } from './event-loop.ts'
import type { Clock } from './world.ts'

/** How long the loop may be held at a time, unless told otherwise. */
const SLICE_MS = 4
/** Microtasks from waking somebody in `breathe` to the end of the piece of work that follows it, and some to spare. */
const STEPS_TO_WORK = 8
/** A turn of the loop that takes longer had others' work in it. */
const BUSY_TURN_MS = 0.1
/** The shortest time that timers know. */
const REST_MS = 1

/**
 * Keeps work that never waits by itself from stalling the loop: `await breathe()` after each small piece of it. All that
 * goes on at the same time shares one of these: sixteen slices in a row are a stall again.
 */
export class TimeSlices {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #givesWay: boolean
  #startedAt: number
  /** Who waits for the next slice, in order. */
  readonly #waiting: (() => void)[] = []
  #isWaking = false

  /**
   * With `givesWay`, others who use the loop have it to themselves for a while: work that nobody waits for makes every
   * answer later by a slice or two, and a process that never sleeps is woken late on a busy machine.
   */
  constructor(clock: Clock, sliceMs = SLICE_MS, { givesWay = false } = {}) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    this.#givesWay = givesWay
    this.#startedAt = clock.monotonic()
  }

  /** True when the slice is used up: who asks this first, after each small piece of work, need not `breathe` so often. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#startedAt >= this.#sliceMs
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
      if (this.isOver) {
        await this.#pause()
        this.#startedAt = this.#clock.monotonic()
      }
      next()
      for (let step = 0; step < STEPS_TO_WORK; step++) await Promise.resolve()
    }
    this.#isWaking = false
  }

  async #pause(): Promise<void> {
    const before = this.#clock.monotonic()
    await nextTurn()
    if (!this.#givesWay || this.#clock.monotonic() - before < BUSY_TURN_MS) return
    await new Promise<void>((resolve) => {
      this.#clock.after(REST_MS, resolve)
    })
  }
}
