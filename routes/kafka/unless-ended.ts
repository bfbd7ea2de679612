// Waits that outlive neither the connection nor the broker.
import { KafkaError } from '#storage/base/errors.ts'

/**
 * What `answer` comes to. Rejects with COORDINATOR_NOT_AVAILABLE, which makes a client look for its coordinator again,
 * as soon as `signal` aborts; what the answer comes to later is nobody's business then. The work behind it goes on, but
 * an early answer gives the bytes of its request back: what that work reads must be its own, copied before it begins.
 */
export async function unlessEnded<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  let abort: (() => void) | undefined
  const ended = new Promise<never>((_, reject) => {
    abort = () => {
      reject(new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The connection or the broker has ended'))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([answer, ended])
  } finally {
    if (abort) signal.removeEventListener('abort', abort)
  }
}
