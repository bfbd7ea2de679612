// ConsumerGroupHeartbeat: a member of a consumer group joins, lives, says what it owns, or leaves (KIP-848).
import { errorCode } from '#src/protocol/error-codes.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '#src/protocol/messages/68-consumer-group-heartbeat.ts'
import { api } from '../api.ts'
import { messageOf } from '../outcome.ts'

/** Answered when what it changed is committed; with nothing to change, at once. */
export const consumerGroupHeartbeat = api({
  request: ConsumerGroupHeartbeatRequest,
  response: ConsumerGroupHeartbeatResponse,
  handle: ({ broker, session, version }, request) =>
    broker.groups.consumerHeartbeat(session, request, version),
  refuse: (error) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
  }),
})
