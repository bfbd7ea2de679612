// Many deadlines on one timer: what waits is mostly done long before its time is up.
import type { Clock, Timer } from '#storage/base/world.ts'
import { TickHeap } from './tick-heap.ts'

/** How much later than asked for an action may run. */
const GRANULARITY_MS = 5

/** An action, which may have been added more than once. */
interface Deadline {
  readonly action: () => void
}

/**
 * Runs actions when their time has come, up to 5 ms late. However many there are, one timer runs for all of them, and
 * taking one back costs no more than a deletion from a set. What an action adds runs in a later turn of the loop.
 */
export class Deadlines {
  readonly #clock: Clock
  /** By due time in units of the granularity. Where all were taken back, the set stays until its time, or till none are left. */
  readonly #due = new Map<number, Set<Deadline>>()
  /** The keys of `#due`. */
  readonly #ticks = new TickHeap()
  #count = 0
  #armed: { readonly tick: number; readonly timer: Timer } | undefined
  /** The last tick that is running now. */
  #running = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `action` once after `delayMs`, unless the returned function is called before. */
  add(delayMs: number, action: () => void): () => void {
    const dueTick = Math.ceil((this.#clock.monotonic() + delayMs) / GRANULARITY_MS)
    const tick = Math.max(dueTick, this.#running + 1)
    let deadlines = this.#due.get(tick)
    if (!deadlines) {
      deadlines = new Set()
      this.#due.set(tick, deadlines)
      this.#ticks.add(tick)
    }
    const deadline: Deadline = { action }
    deadlines.add(deadline)
    this.#count++
    if (!this.#armed || tick < this.#armed.tick) this.#arm(tick)
    return () => this.#remove(tick, deadline)
  }

  /** Takes all actions back. */
  clear(): void {
    for (const deadlines of this.#due.values()) deadlines.clear()
    this.#due.clear()
    this.#ticks.clear()
    this.#count = 0
    this.#armed?.timer.cancel()
    this.#armed = undefined
  }

  #remove(tick: number, deadline: Deadline): void {
    if (!this.#due.get(tick)?.delete(deadline)) return
    this.#count--
    // The timer stays for whoever comes next, unless nobody is left.
    if (this.#count === 0) this.clear()
  }

  #arm(tick: number): void {
    this.#armed?.timer.cancel()
    const delayMs = Math.max(0, tick * GRANULARITY_MS - this.#clock.monotonic())
    this.#armed = { tick, timer: this.#clock.after(delayMs, () => this.#fire()) }
  }

  #fire(): void {
    this.#armed = undefined
    // A timer may come a little early.
    this.#running = Math.floor((this.#clock.monotonic() + 1) / GRANULARITY_MS)
    try {
      for (let tick = this.#ticks.least; tick !== undefined; tick = this.#ticks.least) {
        if (tick > this.#running) break
        this.#run(tick)
      }
    } finally {
      this.#running = Number.NEGATIVE_INFINITY
      this.#armForNext()
    }
  }

  #armForNext(): void {
    if (this.#count === 0) this.clear()
    const { least } = this.#ticks
    if (least !== undefined && (!this.#armed || least < this.#armed.tick)) this.#arm(least)
  }

  /** Each before its action: that may take others back, even all of them, or throw. */
  #run(tick: number): void {
    const deadlines = this.#due.get(tick) ?? new Set()
    for (const deadline of deadlines) {
      deadlines.delete(deadline)
      this.#count--
      deadline.action()
    }
    if (this.#due.get(tick) !== deadlines) return
    this.#due.delete(tick)
    this.#ticks.removeLeast()
  }
}
