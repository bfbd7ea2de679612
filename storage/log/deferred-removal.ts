// Removes the files of deleted segments, once nobody can be reading them any more.
import type { Timer } from '../base/world.ts'
import type { Segment } from '../segment/segment.ts'
import type { LogEnvironment } from './log-parts.ts'

/** Segments that were deleted and whose files still stand. What a stop leaves, the next start removes. */
export class DeferredRemoval {
  readonly #environment: LogEnvironment
  readonly #timers = new Set<Timer>()
  /** With the new names of their files. */
  readonly #hidden = new Map<Segment, readonly string[]>()

  constructor(environment: LogEnvironment) {
    this.#environment = environment
  }

  /**
   * Gives the segment's files names that no start takes for a segment; a second time, it changes nothing. When it is refused,
   * nothing has changed.
   */
  hide(segment: Segment): void {
    if (this.#hidden.has(segment)) return
    this.#environment.maps.evict(segment.path)
    this.#hidden.set(segment, segment.markDeleted())
  }

  /** Hides the segment, and removes its files after `delayMs`. */
  add(segment: Segment, delayMs: number): void {
    const { files, clock, pool, maps } = this.#environment
    this.hide(segment)
    const paths = this.#hidden.get(segment) ?? []
    this.#hidden.delete(segment)
    const timer = clock.after(delayMs, () => {
      this.#timers.delete(timer)
      for (const path of paths) {
        pool.evict(path)
        maps.evict(path)
        removeQuietly(files, path)
      }
    })
    this.#timers.add(timer)
  }

  /** Leaves the rest to the next start. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}

/** Nobody waits for the outcome, and the next start tries again. */
function removeQuietly(files: LogEnvironment['files'], path: string): void {
  try {
    files.remove(path)
  } catch {
    // See above.
  }
}
