// SyncGroup: the leader of a classic group brings the assignment, the other members ask for theirs.
import { errorCode } from '#src/protocol/error-codes.ts'
import { SyncGroupRequest, SyncGroupResponse } from '#src/protocol/messages/14-sync-group.ts'
import { api } from '../api.ts'
import { unlessEnded } from '../unless-ended.ts'

/** Answers when the assignment of the generation is in the log. */
export const syncGroup = api({
  request: SyncGroupRequest,
  response: SyncGroupResponse,
  handle: ({ broker, session, signal }, request) =>
    unlessEnded(signal, broker.groups.sync(session, request)),
  refuse: ({ code }) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    protocolType: null,
    protocolName: null,
    assignment: new Uint8Array(0),
  }),
})
