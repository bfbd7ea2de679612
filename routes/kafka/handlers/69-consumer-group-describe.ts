// ConsumerGroupDescribe: the state and the members of consumer groups (KIP-848).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '#src/protocol/messages/69-consumer-group-describe.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api, type RequestContext } from '../api.ts'
import { messageOf } from '../outcome.ts'

const CLASSIC = 0
const CONSUMER = 1

/** Each group by itself. */
export const consumerGroupDescribe = api({
  request: ConsumerGroupDescribeRequest,
  response: ConsumerGroupDescribeResponse,
  async handle(context, { groupIds, includeAuthorizedOperations }) {
    const { broker, session } = context
    const described = groupIds.map(async (groupId) => {
      const group = await describe(context, groupId)
      if (!includeAuthorizedOperations || group.errorCode !== NO_ERROR) return group
      const authorizedOperations = broker.groups.authorizedOperations(session, groupId)
      return { ...group, authorizedOperations }
    })
    return { throttleTimeMs: 0, groups: await Promise.all(described) }
  },
  refuse: (error, { groupIds }) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => refused(groupId, error)),
  }),
})

async function describe({ broker, session }: RequestContext, groupId: string) {
  try {
    const { members, ...group } = await broker.groups.describeConsumer(session, groupId)
    return {
      errorCode: NO_ERROR,
      ...group,
      members: members.map(({ isClassic, assignment, targetAssignment, ...member }) => ({
        ...member,
        assignment: { topicPartitions: assignment },
        targetAssignment: { topicPartitions: targetAssignment },
        memberType: isClassic ? CLASSIC : CONSUMER,
      })),
    }
  } catch (error) {
    if (error instanceof KafkaError) return refused(groupId, error)
    throw error
  }
}

function refused(groupId: string, error: KafkaError) {
  return {
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
