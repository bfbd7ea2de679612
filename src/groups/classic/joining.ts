// JoinGroup: how a client becomes a member, and a member takes part in the next generation.
import type { KafkaErrorName } from '#storage/base/errors.ts'
import type { Random } from '#storage/base/world.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { GroupClient } from '../group.ts'
import type { GroupParts, GroupPlan } from '../group-parts.ts'
import { joinAnswer, joinRefusal, syncRefusal } from './answers.ts'
import { ClassicGroup, type ClassicGroupWorld } from './classic-group.ts'
import { ClassicMember, type ClassicMemberTerms } from './classic-member.ts'
import { type Effect, NOTHING, planOf } from './effect.ts'
import type { Rebalancing } from './rebalancing.ts'

/** From here on a new member is told its id first, and joins with it (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4
/** From here on a leader can be told not to assign anew (KIP-814). */
const SKIP_ASSIGNMENT_SINCE = 9
/** How long the first join of a member waits, which can send no heartbeats: its client may have gone, and come back as another. */
const NEW_MEMBER_TIMEOUT_MS = 300_000
/** Of a name in UTF-16 units, which take three bytes at most: the member's id then fits into a string of 32767. */
const MAX_NAME_LENGTH = 10_000

type JoinPlan = GroupPlan<JoinGroupResponse>

/** A JoinGroup, taken apart. */
interface Join {
  readonly client: GroupClient
  readonly version: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly terms: ClassicMemberTerms
}

/** Answers JoinGroup. */
export class Joining {
  readonly #parts: GroupParts
  readonly #world: ClassicGroupWorld
  readonly #rebalancing: Rebalancing

  constructor(parts: GroupParts, world: ClassicGroupWorld, rebalancing: Rebalancing) {
    this.#parts = parts
    this.#world = world
    this.#rebalancing = rebalancing
  }

  /** Any group but one of the consumer protocol that has members. */
  join(client: GroupClient, request: JoinGroupRequest, version: number): JoinPlan {
    const { groupId, sessionTimeoutMs } = request
    const { broker } = this.#parts.configs
    if (groupId === '') return refusal(request.memberId, 'INVALID_GROUP_ID')
    const isTooShort = sessionTimeoutMs < broker.number('group.min.session.timeout.ms')
    if (isTooShort || sessionTimeoutMs > broker.number('group.max.session.timeout.ms')) {
      return refusal(request.memberId, 'INVALID_SESSION_TIMEOUT')
    }
    const join = joinOf(client, request, version)
    const group = this.#parts.groups.get(groupId)
    if (group instanceof ClassicGroup) return this.#joinGroup(group, join)
    if (group && !(group.type === 'consumer' && group.isEmpty)) {
      return refusal('', 'INCONSISTENT_GROUP_PROTOCOL')
    }
    if (join.memberId !== '') return refusal(join.memberId, 'UNKNOWN_MEMBER_ID')
    return this.#create(groupId, join)
  }

  /** The group is made here and now; the log is told of an empty one, so that it is known before its first generation. */
  #create(groupId: string, join: Join): JoinPlan {
    const { groups } = this.#parts
    const group = new ClassicGroup(groupId, this.#world)
    if (!group.supports(join.protocolType, join.terms.protocols)) {
      return refusal('', 'INCONSISTENT_GROUP_PROTOCOL')
    }
    const replaced = groups.get(groupId)
    const records = [...(replaced?.tombstones() ?? []), group.record()]
    groups.set(groupId, group)
    const { answer } = this.#joinGroup(group, join)
    const settled: Effect['settled'] = (error) => {
      if (!error || groups.get(groupId) !== group) return
      this.#rebalancing.bury(group, error.code)
      // The log still has what was there before.
      if (replaced) groups.set(groupId, replaced)
    }
    return { records, answer, settled }
  }

  #joinGroup(group: ClassicGroup, join: Join): JoinPlan {
    const { memberId, groupInstanceId } = join
    if (!this.#hasRoom(group, memberId)) {
      group.remove(memberId)
      const answer = joinRefusal('', 'GROUP_MAX_SIZE_REACHED')
      return planOf(this.#rebalancing.completeIfAllJoined(group), answer)
    }
    if (!group.supports(join.protocolType, join.terms.protocols)) {
      return refusal(memberId, 'INCONSISTENT_GROUP_PROTOCOL')
    }
    if (memberId === '') return this.#joinNew(group, join)
    if (group.isPending(memberId) && groupInstanceId === null) {
      return this.#add(group, join, memberId)
    }
    return this.#rejoin(group, join)
  }

