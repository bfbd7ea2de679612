// LeaveGroup: members leave a classic group, or are sent away.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from '#src/protocol/messages/13-leave-group.ts'
import { api } from '../api.ts'

/** From here on a request names several members, and each has an outcome. */
const MEMBERS_SINCE = 3

/** Before v3 the outcome of the one member is that of the request. */
export const leaveGroup = api({
  request: LeaveGroupRequest,
  response: LeaveGroupResponse,
  async handle({ broker, session, version }, request) {
    if (version >= MEMBERS_SINCE) return broker.groups.leave(session, request)
    const { memberId } = request
    const members = [{ memberId, groupInstanceId: null, reason: null }]
    const answer = await broker.groups.leave(session, { ...request, members })
    const outcome = answer.members[0]?.errorCode ?? NO_ERROR
    return { ...answer, errorCode: answer.errorCode || outcome, members: [] }
  },
  refuse: ({ code }) => ({ throttleTimeMs: 0, errorCode: errorCode(code), members: [] }),
})
