// When a classic group goes from one state to the next, whatever made it do so.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { GroupParts } from '../group-parts.ts'
import { joinAnswer, joinRefusal, syncRefusal } from './answers.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'
import { type Effect, NOTHING, planOf } from './effect.ts'

/** When what could not be written is tried again. */
const RETRY_MS = 1000

/** The steps of a rebalance. Each changes the group at once, and returns what of it the log has to hold. */
export class Rebalancing {
  readonly #parts: GroupParts

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  /** Takes a step that no request asked for. What can't be written is the group's to bear: `settled` tells it. */
  begin(step: () => Effect): void {
    this.#parts.host
      .write(() => planOf(step(), undefined))
      .catch((error: unknown) => {
        if (!(error instanceof KafkaError)) throw error
      })
  }

  /** Somebody came, went or changed: begins a rebalance, or takes the one that runs a step on. */
  advance(group: ClassicGroup): Effect {
    return group.isInState('PreparingRebalance')
      ? this.completeIfAllJoined(group)
      : this.prepare(group)
  }

  /** Begins a rebalance: all members have to join again. The first one waits for whoever else is about to come. */
  prepare(group: ClassicGroup): Effect {
    if (group.isInState('CompletingRebalance')) this.refuseSyncs(group, 'REBALANCE_IN_PROGRESS')
    group.expectNoSyncs()
    const isInitial = group.isEmpty
    group.transitionTo('PreparingRebalance')
    if (isInitial) {
      const delayMs = this.#initialDelayMs
      this.#waitForMore(group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
      return NOTHING
    }
    if (group.hasAllJoined) return this.complete(group)
    this.#waitForMembers(group)
    return NOTHING
  }

  /** Ends the join phase if nobody is missing; the first one of a group has a time of its own. */
  completeIfAllJoined(group: ClassicGroup): Effect {
    const isDue =
      group.isInState('PreparingRebalance') && group.previousState !== 'Empty' && group.hasAllJoined
    return isDue ? this.complete(group) : NOTHING
  }

  /** Ends the join phase. Dynamic members that have not joined are out; static ones may be on their way back. */
  complete(group: ClassicGroup): Effect {
    if (!group.isInState('PreparingRebalance')) return NOTHING
    group.joinAlarm.cancel()
    const missing = [...group.members.values()].filter((one) => !one.awaitingJoin && !one.isStatic)
    for (const { memberId } of missing) group.remove(memberId)
    if (!group.electJoinedLeader() && group.members.size > 0) {
      // Only static members are left, and none has come: their sessions decide.
      this.#waitForMembers(group)
      return NOTHING
    }
    group.beginGeneration()
    if (group.isEmpty) return this.#recordEmpty(group)
    for (const member of group.members.values()) {
      group.answerJoin(member, joinAnswer(group, member.memberId))
      member.isNew = false
      group.renewSession(member)
      group.expectSync(member.memberId, true)
    }
    const { generationId } = group
    group.syncAlarm.set(group.rebalanceTimeoutMs, () =>
      this.begin(() => this.#removeUnsynced(group, generationId)),
    )
    return NOTHING
  }

  /** A member, or who was told an id and didn't join with it, has been silent for too long. */
  expire(group: ClassicGroup, memberId: string): Effect {
    const member = group.members.get(memberId)
    if (member?.isWaiting) return NOTHING
    if (member) this.refuseWaiting(group, member)
    else if (!group.isPending(memberId)) return NOTHING
    group.remove(memberId)
    if (member && group.isInState('Stable', 'CompletingRebalance')) return this.prepare(group)
    return group.isInState('PreparingRebalance') && group.hasAllJoined
      ? this.complete(group)
      : NOTHING
  }

  /** Answers what waits of a member that is about to be removed: should its client still be there, it begins anew. */
  refuseWaiting(group: ClassicGroup, member: ClassicMember): void {
    group.answerJoin(member, joinRefusal('', 'UNKNOWN_MEMBER_ID'))
    group.answerSync(member, syncRefusal('UNKNOWN_MEMBER_ID'))
  }

  /** Takes all assignments back and refuses the syncs that wait. */
  refuseSyncs(group: ClassicGroup, code: KafkaErrorName): void {
    const refusal = syncRefusal(code)
    for (const member of group.members.values()) {
      member.unassign()
      // Its session may have ended while it waited.
      if (group.answerSync(member, refusal)) group.renewSession(member)
    }
  }

  /** Removes the group from the shard and refuses all that waits. */
  bury(group: ClassicGroup, code: KafkaErrorName): void {
    const refusal = syncRefusal(code)
    for (const member of group.members.values()) {
      group.answerJoin(member, joinRefusal(member.memberId, code))
      group.answerSync(member, refusal)
    }
    group.die()
    this.#parts.groups.delete(group.groupId)
  }

  get #initialDelayMs(): number {
    return this.#parts.configs.broker.number('group.initial.rebalance.delay.ms')
  }

  #waitForMembers(group: ClassicGroup): void {
    group.joinAlarm.set(group.rebalanceTimeoutMs, () => this.begin(() => this.complete(group)))
  }

  /** Waits `delayMs`; should somebody have come by then, for as long again, but not beyond `remainingMs`. */
  #waitForMore(group: ClassicGroup, delayMs: number, remainingMs: number): void {
    group.joinAlarm.set(delayMs, () => {
      if (!group.hasNewMember || remainingMs === 0) {
        this.begin(() => this.complete(group))
        return
      }
      group.hasNewMember = false
      const nextMs = Math.min(this.#initialDelayMs, remainingMs)
      this.#waitForMore(group, nextMs, Math.max(remainingMs - delayMs, 0))
    })
  }

  /** That all have left, told to the log until it takes it or somebody comes: else they would all be back after a load. */
  #recordEmpty(group: ClassicGroup): Effect {
    const { generationId } = group
    const again = (): Effect =>
      group.isEmpty && group.generationId === generationId ? this.#recordEmpty(group) : NOTHING
    const settled: Effect['settled'] = (error) => {
      if (error && group.isEmpty) group.joinAlarm.set(RETRY_MS, () => this.begin(again))
    }
    return { records: [group.record()], settled }
  }

  #removeUnsynced(group: ClassicGroup, generationId: number): Effect {
    const isLate =
      group.generationId === generationId &&
      group.isInState('CompletingRebalance', 'Stable') &&
      group.pendingSyncs.size > 0
    if (!isLate) return NOTHING
    for (const memberId of [...group.pendingSyncs]) group.remove(memberId)
    return this.prepare(group)
  }
}