  /** While members come, those count who have; afterwards, those who are in. */
  #hasRoom(group: ClassicGroup, memberId: string): boolean {
    const maxSize = this.#parts.configs.broker.number('group.max.size')
    const member = group.members.get(memberId)
    switch (group.state) {
      case 'PreparingRebalance':
        return member?.awaitingJoin !== undefined || group.awaitingJoins < maxSize
      case 'CompletingRebalance':
      case 'Stable':
        return member !== undefined || group.members.size < maxSize
      default:
        return true
    }
  }

  #joinNew(group: ClassicGroup, join: Join): JoinPlan {
    const { groupInstanceId, version, terms } = join
    const name = (groupInstanceId ?? join.client.clientId).slice(0, MAX_NAME_LENGTH)
    // A pair may have been cut in two: the id comes back as it was sent only without its half.
    const memberId = `${name.toWellFormed()}-${hexUuid(this.#parts.random)}`
    const replaced = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId)
    const old = replaced === undefined ? undefined : group.members.get(replaced)
    if (old) return this.#replace(group, old, join, memberId)
    if (groupInstanceId === null && version >= MEMBER_ID_REQUIRED_SINCE) {
      group.addPending(memberId)
      group.sessions.renew(memberId, terms.sessionTimeoutMs)
      return refusal(memberId, 'MEMBER_ID_REQUIRED')
    }
    return this.#add(group, join, memberId)
  }

  #add(group: ClassicGroup, join: Join, memberId: string): JoinPlan {
    const { client, groupInstanceId, terms, protocolType } = join
    const member = new ClassicMember({ ...client, memberId, groupInstanceId }, terms)
    member.isNew = true
    if (group.isInState('PreparingRebalance') && group.previousState === 'Empty') {
      group.hasNewMember = true
    }
    group.add(member, protocolType)
    group.sessions.renew(memberId, NEW_MEMBER_TIMEOUT_MS)
    const answer = group.parkJoin(member)
    return planOf(this.#rebalancing.advance(group), answer)
  }

  #rejoin(group: ClassicGroup, { memberId, groupInstanceId, terms }: Join): JoinPlan {
    const member = group.find(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return refusal(memberId, member)
    // The leader of a stable group joins to have partitions assigned anew.
    const isAsking = group.isInState('Stable') && group.isLeader(memberId)
    if (!group.isInState('PreparingRebalance') && !isAsking && member.matches(terms.protocols)) {
      return planOf(NOTHING, joinAnswer(group, memberId))
    }
    group.update(member, terms)
    const answer = group.parkJoin(member)
    return planOf(this.#rebalancing.advance(group), answer)
  }

  /** A static member is back, under a new id. */
  #replace(group: ClassicGroup, old: ClassicMember, join: Join, newMemberId: string): JoinPlan {
    const { terms } = join
    const before = { memberId: old.memberId, terms: termsOf(old), leaderId: group.leaderId }
    const member = takePlace(group, old, newMemberId)
    group.update(member, terms)
    group.renewSession(member)
    const answer = group.parkJoin(member)
    const isUnnoticed = group.isInState('Stable') && group.protocolName === group.nextProtocol()
    if (!isUnnoticed) return planOf(this.#rebalancing.advance(group), answer)
    return planOf(this.#keepReplaced(group, member, before, join.version), answer)
  }

  /** The group stays as it is; only the log has to learn the new id. */
  #keepReplaced(
    group: ClassicGroup,
    member: ClassicMember,
    before: Replaced,
    version: number,
  ): Effect {
    const settled: Effect['settled'] = (error) => {
      if (group.members.get(member.memberId) !== member) return
      if (error) {
        group.answerJoin(member, joinRefusal('', error.code))
        group.update(member, before.terms)
        group.renewSession(takePlace(group, member, before.memberId))
        return
      }
      // A rebalance has begun meanwhile: it answers.
      if (!group.isInState('Stable')) return
      group.answerJoin(member, answerReplaced(group, member.memberId, before.leaderId, version))
    }
    return { records: [group.record()], settled }
  }
}

/** What a static member was before another took its place. */
interface Replaced {
  readonly memberId: string
  readonly terms: ClassicMemberTerms
  readonly leaderId: string
}

function refusal(memberId: string, code: KafkaErrorName): JoinPlan {
  return planOf(NOTHING, joinRefusal(memberId, code))
}

function joinOf(client: GroupClient, request: JoinGroupRequest, version: number): Join {
  const { memberId, groupInstanceId, protocolType, sessionTimeoutMs, protocols } = request
  // v0 has one timeout for both.
  const rebalanceTimeoutMs = version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs
  const terms = { sessionTimeoutMs, rebalanceTimeoutMs, protocols }
  return { client, version, memberId, groupInstanceId, protocolType, terms }
}

function termsOf(member: ClassicMember): ClassicMemberTerms {
  const { rebalanceTimeoutMs, sessionTimeoutMs, protocols } = member
  return { rebalanceTimeoutMs, sessionTimeoutMs, protocols }
}

/** Who still speaks under the old id is fenced. */
function takePlace(group: ClassicGroup, old: ClassicMember, newMemberId: string): ClassicMember {
  group.answerJoin(old, joinRefusal(old.memberId, 'FENCED_INSTANCE_ID'))
  group.answerSync(old, syncRefusal('FENCED_INSTANCE_ID'))
  return group.replaceStatic(old, newMemberId)
}

/** A leader must not assign what nobody would ask for: old versions are told of its old id, new ones say so. */
function answerReplaced(
  group: ClassicGroup,
  memberId: string,
  oldLeaderId: string,
  version: number,
): JoinGroupResponse {
  const answer = joinAnswer(group, memberId)
  if (version < SKIP_ASSIGNMENT_SINCE) return { ...answer, leader: oldLeaderId, members: [] }
  return { ...answer, skipAssignment: group.isLeader(memberId) }
}

/** As Java writes a random uuid. */
function hexUuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
