// Heartbeat: a member of a classic group says that it is alive.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { HeartbeatRequest, HeartbeatResponse } from '#src/protocol/messages/12-heartbeat.ts'
import { api } from '../api.ts'

/** While its group is still being loaded nobody can say more than that all is well: sessions begin when it is. */
export const heartbeat = api({
  request: HeartbeatRequest,
  response: HeartbeatResponse,
  handle: ({ broker, session }, request) => broker.groups.heartbeat(session, request),
  refuse: ({ code }) => ({
    throttleTimeMs: 0,
    errorCode: code === 'COORDINATOR_LOAD_IN_PROGRESS' ? NO_ERROR : errorCode(code),
  }),
})
