// How long the coordinator waits for the members of consumer groups: not logged, begun anew when a shard is loaded.
import type { Clock } from '#storage/base/world.ts'
import type { Deadlines } from '../../partitions/deadlines.ts'

/** What a member has failed to do in time. */
export type Overdue = 'heartbeat' | 'revoke' | 'rejoin' | 'sync'

/** Whose timer it is. */
export interface TimedMember {
  readonly groupId: string
  readonly memberId: string
}

interface Timers {
  /** When the session ends, on the monotonic clock. */
  sessionEndMs: number
  /** When the session's timer looks next; it need not be moved for every heartbeat. */
  sessionLookMs: number
  cancelSession: (() => void) | undefined
  readonly others: Map<Overdue, () => void>
}

/** Called when a wait is over. `epoch` is that of the member when it was told to revoke. */
export type OnOverdue = (who: TimedMember, overdue: Overdue, epoch: number | undefined) => void

/** The timers of all members of a shard's consumer groups. A heartbeat costs two look-ups and an assignment. */
export class MemberTimers {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #onOverdue: OnOverdue
  readonly #groups = new Map<string, Map<string, Timers>>()

  constructor(world: { clock: Clock; deadlines: Deadlines }, onOverdue: OnOverdue) {
    this.#clock = world.clock
    this.#deadlines = world.deadlines
    this.#onOverdue = onOverdue
  }

  /** The member was heard of. */
  keepSession(who: TimedMember, timeoutMs: number): void {
    const timers = this.#timersOf(who)
    timers.sessionEndMs = this.#clock.monotonic() + timeoutMs
    if (timers.sessionEndMs < timers.sessionLookMs) this.#lookAtSession(who, timers)
  }

  /** As `keepSession`, unless the member is waited for already. */
  beginSession(who: TimedMember, timeoutMs: number): void {
    if (this.#timersOf(who).cancelSession === undefined) this.keepSession(who, timeoutMs)
  }

  /** From now on the member has `timeoutMs` to do what it should, counted anew when it was waited for already. */
  start(who: TimedMember, overdue: Overdue, timeoutMs: number, epoch?: number): void {
    this.stop(who, overdue)
    const { others } = this.#timersOf(who)
    const fire = (): void => {
      others.delete(overdue)
      this.#onOverdue(who, overdue, epoch)
    }
    others.set(overdue, this.#deadlines.add(timeoutMs, fire))
  }

  /** As `start`, unless it is waited for already. */
  startOnce(who: TimedMember, overdue: Overdue, timeoutMs: number, epoch?: number): void {
    if (!this.#timersOf(who).others.has(overdue)) this.start(who, overdue, timeoutMs, epoch)
  }

  /** The member has done what it should. */
  stop({ groupId, memberId }: TimedMember, overdue: Overdue): void {
    const others = this.#groups.get(groupId)?.get(memberId)?.others
    others?.get(overdue)?.()
    others?.delete(overdue)
  }

  /** The member is gone. */
  forget({ groupId, memberId }: TimedMember): void {
    const members = this.#groups.get(groupId)
    const timers = members?.get(memberId)
    if (timers) cancel(timers)
    members?.delete(memberId)
    if (members?.size === 0) this.#groups.delete(groupId)
  }

  /** The group is gone. */
  forgetGroup(groupId: string): void {
    for (const timers of this.#groups.get(groupId)?.values() ?? []) cancel(timers)
    this.#groups.delete(groupId)
  }

  /** All are gone. */
  clear(): void {
    for (const groupId of [...this.#groups.keys()]) this.forgetGroup(groupId)
  }

  #timersOf({ groupId, memberId }: TimedMember): Timers {
    let members = this.#groups.get(groupId)
    if (members === undefined) {
      members = new Map()
      this.#groups.set(groupId, members)
    }
    let timers = members.get(memberId)
    if (timers === undefined) {
      timers = {
        sessionEndMs: Infinity,
        sessionLookMs: Infinity,
        cancelSession: undefined,
        others: new Map(),
      }
      members.set(memberId, timers)
    }
    return timers
  }

  #lookAtSession(who: TimedMember, timers: Timers): void {
    timers.cancelSession?.()
    timers.sessionLookMs = timers.sessionEndMs
    const delayMs = timers.sessionEndMs - this.#clock.monotonic()
    timers.cancelSession = this.#deadlines.add(delayMs, () => {
      timers.cancelSession = undefined
      if (timers.sessionEndMs > this.#clock.monotonic()) {
        this.#lookAtSession(who, timers)
        return
      }
      timers.sessionLookMs = Infinity
      this.#onOverdue(who, 'heartbeat', undefined)
    })
  }
}

function cancel(timers: Timers): void {
  timers.cancelSession?.()
  for (const stop of timers.others.values()) stop()
}
