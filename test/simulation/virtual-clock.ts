// Time that moves only when a test says so.
import type { Clock, Timer } from '#storage/base/world.ts'

interface PendingTimer {
  readonly dueMs: number
  readonly order: number
  readonly action: () => void
}

/** Starts at `nowMs` (default: 2024-01-01). Timers fire inside `advance`, in order of their time, then of their setting. */
export class VirtualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  #order = 0
  readonly #timers = new Set<PendingTimer>()

  constructor(nowMs = 1_704_067_200_000) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, action }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** How many timers are set. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Moves time on and fires what falls due, timers set by fired timers included. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms
    for (let next = this.#next(); next !== undefined && next.dueMs <= end; next = this.#next()) {
      this.#fire(next)
    }
    this.#moveTo(end)
  }

  /** Jumps to the next timer and fires it alone. False when none is set. */
  step(): boolean {
    const next = this.#next()
    if (next === undefined) return false
    this.#fire(next)
    return true
  }

  /** As `advance`, in steps of one timer, giving promises their turn after each: for code that awaits between timers. */
  async run(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms
    await settle()
    for (let next = this.#next(); next !== undefined && next.dueMs <= end; next = this.#next()) {
      this.#fire(next)
      await settle()
    }
    this.#moveTo(end)
    await settle()
  }

  /** Waits for `work`, and lets time go on in steps of `stepMs` until it has settled. */
  async drive<T>(work: Promise<T>, stepMs = 1): Promise<T> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    await settle()
    while (!isDone) await this.run(stepMs)
    return await work
  }

  /** Sets the wall clock, as an administrator or NTP does. Timers and `monotonic` do not notice. */
  setNow(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #next(): PendingTimer | undefined {
    let first: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (first === undefined || isBefore(timer, first)) first = timer
    }
    return first
  }

  #fire(timer: PendingTimer): void {
    this.#timers.delete(timer)
    this.#moveTo(timer.dueMs)
    timer.action()
  }

  #moveTo(monotonicMs: number): void {
    // An action may itself have advanced the clock.
    const passed = Math.max(0, monotonicMs - this.#monotonicMs)
    this.#monotonicMs += passed
    this.#nowMs += passed
  }
}

function isBefore(a: PendingTimer, b: PendingTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

/** Lets every promise that can settle without the outside world do so: one turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
