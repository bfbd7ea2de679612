// Directories of deleted partitions that go a while later.
import type { Clock, Timer } from './base/world.ts'
import type { Files } from './fs/files.ts'

/** Removes directories after a delay. What is left at the end is removed at the next start, by its name. */
export class DelayedRemovals {
  readonly #files: Files
  readonly #clock: Clock
  readonly #onProblem: (error: unknown) => void
  readonly #timers = new Set<Timer>()

  /** `onProblem` hears of removals that failed: the next start tries them again. */
  constructor(files: Files, clock: Clock, onProblem: (error: unknown) => void) {
    this.#files = files
    this.#clock = clock
    this.#onProblem = onProblem
  }

  /** Removes `path` after `delayMs`, unless `isUnwanted` says otherwise then. */
  add(path: string, delayMs: number, isUnwanted: () => boolean): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      try {
        if (!isUnwanted()) this.#files.removeDirectory(path)
      } catch (error) {
        this.#onProblem(error)
      }
    })
    this.#timers.add(timer)
  }

  /** Leaves everything that is still there. */
  cancel(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
