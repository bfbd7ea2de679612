// ListGroups: the groups that this broker coordinates.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { ListGroupsRequest, ListGroupsResponse } from '#src/protocol/messages/16-list-groups.ts'
import { api } from '../api.ts'

/** In any order. */
export const listGroups = api({
  request: ListGroupsRequest,
  response: ListGroupsResponse,
  async handle({ broker, session }, { statesFilter: states, typesFilter: types }) {
    const groups = await broker.groups.list(session, { states, types })
    return { throttleTimeMs: 0, errorCode: NO_ERROR, groups }
  },
  refuse: ({ code }) => ({ throttleTimeMs: 0, errorCode: errorCode(code), groups: [] }),
})
