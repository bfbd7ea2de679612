// Groups as the broker serves them: the caller's rights and address, then the coordinator.
import { KafkaError } from '#storage/base/errors.ts'
import type { Session } from '../access/session.ts'
import { GroupCoordinator, type GroupCoordinatorParts } from '../groups/group-coordinator.ts'
import type { OffsetCounters } from '../groups/offsets/offset-calls.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import { NO_LEADER } from '../metadata/image.ts'
import type { JoinGroupRequest } from '../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest } from '../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest } from '../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest } from '../protocol/messages/14-sync-group.ts'
import type { ConsumerGroupHeartbeatRequest } from '../protocol/messages/68-consumer-group-heartbeat.ts'
import type { Sample } from './broker.ts'
import type { ConsumerOptions } from './consumers/consumer-options.ts'
import { type GroupCalls, HEARTBEAT_VERSION, NOTHING_NEW } from './consumers/group-calls.ts'
import { GroupConsumer } from './consumers/group-consumer.ts'
import { type ForgottenOffset, GroupAdmin } from './group-admin/group-admin.ts'
import type { GroupDescription } from './group-admin/group-description.ts'
import { GroupLookup } from './group-admin/group-lookup.ts'
import type { ScopeEntry } from './group-admin/group-scope.ts'
import {
  type OffsetResetCall,
  type OffsetResetOutcome,
  OffsetResets,
} from './group-admin/offset-resets.ts'
import { groupClient } from './group-client.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { Groups } from './groups.ts'
import { OFFSETS } from './internal-topic-names.ts'
import type { RecordReading } from './reading.ts'

/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS, by their numbers. */
const ALL_GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)

const JOINING_EPOCH = 0
const LEAVING_EPOCH = -1

/** What groups stand on. */
export interface BrokerGroupsParts extends Omit<GroupCoordinatorParts, 'topic'> {
  /** What consumers read from. */
  readonly reads: RecordReading
  /** Makes a topic of the coordinators if there is none, with all of its logs. */
  ensureTopic(session: Session, topic: string): Promise<unknown>
}

/** The one `Groups` there is. */
export class BrokerGroups implements Groups {
  readonly offsets: GroupOffsets
  readonly counters: OffsetCounters
  readonly #parts: BrokerGroupsParts
  readonly #coordinator: GroupCoordinator
  readonly #admin: GroupAdmin
  readonly #resets: OffsetResets
  readonly #consumers = new Set<GroupConsumer>()

