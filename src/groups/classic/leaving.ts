// LeaveGroup: members that go by themselves, or are sent away by an administrator.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../protocol/messages/13-leave-group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicMember } from './classic-member.ts'
import { NOTHING, planOf } from './effect.ts'
import type { Rebalancing } from './rebalancing.ts'

/** Who is to go. */
type Leaver = LeaveGroupRequest['members'][number]

/** Answers LeaveGroup. */
export class Leaving {
  readonly #parts: GroupParts
  readonly #rebalancing: Rebalancing

  constructor(parts: GroupParts, rebalancing: Rebalancing) {
    this.#parts = parts
    this.#rebalancing = rebalancing
  }

  /** Each of `members` has an outcome of its own. Throws INVALID_GROUP_ID. */
  leave({ groupId, members }: LeaveGroupRequest): GroupPlan<LeaveGroupResponse> {
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'A group id cannot be empty')
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ClassicGroup)) {
      return planOf(
        NOTHING,
        answerOf(members, () => 'UNKNOWN_MEMBER_ID'),
      )
    }
    const answer = answerOf(members, (leaver) => this.#remove(group, leaver))
    const isChanged = answer.members.some((member) => member.errorCode === NO_ERROR)
    return planOf(isChanged && !group.isEmpty ? this.#rebalancing.advance(group) : NOTHING, answer)
  }

  #remove(group: ClassicGroup, { memberId, groupInstanceId }: Leaver): KafkaErrorName | undefined {
    if (group.isPending(memberId)) {
      group.remove(memberId)
      return undefined
    }
    // An administrator knows a static member by its instance alone.
    const named = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId)
    const member = group.find(memberId === '' ? (named ?? '') : memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return member
    this.#rebalancing.refuseWaiting(group, member)
    group.remove(member.memberId)
    return undefined
  }
}

function answerOf(
  members: readonly Leaver[],
  remove: (leaver: Leaver) => KafkaErrorName | undefined,
): LeaveGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: NO_ERROR,
    members: members.map((leaver) => {
      const code = remove(leaver)
      const { memberId, groupInstanceId } = leaver
      return { memberId, groupInstanceId, errorCode: code ? errorCode(code) : NO_ERROR }
    }),
  }
}
