// What a ConsumerGroupHeartbeat has to say before anybody looks at its group.
import { KafkaError } from '#storage/base/errors.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts'

/** From this version on members make their own ids (KIP-1082). */
const OWN_MEMBER_ID_VERSION = 1

/**
 * Throws INVALID_REQUEST for a request that no member sends, UNSUPPORTED_ASSIGNOR for an assignor that is not among
 * `assignors`.
 */
export function checkHeartbeat(
  request: ConsumerGroupHeartbeatRequest,
  version: number,
  assignors: readonly string[],
): void {
  const { memberEpoch, serverAssignor } = request
  const needsMemberId =
    version >= OWN_MEMBER_ID_VERSION || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH
  if (needsMemberId) refuseBlank(request.memberId, 'member id')
  refuseBlank(request.groupId, 'group id')
  refuseBlank(request.instanceId, 'instance id')
  refuseBlank(request.rackId, 'rack id')
  if (memberEpoch === JOIN_EPOCH) checkJoin(request)
  if (memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) {
    throw invalid('Only a member with an instance id can leave for a while')
  }
  if (memberEpoch < STATIC_LEAVE_EPOCH) throw invalid(`No member has epoch ${memberEpoch}`)
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    const detail = `No server assignor ${serverAssignor}; there are ${assignors.join(', ')}`
    throw new KafkaError('UNSUPPORTED_ASSIGNOR', detail)
  }
}

function checkJoin(request: ConsumerGroupHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) throw invalid('Who joins must say its rebalance timeout')
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    throw invalid('Who joins must say that it owns no partitions')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid('Who joins must say topics or a pattern, if only empty ones')
  }
}

/** Blank is, as Java's trim has it, what holds nothing behind the space of ASCII. */
function refuseBlank(text: string | null, name: string): void {
  if (text !== null && !/[\u0021-\uffff]/.test(text)) throw invalid(`The ${name} is empty`)
}

function invalid(detail: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', detail)
}
