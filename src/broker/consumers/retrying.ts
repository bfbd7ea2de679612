// Calls on a coordinator that is not quite there, or that is one step ahead of the member.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'

const RETRIES = 20
const RETRY_MS = 50
const PASSING: ReadonlySet<KafkaErrorName> = new Set<KafkaErrorName>([
  'STALE_MEMBER_EPOCH',
  'UNSTABLE_OFFSET_COMMIT',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
])

/** Calls again, for a second at most, while the refusal is one that passes and `isWorthIt`. */
export async function retried<T>(
  clock: Clock,
  call: () => Promise<T>,
  isWorthIt: () => boolean = () => true,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const isPassing = error instanceof KafkaError && PASSING.has(error.code)
      if (!isPassing || tries === RETRIES) throw error
      await pause(clock, RETRY_MS)
      if (!isWorthIt()) throw error
    }
  }
}

/** Resolves when the time has passed. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((done) => void clock.after(ms, done))
}
