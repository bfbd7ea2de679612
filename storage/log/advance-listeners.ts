// Tells those who wait at a log's end that there is more to see.
import type { LogBounds } from './log-slice.ts'

type Announced = Pick<LogBounds, 'highWatermark' | 'lastStableOffset' | 'logStartOffset'>

/** Calls its listeners when the offsets that bound readers have moved since the last time. */
export class AdvanceListeners {
  readonly #listeners = new Set<() => void>()
  #announced: Announced = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }

  /** Returns the way to stop it. */
  add(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tells all, if anything has moved. */
  announce(now: Announced): void {
    const last = this.#announced
    const isSame =
      last.highWatermark === now.highWatermark &&
      last.lastStableOffset === now.lastStableOffset &&
      last.logStartOffset === now.logStartOffset
    if (isSame) return
    this.#announced = now
    for (const listener of this.#listeners) listener()
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners.clear()
  }
}
