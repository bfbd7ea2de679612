// JoinGroup: a client becomes a member of a classic group, or takes part in its next generation.
import { errorCode } from '#src/protocol/error-codes.ts'
import { JoinGroupRequest, JoinGroupResponse } from '#src/protocol/messages/11-join-group.ts'
import { api } from '../api.ts'
import { unlessEnded } from '../unless-ended.ts'

/** From here on "no protocol" is null. */
const NULL_PROTOCOL_SINCE = 7

/** Answers when the group's rebalance ends. A client that closes its connection meanwhile stays a member until its session ends. */
export const joinGroup = api({
  request: JoinGroupRequest,
  response: JoinGroupResponse,
  async handle({ broker, session, version, signal }, request) {
    // Owned: the group may ask for them when the request has been answered.
    const protocols = request.protocols.map(({ name, metadata }) => {
      return { name, metadata: metadata.slice() }
    })
    const joined = broker.groups.join(session, { ...request, protocols }, version)
    const answer = await unlessEnded(signal, joined)
    return { ...answer, protocolName: nameIn(version, answer.protocolName) }
  },
  refuse: ({ code }, { memberId }, { version }) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    generationId: -1,
    protocolType: null,
    protocolName: nameIn(version, null),
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }),
})

function nameIn(version: number, protocolName: string | null): string | null {
  return version < NULL_PROTOCOL_SINCE ? (protocolName ?? '') : protocolName
}
