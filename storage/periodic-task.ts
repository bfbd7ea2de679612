// Something done again and again, never twice at a time.
import type { Clock, Timer } from './base/world.ts'

/** Runs `action` every `intervalMs`, counted from the end of one run to the start of the next. */
export class PeriodicTask {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #action: () => Promise<void>
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()
  #isStopped = false

  /** `action` answers its own failures: what it throws is nobody's. */
  constructor(clock: Clock, intervalMs: number, action: () => Promise<void>) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#action = action
    this.#schedule()
  }

  /** Ends it; resolves when a run that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #schedule(): void {
    if (this.#isStopped) return
    this.#timer = this.#clock.after(this.#intervalMs, () => {
      this.#running = this.#action().finally(() => this.#schedule())
    })
  }
}
