// How far a start is with its logs, told every few seconds: a recovery may take minutes, and no door is open meanwhile.
import type { Clock, Timer } from './base/world.ts'

/** How far the loading of logs is. */
export interface LoadingProgress {
  /** Found in all log directories. */
  readonly logs: number
  /** Open, set aside, or given up. */
  readonly loadedLogs: number
  /** Read and verified so far; nobody knows how many there will be. */
  readonly scannedBytes: number
  readonly elapsedMs: number
}

/** How often it is told. */
const INTERVAL_MS = 5_000

/** Counts what the loaders of all log directories have done, and tells it by the clock until `stop`. */
export class LoadingTally {
  readonly #clock: Clock
  readonly #tell: (progress: LoadingProgress) => void
  readonly #startedAt: number
  #timer: Timer
  #logs = 0
  #loadedLogs = 0
  #scannedBytes = 0

  constructor(clock: Clock, tell: (progress: LoadingProgress) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#startedAt = clock.monotonic()
    this.#timer = this.#again()
  }

  /** A directory holds so many logs. */
  found(logs: number): void {
    this.#logs += logs
  }

  /** One of them is done with. */
  loaded(): void {
    this.#loadedLogs++
  }

  /** So many bytes more were verified. */
  scanned(bytes: number): void {
    this.#scannedBytes += bytes
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#timer.cancel()
  }

  #again(): Timer {
    return this.#clock.after(INTERVAL_MS, () => {
      this.#tell({
        logs: this.#logs,
        loadedLogs: this.#loadedLogs,
        scannedBytes: this.#scannedBytes,
        elapsedMs: this.#clock.monotonic() - this.#startedAt,
      })
      this.#timer = this.#again()
    })
  }
}

/**
 * Loads log directories at the same time, since each has a disk of its own, and tells how far they are. Waits for all of
 * them, also when one fails; then rejects as the first of those did.
 */
export async function loadSideBySide(
  clock: Clock,
  tell: ((progress: LoadingProgress) => void) | undefined,
  load: (tally: LoadingTally) => readonly Promise<void>[],
): Promise<void> {
  await telling(clock, tell, async (tally) => {
    const results = await Promise.allSettled(load(tally))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  })
}

/** Does one thing, and tells how far it is. */
export async function telling<T>(
  clock: Clock,
  tell: ((progress: LoadingProgress) => void) | undefined,
  work: (tally: LoadingTally) => Promise<T>,
): Promise<T> {
  const tally = new LoadingTally(clock, tell ?? (() => undefined))
  try {
    return await work(tally)
  } finally {
    tally.stop()
  }
}
