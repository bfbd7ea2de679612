// The answers to JoinGroup and SyncGroup, made in one place.
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'

const NO_BYTES = new Uint8Array(0)

/** A join that came to nothing. `memberId` is the one to come back with; `''` for none. */
export function joinRefusal(memberId: string, code: KafkaErrorName): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** The generation that the member is in. The leader is told of all members, so that it can assign. */
export function joinAnswer(group: ClassicGroup, memberId: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: NO_ERROR,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId,
    skipAssignment: false,
    memberId,
    members: group.isLeader(memberId) ? membersOf(group) : [],
  }
}

/** A sync that came to nothing. */
export function syncRefusal(code: KafkaErrorName): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    protocolType: null,
    protocolName: null,
    assignment: NO_BYTES,
  }
}

/** The member's assignment. */
export function syncAnswer(group: ClassicGroup, { assignment }: ClassicMember): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: NO_ERROR,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment,
  }
}

function membersOf(group: ClassicGroup): JoinGroupResponse['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadata(group.protocolName),
  }))
}
