// The classic groups of a shard: members that assign partitions among themselves, and a coordinator that keeps order.
// Life cycle: `replay` for all that the log holds, `loaded`, requests, `unloaded`. A group's members are in the log when
// their leader's assignment is; what lies between two generations (who joins, who waits, who was heard of) is in memory.
import { KafkaError } from '#storage/base/errors.ts'
import { errorCode, NO_ERROR } from '../../protocol/error-codes.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { Group, GroupClient } from '../group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import type { GroupRecordOf } from '../group-record.ts'
import { ClassicGroup, type ClassicGroupWorld } from './classic-group.ts'
import { NOTHING, planOf } from './effect.ts'
import { Joining } from './joining.ts'
import { Leaving } from './leaving.ts'
import { Rebalancing } from './rebalancing.ts'
import { Syncing } from './syncing.ts'

const ALIVE: GroupPlan<HeartbeatResponse> = planOf(NOTHING, {
  throttleTimeMs: 0,
  errorCode: NO_ERROR,
})
const JOIN_AGAIN: GroupPlan<HeartbeatResponse> = planOf(NOTHING, {
  throttleTimeMs: 0,
  errorCode: errorCode('REBALANCE_IN_PROGRESS'),
})

/** The classic groups of a shard. A request goes to the group that it names; `groups` holds those of other kinds, too. */
export class ClassicGroups {
  readonly #parts: GroupParts
  readonly #world: ClassicGroupWorld
  readonly #rebalancing: Rebalancing
  readonly #joining: Joining
  readonly #syncing: Syncing
  readonly #leaving: Leaving
  #isLoaded = false

  constructor(parts: GroupParts) {
    const { clock, deadlines } = parts.host
    const rebalancing = new Rebalancing(parts)
    this.#parts = parts
    this.#world = {
      clock,
      deadlines,
      expired: (group, memberId) => {
        rebalancing.begin(() => rebalancing.expire(group, memberId))
      },
    }
    this.#rebalancing = rebalancing
    this.#joining = new Joining(parts, this.#world, rebalancing)
    this.#syncing = new Syncing(parts, rebalancing)
    this.#leaving = new Leaving(parts, rebalancing)
  }

  /** The answer may wait for the other members: until the rebalance ends, or until this one is given up. */
  join(
    client: GroupClient,
    request: JoinGroupRequest,
    version: number,
  ): GroupPlan<JoinGroupResponse> {
    return this.#joining.join(client, request, version)
  }

  /** The answer may wait for the leader's. */
  sync(request: SyncGroupRequest): GroupPlan<SyncGroupResponse> {
    return this.#syncing.sync(request)
  }

  /** Throws INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION. */
  heartbeat(request: HeartbeatRequest): GroupPlan<HeartbeatResponse> {
    const { groupId, memberId, groupInstanceId, generationId } = request
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'A group id cannot be empty')
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ClassicGroup)) {
      throw new KafkaError('UNKNOWN_MEMBER_ID', `Group ${groupId} is no classic group`)
    }
    group.renewSession(group.validMember(memberId, groupInstanceId, generationId))
    return group.isInState('PreparingRebalance') ? JOIN_AGAIN : ALIVE
  }

  /** In the form of v3 and later: `members` says who. Throws INVALID_GROUP_ID. */
  leave(request: LeaveGroupRequest): GroupPlan<LeaveGroupResponse> {
    return this.#leaving.leave(request)
  }

  /** Takes over a record. While there are calls, it is one of a plan: a group that lives has done all of that but the assignment. */
  replay({ key: { group: groupId }, value }: GroupRecordOf<'GroupMetadata'>): void {
    const { groups } = this.#parts
    const known = groups.get(groupId)
    const group = known instanceof ClassicGroup ? known : undefined
    if (value === null) {
      if (group) this.#rebalancing.bury(group, 'REBALANCE_IN_PROGRESS')
      return
    }
    if (group && this.#isLoaded) group.replayOwn(value)
    else groups.set(groupId, ClassicGroup.fromRecord(groupId, value, this.#world))
  }

  /** From now on there are calls. Members that the log knows have a session from now. */
  loaded(): void {
    this.#isLoaded = true
    const maxSize = this.#parts.configs.broker.number('group.max.size')
    for (const group of this.#groups()) {
      this.#beginSessions(group)
      // The limit has been lowered: the members find out by joining who is too many.
      if (group.members.size > maxSize) this.#rebalancing.prepare(group)
    }
  }

  /** Refuses all that waits and stops all timers. */
  unloaded({ code }: KafkaError): void {
    for (const group of this.#groups()) this.#rebalancing.bury(group, code)
  }

  /** The group of this id, or a new one without members: for offsets that somebody committed who is no member of any. */
  simpleGroup(groupId: string): Group {
    const known = this.#parts.groups.get(groupId)
    if (known) return known
    const group = new ClassicGroup(groupId, this.#world)
    this.#parts.groups.set(groupId, group)
    return group
  }

  /** A consumer group has become this classic one, by a record that was replayed. Its members may have to join again at once. */
  downgraded(groupId: string, { rebalance }: { readonly rebalance: boolean }): void {
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ClassicGroup) || !group.isInState('Stable')) return
    this.#beginSessions(group)
    if (rebalance) this.#rebalancing.prepare(group)
  }

  *#groups(): Iterable<ClassicGroup> {
    for (const group of this.#parts.groups.values()) {
      if (group instanceof ClassicGroup) yield group
    }
  }

  #beginSessions(group: ClassicGroup): void {
    for (const member of group.members.values()) group.renewSession(member)
  }
}
