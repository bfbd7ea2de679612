// SyncGroup: the leader of a classic group brings the assignment, the other members ask for theirs.
import { errorCode } from '#src/protocol/error-codes.ts'
import { SyncGroupRequest, SyncGroupResponse } from '#src/protocol/messages/14-sync-group.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { unlessEnded } from '../unless-ended.ts'

/** From here on a member has to say what it believes to have been chosen (KIP-559). */
const PROTOCOL_SINCE = 5

/** Answers when the assignment of the generation is in the log. */
export const syncGroup = api({
  request: SyncGroupRequest,
  response: SyncGroupResponse,
  handle({ broker, session, version, signal }, request) {
    const { protocolType, protocolName } = request
    if (version >= PROTOCOL_SINCE && (protocolType === null || protocolName === null)) {
      const detail = 'A SyncGroup has to name the protocol and its type'
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', detail)
    }
    // Owned: the group may ask for them when the request has been answered.
    const assignments = request.assignments.map(({ memberId, assignment }) => {
      return { memberId, assignment: assignment.slice() }
    })
    return unlessEnded(signal, broker.groups.sync(session, { ...request, assignments }))
  },
  refuse: ({ code }) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    protocolType: null,
    protocolName: null,
    assignment: new Uint8Array(0),
  }),
})
