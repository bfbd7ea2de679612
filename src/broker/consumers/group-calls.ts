// What a consumer inside the broker asks of the group coordinator. `Groups` has it all.
import type { Session } from '../../access/session.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { GroupOffsets } from '../group-offsets.ts'

/** What a heartbeat says that says nothing new: who sends it, and its epoch, come with it. */
export const NOTHING_NEW = {
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
} as const
/** The version of ConsumerGroupHeartbeat that consumers inside the broker speak: the first that understands patterns. */
export const HEARTBEAT_VERSION = 1

/** The calls. Refusals are thrown as KafkaError. */
export interface GroupCalls {
  readonly offsets: Pick<GroupOffsets, 'commit' | 'fetch'>
  /** Makes sure that there is a coordinator. */
  findCoordinator(session: Session, groupId: string): Promise<unknown>
  consumerHeartbeat(
    session: Session,
    request: ConsumerGroupHeartbeatRequest,
    version: number,
  ): Promise<ConsumerGroupHeartbeatResponse>
}
