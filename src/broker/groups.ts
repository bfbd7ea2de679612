// What doors ask of groups, in the words of Kafka's messages. Part of the one face.
import type { Session } from '../access/session.ts'
import type { DescribedClassicGroup } from '../groups/classic/describe-group.ts'
import type { DescribedConsumerGroup } from '../groups/consumer/describe-group.ts'
import type { ListedGroup } from '../groups/group-shard.ts'
import type { OffsetCounters } from '../groups/offsets/offset-calls.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../protocol/messages/14-sync-group.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/68-consumer-group-heartbeat.ts'
import type { ConsumerOptions } from './consumers/consumer-options.ts'
import type { GroupConsumer } from './consumers/group-consumer.ts'
import type { ForgottenOffset } from './group-admin/group-admin.ts'
import type { GroupDescription } from './group-admin/group-description.ts'
import type { ScopeEntry } from './group-admin/group-scope.ts'
import type { OffsetResetCall, OffsetResetOutcome } from './group-admin/offset-resets.ts'
import type { GroupOffsets } from './group-offsets.ts'

/**
 * Groups. Calls are answered when what they wrote is committed; joins and syncs also wait for other members. All reject
 * with NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or COORDINATOR_NOT_AVAILABLE where the group's partition is not ready here.
 */
export interface Groups {
  /** Commits, fetches and deletions of offsets. */
  readonly offsets: GroupOffsets
  /** What became of offsets since the broker's start. */
  readonly counters: OffsetCounters
  /**
   * The id of the broker that coordinates the group. Makes `__consumer_offsets` if there is none yet. Rejects with
   * COORDINATOR_NOT_AVAILABLE.
   */
  findCoordinator(session: Session, groupId: string): Promise<number>
  /** The bytes of the request are the group's from now on. */
  join(session: Session, request: JoinGroupRequest, version: number): Promise<JoinGroupResponse>
  /** The bytes of the request are the group's from now on. */
  sync(session: Session, request: SyncGroupRequest): Promise<SyncGroupResponse>
  heartbeat(session: Session, request: HeartbeatRequest): Promise<HeartbeatResponse>
  leave(session: Session, request: LeaveGroupRequest): Promise<LeaveGroupResponse>
  /**
   * Everything that a member of the consumer protocol does (KIP-848). Throws INVALID_REQUEST for one that joins under an id
   * that is kept for consumers inside the broker.
   */
  consumerHeartbeat(
    session: Session,
    request: ConsumerGroupHeartbeatRequest,
    version: number,
  ): Promise<ConsumerGroupHeartbeatResponse>
  /** A consumer that lives in the broker, on behalf of a client of another door. Closed by its owner, or by the broker's stop. */
  openConsumer(session: Session, options: ConsumerOptions): GroupConsumer
  /** All groups of this broker that pass the filters; no filter passes all. */
  list(
    session: Session,
    filter: { readonly states: readonly string[]; readonly types: readonly string[] },
  ): Promise<readonly ListedGroup[]>
  /** Rejects with GROUP_ID_NOT_FOUND, also for groups of other kinds. */
  describeClassic(session: Session, groupId: string): Promise<DescribedClassicGroup>
  /** Rejects with GROUP_ID_NOT_FOUND, also for groups of other kinds, and UNSUPPORTED_VERSION where the protocol is off. */
  describeConsumer(session: Session, groupId: string): Promise<DescribedConsumerGroup>
  /** A group of any kind, with how far it has read. Rejects with GROUP_ID_NOT_FOUND. */
  describe(session: Session, groupId: string): Promise<GroupDescription>
  /**
   * Sets where the group goes on reading: all partitions or none. Rejects with NON_EMPTY_GROUP, which names the members;
   * GROUP_ID_NOT_FOUND for an unknown group without a scope; UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST.
   */
  resetOffsets(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome>
  /**
   * Forgets committed offsets, and says what they were. Rejects with GROUP_ID_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION,
   * GROUP_SUBSCRIBED_TO_TOPIC, NON_EMPTY_GROUP, INVALID_REQUEST.
   */
  forgetOffsets(
    session: Session,
    call: { readonly groupId: string; readonly scope: readonly ScopeEntry[] },
  ): Promise<readonly ForgottenOffset[]>
  /** Removes an empty group and its offsets. Rejects with GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  delete(session: Session, groupId: string): Promise<void>
  /** A bit for each operation on the group that the session may do. */
  authorizedOperations(session: Session, groupId: string): number
}
