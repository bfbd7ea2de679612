// SyncGroup: the leader brings the assignment of a generation, the members fetch theirs.
import type { KafkaErrorName } from '#storage/base/errors.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import { syncAnswer, syncRefusal } from './answers.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicMember } from './classic-member.ts'
import { type Effect, NOTHING, planOf } from './effect.ts'
import type { Rebalancing } from './rebalancing.ts'

type SyncPlan = GroupPlan<SyncGroupResponse>

/** Answers SyncGroup. */
export class Syncing {
  readonly #parts: GroupParts
  readonly #rebalancing: Rebalancing

  constructor(parts: GroupParts, rebalancing: Rebalancing) {
    this.#parts = parts
    this.#rebalancing = rebalancing
  }

  sync(request: SyncGroupRequest): SyncPlan {
    const { groupId, memberId, groupInstanceId } = request
    if (groupId === '') return refusal('INVALID_GROUP_ID')
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ClassicGroup)) return refusal('UNKNOWN_MEMBER_ID')
    const member = group.find(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return refusal(member)
    if (request.generationId !== group.generationId) return refusal('ILLEGAL_GENERATION')
    if (!isConsistent(group, request)) return refusal('INCONSISTENT_GROUP_PROTOCOL')
    if (group.isInState('PreparingRebalance')) return refusal('REBALANCE_IN_PROGRESS')
    const isFirst = group.assignedGeneration !== group.generationId
    const isAssigning =
      group.isInState('CompletingRebalance') && group.isLeader(memberId) && isFirst
    // Before the group is told anything: nothing fails after that.
    const effect = isAssigning ? this.#assignment(group, request) : NOTHING
    group.expectSync(memberId, false)
    if (group.isInState('Stable')) return planOf(NOTHING, syncAnswer(group, member))
    if (isAssigning) group.assignedGeneration = group.generationId
    return planOf(effect, group.parkSync(member))
  }

  /** The group is stable, and everybody answered, as soon as the log has the assignment. */
  #assignment(group: ClassicGroup, { assignments }: SyncGroupRequest): Effect {
    const { generationId } = group
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    const settled: Effect['settled'] = (error) => {
      // Somebody may have come or gone meanwhile: then the next generation is due.
      if (!group.isInState('CompletingRebalance') || group.generationId !== generationId) return
      if (error) {
        this.#rebalancing.refuseSyncs(group, error.code)
        // Nobody has joined yet, so that there is nothing to write.
        this.#rebalancing.advance(group)
        return
      }
      group.transitionTo('Stable')
      for (const member of group.members.values()) {
        // Its session may have ended while it waited.
        if (group.answerSync(member, syncAnswer(group, member))) group.renewSession(member)
      }
    }
    return { records: [group.record(given)], settled }
  }
}

function refusal(code: KafkaErrorName): SyncPlan {
  return planOf(NOTHING, syncRefusal(code))
}

/** A client that names what it thinks was chosen (KIP-559) has to be right. */
function isConsistent(group: ClassicGroup, request: SyncGroupRequest): boolean {
  const { protocolType, protocolName } = request
  return (
    (protocolType === null || protocolType === group.protocolType) &&
    (protocolName === null || group.protocolName === null || protocolName === group.protocolName)
  )
}
