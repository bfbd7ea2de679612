// Until when the members of a group are taken to be alive.
import type { Clock } from '#storage/base/world.ts'
import type { Deadlines } from '../../partitions/deadlines.ts'
import { Alarm } from './alarm.ts'

/** A timer may come this much early. */
const SLACK_MS = 1

/**
 * The sessions of a group's members. A heartbeat writes down a time and touches no timer: one alarm is set for the
 * first session to end, and looks, when it rings, which one is the first by then.
 */
export class Sessions {
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #expired: (memberId: string) => void
  /** When each session ends, in the clock's monotonic milliseconds. */
  readonly #ends = new Map<string, number>()
  #alarmAt = Number.POSITIVE_INFINITY

  /** `expired` is told of each session that has ended, and is gone. */
  constructor(
    { clock, deadlines }: { readonly clock: Clock; readonly deadlines: Deadlines },
    expired: (memberId: string) => void,
  ) {
    this.#clock = clock
    this.#alarm = new Alarm(deadlines)
    this.#expired = expired
  }

  /** The session ends `timeoutMs` from now, whenever it would have ended before. */
  renew(memberId: string, timeoutMs: number): void {
    const end = this.#clock.monotonic() + timeoutMs
    this.#ends.set(memberId, end)
    if (end < this.#alarmAt) this.#arm(end)
  }

  /** Forgets the session. */
  drop(memberId: string): void {
    this.#ends.delete(memberId)
    if (this.#ends.size === 0) this.clear()
  }

  clear(): void {
    this.#ends.clear()
    this.#alarm.cancel()
    this.#alarmAt = Number.POSITIVE_INFINITY
  }

  #arm(end: number): void {
    this.#alarmAt = end
    this.#alarm.set(end - this.#clock.monotonic(), () => this.#look())
  }

  #look(): void {
    const now = this.#clock.monotonic() + SLACK_MS
    const expired: string[] = []
    let first = Number.POSITIVE_INFINITY
    for (const [memberId, end] of this.#ends) {
      if (end <= now) expired.push(memberId)
      else first = Math.min(first, end)
    }
    for (const memberId of expired) this.#ends.delete(memberId)
    this.#alarmAt = Number.POSITIVE_INFINITY
    if (first < this.#alarmAt) this.#arm(first)
    for (const memberId of expired) this.#expired(memberId)
  }
}