  constructor(parts: BrokerGroupsParts) {
    this.#parts = parts
    const coordinator = new GroupCoordinator({ ...parts, topic: OFFSETS })
    this.#coordinator = coordinator
    this.counters = coordinator.offsetCounters
    const lookup = new GroupLookup({ ...parts, coordinator })
    this.#admin = new GroupAdmin({ ...parts, lookup })
    this.#resets = new OffsetResets({
      ...parts,
      lookup,
      prepare: (session, groupId) => this.findCoordinator(session, groupId),
    })
    this.offsets = new GroupOffsets({
      image: () => parts.image(),
      write: (groupId, plan) => coordinator.write(groupId, (shard) => plan(shard.offsets)),
    })
  }

  async findCoordinator(session: Session, groupId: string): Promise<number> {
    try {
      await Promise.all([this.#parts.ensureTopic(session, OFFSETS), this.#coordinator.ready()])
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message, { cause: error })
    }
    const partition = this.#coordinator.partitionOf(groupId)
    const leader = this.#parts.image().partition({ topic: OFFSETS, partition })?.leader ?? NO_LEADER
    if (leader !== NO_LEADER) return leader
    const detail = `Partition ${partition} of ${OFFSETS} has no leader`
    throw new KafkaError('COORDINATOR_NOT_AVAILABLE', detail)
  }

  join(session: Session, request: JoinGroupRequest, version: number) {
    const call = { client: groupClient(session), request, version }
    return this.#coordinator.write(request.groupId, (shard) => shard.join(call))
  }

  sync(_session: Session, request: SyncGroupRequest) {
    return this.#coordinator.write(request.groupId, (shard) => shard.sync(request))
  }

  heartbeat(_session: Session, request: HeartbeatRequest) {
    return this.#coordinator.write(request.groupId, (shard) => shard.heartbeat(request))
  }

  leave(_session: Session, request: LeaveGroupRequest) {
    return this.#coordinator.write(request.groupId, (shard) => shard.leave(request))
  }

  async consumerHeartbeat(
    session: Session,
    request: ConsumerGroupHeartbeatRequest,
    version: number,
  ) {
    if (request.memberEpoch === JOINING_EPOCH && request.memberId.startsWith(this.#memberPrefix)) {
      const detail = `Member ids that begin with ${this.#memberPrefix} are for consumers inside the broker`
      throw new KafkaError('INVALID_REQUEST', detail)
    }
    return await this.#heartbeat(session, request, version)
  }

  #heartbeat(session: Session, request: ConsumerGroupHeartbeatRequest, version: number) {
    const client = groupClient(session)
    return this.#coordinator.write(request.groupId, (shard) =>
      shard.consumer.heartbeat(client, request, version),
    )
  }

  openConsumer(session: Session, options: ConsumerOptions): GroupConsumer {
    const { reads, clock, random, image } = this.#parts
    const { principal, clientId, clientAddress } = session
    const parts = {
      broker: reads,
      groups: {
        offsets: this.offsets,
        findCoordinator: (...asked: Parameters<GroupCalls['findCoordinator']>) =>
          this.findCoordinator(...asked),
        consumerHeartbeat: (...said: Parameters<GroupCalls['consumerHeartbeat']>) =>
          this.#heartbeat(...said),
      },
      // The address of a request can't be had any more when the request is over.
      session: { principal, clientId, clientAddress },
      clock,
      random,
      memberPrefix: this.#memberPrefix,
      buryGhosts: (groupId: string) => this.#buryGhosts(session, groupId),
      topicName: (topicId: string) => image().topicById(topicId)?.name,
      onClosed: () => void this.#consumers.delete(consumer),
    }
    const consumer: GroupConsumer = new GroupConsumer(parts, options)
    this.#consumers.add(consumer)
    return consumer
  }

  list(
    _session: Session,
    filter: { readonly states: readonly string[]; readonly types: readonly string[] },
  ) {
    return this.#coordinator.list(filter)
  }

  describeClassic(_session: Session, groupId: string) {
    return this.#coordinator.read(groupId, (shard) => shard.describeClassic(groupId))
  }

  async describeConsumer(_session: Session, groupId: string) {
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'A group id cannot be empty')
    return await this.#coordinator.read(groupId, (shard) => shard.consumer.describe(groupId))
  }

  describe(session: Session, groupId: string): Promise<GroupDescription> {
    return this.#admin.describe(session, groupId)
  }

  resetOffsets(session: Session, call: OffsetResetCall): Promise<OffsetResetOutcome> {
    return this.#resets.reset(session, call)
  }

  forgetOffsets(
    session: Session,
    call: { readonly groupId: string; readonly scope: readonly ScopeEntry[] },
  ): Promise<readonly ForgottenOffset[]> {
    return this.#admin.forget(session, call)
  }

  samples(): readonly Sample[] {
    const { groups, offsetCount } = this.#coordinator.census()
    const help = 'Groups that this broker coordinates'
    return [
      ...groups.map(({ type, state, count: value }) => {
        return { name: 'millrace_groups', help, labels: { type, state }, value }
      }),
      {
        name: 'millrace_committed_offsets',
        help: 'Committed offsets that are kept, one for each group and partition',
        labels: {},
        value: offsetCount,
      },
    ]
  }

  delete(_session: Session, groupId: string): Promise<void> {
    return this.#coordinator.delete(groupId)
  }

  authorizedOperations(): number {
    return ALL_GROUP_OPERATIONS
  }

  get #memberPrefix(): string {
    return `in-broker-${this.#parts.nodeId}-`
  }

  /** Members of consumers that lived in this broker until it was killed leave: nobody speaks for them any more. */
  async #buryGhosts(session: Session, groupId: string): Promise<void> {
    const { members } = await this.describeConsumer(session, groupId)
    const living = new Set(Array.from(this.#consumers, ({ memberId }) => memberId))
    const ghosts = members.filter(
      ({ memberId, isClassic }) =>
        // Whoever speaks the classic protocol has its id from a client id of its own choice.
        !isClassic && memberId.startsWith(this.#memberPrefix) && !living.has(memberId),
    )
    await Promise.all(
      ghosts.map(({ memberId, instanceId }) => {
        const request = {
          ...NOTHING_NEW,
          groupId,
          memberId,
          memberEpoch: LEAVING_EPOCH,
          instanceId,
        }
        return this.#heartbeat(session, request, HEARTBEAT_VERSION)
      }),
    )
  }

  /** Takes over what the metadata says. After `Partitions.apply`. */
  apply(delta: MetadataDelta): void {
    this.#coordinator.apply(delta)
  }

  /** Consumers inside leave first. What was written is committed and answered; what is parked is refused. */
  async close(): Promise<void> {
    const { onProblem } = this.#parts
    const closed = [...this.#consumers].map((one) => one.close({ isLost: true }).catch(onProblem))
    await Promise.all(closed)
    await this.#coordinator.close()
  }
}
