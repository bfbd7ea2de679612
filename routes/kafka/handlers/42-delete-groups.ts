// DeleteGroups: empty groups are removed with their offsets (KIP-229).
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
} from '#src/protocol/messages/42-delete-groups.ts'
import { KafkaError } from '#storage/base/errors.ts'
import { api, type RequestContext } from '../api.ts'

/** Each group by itself; one that is named twice is deleted once. */
export const deleteGroups = api({
  request: DeleteGroupsRequest,
  response: DeleteGroupsResponse,
  async handle(context, { groupsNames }) {
    const results = [...new Set(groupsNames)].map((groupId) => remove(context, groupId))
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  },
  refuse: ({ code }, { groupsNames }) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({ groupId, errorCode: errorCode(code) })),
  }),
})

async function remove({ broker, session }: RequestContext, groupId: string) {
  try {
    await broker.groups.delete(session, groupId)
    return { groupId, errorCode: NO_ERROR }
  } catch (error) {
    if (error instanceof KafkaError) return { groupId, errorCode: errorCode(error.code) }
    throw error
  }
}
