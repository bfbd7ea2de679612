// Many deadlines on one timer: what waits is mostly done long before its time is up.
import type { Clock, Timer } from '#storage/base/world.ts'

/** How much later than asked for an action may run. */
const GRANULARITY_MS = 5

/**
 * Runs actions when their time has come, up to 5 ms late. However many there are, one timer runs for all of them, and
 * taking one back costs no more than a deletion from a set.
 */
export class Deadlines {
  readonly #clock: Clock
  /** By due time in units of the granularity. */
  readonly #due = new Map<number, Set<() => void>>()
  #armed: { readonly tick: number; readonly timer: Timer } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `action` once after `delayMs`, unless the returned function is called before. */
  add(delayMs: number, action: () => void): () => void {
    const tick = Math.ceil((this.#clock.monotonic() + delayMs) / GRANULARITY_MS)
    let actions = this.#due.get(tick)
    if (!actions) {
      actions = new Set()
      this.#due.set(tick, actions)
    }
    actions.add(action)
    if (!this.#armed || tick < this.#armed.tick) this.#arm(tick)
    return () => this.#remove(tick, action)
  }

  /** Takes all actions back. */
  clear(): void {
    this.#due.clear()
    this.#armed?.timer.cancel()
    this.#armed = undefined
  }

  #remove(tick: number, action: () => void): void {
    const actions = this.#due.get(tick)
    if (!actions?.delete(action) || actions.size > 0) return
    this.#due.delete(tick)
    // The timer stays for whoever comes next, unless nobody is left.
    if (this.#due.size === 0) this.clear()
  }

  #arm(tick: number): void {
    this.#armed?.timer.cancel()
    const delayMs = Math.max(0, tick * GRANULARITY_MS - this.#clock.monotonic())
    this.#armed = { tick, timer: this.#clock.after(delayMs, () => this.#fire()) }
  }

  #fire(): void {
    this.#armed = undefined
    // A timer may come a little early.
    const now = Math.floor((this.#clock.monotonic() + 1) / GRANULARITY_MS)
    for (const [tick, actions] of this.#due) {
      if (tick > now) continue
      this.#due.delete(tick)
      for (const action of actions) action()
    }
    if (this.#due.size > 0) this.#arm(Math.min(...this.#due.keys()))
  }
}
