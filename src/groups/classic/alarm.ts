// One action at a time to come.
import type { Deadlines } from '../../partitions/deadlines.ts'

/** Runs an action after a while, unless it is taken back or replaced before. */
export class Alarm {
  readonly #deadlines: Deadlines
  #takeBack: (() => void) | undefined

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines
  }

  get isSet(): boolean {
    return this.#takeBack !== undefined
  }

  /** Sets it; what was set before does not happen. */
  set(delayMs: number, action: () => void): void {
    this.cancel()
    this.#takeBack = this.#deadlines.add(delayMs, () => {
      this.#takeBack = undefined
      action()
    })
  }

  cancel(): void {
    this.#takeBack?.()
    this.#takeBack = undefined
  }
}
