// Who loads when: shards take turns, a small piece each, and the loop has its turn in between.
import { TimeSlices } from '#storage/base/time-slices.ts'
import type { Clock } from '#storage/base/world.ts'

/** Runs pieces of work one after the other, in the order in which they were handed in, without stalling the loop. */
export class LoadTurns {
  readonly #slices: TimeSlices
  #last: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock) {
    this.#slices = new TimeSlices(clock)
  }

  /** What the piece comes to, as soon as it had its turn. */
  take<T>(piece: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      await this.#slices.breathe()
      return await piece()
    })
    // The next one has its turn whatever this one comes to.
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
