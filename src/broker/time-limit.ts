// The time that a client gives a change: beyond it, it is told so, and the change goes its way.
import { KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'

/** Runs a change and waits for it at most `timeoutMs`. Rejects with REQUEST_TIMED_OUT; with no time at all nothing is begun. */
export function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  change: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => {
      reject(new KafkaError('REQUEST_TIMED_OUT', `It took longer than ${timeoutMs} ms`))
    }
    if (timeoutMs <= 0) return late()
    const timer = clock.after(timeoutMs, late)
    change()
      .finally(() => timer.cancel())
      .then(resolve, reject)
  })
}
