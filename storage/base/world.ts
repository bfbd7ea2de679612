// What a broker needs of the world besides files and sockets: time and chance. Both are handed in.

/** A timer that has been set. */
export interface Timer {
  /** Stops the timer. Stopping one that has fired or was stopped is allowed. */
  cancel(): void
}

/** Time. The virtual twin for tests is `test/simulation/virtual-clock.ts`. */
export interface Clock {
  /** Milliseconds since the epoch, as records and files carry them. May jump. */
  now(): number
  /** Milliseconds since some fixed moment. Never goes back; for durations. */
  monotonic(): number
  /** Calls `action` once, after `delayMs`. A pending timer does not keep the process alive. */
  after(delayMs: number, action: () => void): Timer
}

/** Chance. A seed makes it repeatable in tests. */
export interface Random {
  /** A float in [0, 1). */
  float(): number
  /** `size` random bytes, at most 65,536. */
  bytes(size: number): Uint8Array
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, action) {
    // Node clamps longer delays to 1 ms; wait in steps of at most 2^31 - 1.
    const longest = 2_147_483_647
    let handle = setTimeout(fire, Math.min(delayMs, longest))
    let left = delayMs
    handle.unref()
    function fire(): void {
      left -= longest
      if (left <= 0) {
        action()
        return
      }
      handle = setTimeout(fire, Math.min(left, longest))
      handle.unref()
    }
    return { cancel: () => clearTimeout(handle) }
  },
}

/** The machine's own source of chance. */
export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
}
