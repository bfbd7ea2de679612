// Purgatory: callers that wait until there is something to read.
import type { Clock } from '#storage/base/world.ts'

/** Something that a waiter can watch: a position in one partition. */
export interface Watched {
  /** True when a read at the position would give records, or fail: the waiter has to look. */
  isReady(): boolean
  /** Calls `wake` whenever that may have changed; returns how to stop that. */
  watch(wake: () => void): () => void
}

/**
 * Resolves with true as soon as any target is ready, with false when `waitMs` have passed or `signal` aborts.
 * Between the call and the answer it holds one timer and one entry per target, and runs only when a target moves.
 */
export function waitForAny(
  clock: Clock,
  targets: readonly Watched[],
  { waitMs, signal }: { waitMs: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  if (targets.some((target) => target.isReady())) return Promise.resolve(true)
  if (waitMs <= 0 || signal?.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const stops = targets.map((target) => target.watch(() => target.isReady() && finish(true)))
    const timer = clock.after(waitMs, () => finish(false))
    const abort = () => finish(false)
    signal?.addEventListener('abort', abort)

    function finish(found: boolean): void {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      for (const stop of stops) stop()
      resolve(found)
    }
  })
}
