// Turns of the event loop.
import { setImmediate } from 'node:timers'

/** Resolves in the next turn of the event loop, after what waits there: sockets, timers. It keeps the process alive. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
