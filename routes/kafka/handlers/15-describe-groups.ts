// DescribeGroups: the state and the members of classic groups.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '#src/protocol/messages/15-describe-groups.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api, type RequestContext } from '../api.ts'
import { messageOf } from '../outcome.ts'

/** From here on a group that does not exist is an error; before, it is dead. */
const NOT_FOUND_SINCE = 6

/** Each group by itself. */
export const describeGroups = api({
  request: DescribeGroupsRequest,
  response: DescribeGroupsResponse,
  async handle(context, { groups, includeAuthorizedOperations }) {
    const { broker, session } = context
    const described = groups.map(async (groupId) => {
      const group = await describe(context, groupId)
      if (!includeAuthorizedOperations || group.errorCode !== NO_ERROR) return group
      const authorizedOperations = broker.groups.authorizedOperations(session, groupId)
      return { ...group, authorizedOperations }
    })
    return { throttleTimeMs: 0, groups: await Promise.all(described) }
  },
  refuse: (error, { groups }, { version }) => ({
    throttleTimeMs: 0,
    groups: groups.map((groupId) => refused(groupId, error, version)),
  }),
})

async function describe({ broker, session, version }: RequestContext, groupId: string) {
  try {
    const group = await broker.groups.describeClassic(session, groupId)
    return { errorCode: NO_ERROR, ...group }
  } catch (error) {
    if (error instanceof KafkaError) return refused(groupId, error, version)
    throw error
  }
}

function refused(groupId: string, error: KafkaError, version: number) {
  const isUnknown = error.code === 'GROUP_ID_NOT_FOUND'
  return {
    errorCode: isUnknown && version < NOT_FOUND_SINCE ? NO_ERROR : errorCode(error.code),
    ...(version >= NOT_FOUND_SINCE && { errorMessage: messageOf(error) }),
    groupId,
    groupState: isUnknown ? 'Dead' : '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}
