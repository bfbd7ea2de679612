// What a consumer inside the broker asks of the group coordinator. `Groups` has it all.
import type { Session } from '../../access/session.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { GroupOffsets } from '../group-offsets.ts'

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
