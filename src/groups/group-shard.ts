// The groups of one partition of `__consumer_offsets`: what the parts share, and which of them a record or a call is for.
import { KafkaError } from '#storage/base/errors.ts'
import type { Random } from '#storage/base/world.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import type { RecordPlace, Shard, ShardHost } from '../coordinators/shard.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { EffectiveConfigs } from '../partitions/effective-configs.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../protocol/messages/14-sync-group.ts'
import { ClassicGroup } from './classic/classic-group.ts'
import { ClassicGroups } from './classic/classic-groups.ts'
import { type DescribedClassicGroup, describeClassicGroup } from './classic/describe-group.ts'
import { ConsumerGroups } from './consumer/consumer-groups.ts'
import { replayForeign } from './foreign-group.ts'
import type { Group, GroupClient } from './group.ts'
import type { GroupParts, GroupPlan } from './group-parts.ts'
import type { GroupRecord } from './group-record.ts'
import type { DeletedTopic, OffsetCounters } from './offsets/offset-calls.ts'
import { OffsetManager } from './offsets/offset-manager.ts'

/** What all shards are given. */
export interface GroupShardParts {
  /** Counted on by all shards. */
  readonly offsetCounters: OffsetCounters
  readonly random: Random
  readonly configs: EffectiveConfigs
  image(): MetadataImage
}

/** A request and who sent it, in which version. */
export interface GroupCall<Request> {
  readonly client: GroupClient
  readonly request: Request
  readonly version: number
}

/** A group in a list. */
export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  readonly groupState: string
  readonly groupType: string
}

/** The state machine over one partition of `__consumer_offsets`. */
export class GroupShard implements Shard<GroupRecord> {
  readonly offsets: OffsetManager
  readonly classic: ClassicGroups
  readonly consumer: ConsumerGroups
  readonly #groups: Map<string, Group> = new Map()

  constructor(host: ShardHost<GroupRecord>, shardParts: GroupShardParts) {
    const { random, configs, image, offsetCounters } = shardParts
    const parts: GroupParts = { host, random, configs, image, groups: this.#groups }
    this.classic = new ClassicGroups(parts)
    const simpleGroup = (groupId: string) => this.classic.simpleGroup(groupId)
    this.offsets = new OffsetManager(parts, simpleGroup, offsetCounters)
    this.consumer = new ConsumerGroups(parts, this.classic)
  }

  replay(record: GroupRecord, place: RecordPlace): void {
    switch (record.type) {
      case 'OffsetCommit':
        this.offsets.replay(record, place)
        break
      case 'GroupMetadata':
        this.classic.replay(record)
        break
      case 'ConsumerGroupMetadata':
      case 'ConsumerGroupPartitionMetadata':
      case 'ConsumerGroupMemberMetadata':
      case 'ConsumerGroupTargetAssignmentMetadata':
      case 'ConsumerGroupTargetAssignmentMember':
      case 'ConsumerGroupCurrentMemberAssignment':
      case 'ConsumerGroupRegularExpression':
        this.consumer.replay(record)
        break
      default:
        replayForeign(this.#groups, record)
    }
  }

  endTransaction(producerId: Int64, isCommitted: boolean): void {
    this.offsets.endTransaction(producerId, isCommitted)
  }

  loaded(): void {
    this.classic.loaded()
    this.consumer.loaded()
    this.offsets.loaded()
  }

  unloaded(reason: KafkaError): void {
    this.offsets.unloaded()
    this.consumer.unloaded()
    this.classic.unloaded(reason)
  }

  /** Topics and partitions have come or gone. */
  metadataChanged(delta: MetadataDelta, deleted: readonly DeletedTopic[]): void {
    this.consumer.metadataChanged(delta)
    if (deleted.length > 0) this.offsets.removeTopics(deleted)
  }

  /** A member of the classic protocol joins its group, which may have become a consumer group (KIP-848). */
  join({ client, request, version }: GroupCall<JoinGroupRequest>): GroupPlan<JoinGroupResponse> {
    const group = this.#groups.get(request.groupId)
    return group?.type === 'consumer' && !group.isEmpty
      ? this.consumer.joinClassic(client, request, version)
      : this.classic.join(client, request, version)
  }

  sync(request: SyncGroupRequest): GroupPlan<SyncGroupResponse> {
    return this.#isConsumer(request.groupId)
      ? this.consumer.syncClassic(request)
      : this.classic.sync(request)
  }

  heartbeat(request: HeartbeatRequest): GroupPlan<HeartbeatResponse> {
    return this.#isConsumer(request.groupId)
      ? this.consumer.heartbeatClassic(request)
      : this.classic.heartbeat(request)
  }

  leave(request: LeaveGroupRequest): GroupPlan<LeaveGroupResponse> {
    return this.#isConsumer(request.groupId)
      ? this.consumer.leaveClassic(request)
      : this.classic.leave(request)
  }

  /** All groups, whatever their kind. */
  list(): ListedGroup[] {
    return Array.from(this.#groups.values(), ({ groupId, protocolType, state, type }) => ({
      groupId,
      protocolType,
      groupState: state,
      groupType: type,
    }))
  }

  /** Throws GROUP_ID_NOT_FOUND for a group that does not exist or is not classic. */
  describeClassic(groupId: string): DescribedClassicGroup {
    const group = this.#groups.get(groupId)
    if (group instanceof ClassicGroup) return describeClassicGroup(group)
    const what = group === undefined ? 'does not exist' : `is a ${group.type} group`
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} ${what}`)
  }

  /** All groups, of every kind. */
  groups(): Iterable<Group> {
    return this.#groups.values()
  }

  /** Any kind of group, without its members. */
  group(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  #isConsumer(groupId: string): boolean {
    return this.#groups.get(groupId)?.type === 'consumer'
  }
}
