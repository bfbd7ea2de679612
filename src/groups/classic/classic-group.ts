// A group of the classic protocol: its members choose a leader's assignment, generation after generation.
import { assert, KafkaError } from '#storage/base/errors.ts'
import type { Clock } from '#storage/base/world.ts'
import type { Deadlines } from '../../partitions/deadlines.ts'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { GroupMetadataValue } from '../../protocol/records/groups/group-metadata.ts'
import type { Group, OffsetClient, OffsetExpiration } from '../group.ts'
import type { GroupRecord, GroupRecordOf } from '../group-record.ts'
import { Alarm } from './alarm.ts'
import { ClassicMember, type ClassicMemberTerms } from './classic-member.ts'
import { MemberProtocols } from './member-protocols.ts'
import { Parked } from './parked.ts'
import { Sessions } from './sessions.ts'
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './subscribed-topics.ts'

/**
 * Where a group stands, as clients are told:
 * ```
 *        first join            all have joined          leader's assignment is committed
 * Empty ───────────▶ Preparing ──────────────▶ Completing ──────────────────────────────▶ Stable
 *   ▲                Rebalance ◀────────────── Rebalance                                     │
 *   └──────────────────┘  ▲   ◀── a member comes, goes, or wants something else ─────────────┘
 *     nobody has joined
 * ```
 * Dead: removed, or of another coordinator now.
 */
export type ClassicGroupState =
  | 'Empty'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Stable'
  | 'Dead'

/** From where each state can be reached. */
const PREVIOUS: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
}

/** What a group lives with. */
export interface ClassicGroupWorld {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** A member has been silent for too long. */
  expired(group: ClassicGroup, memberId: string): void
}

/** So many ids may wait to be joined with: far more than honest clients, which join at once, ever let wait. */
const MAX_PENDING_JOINS = 10_000
const NO_BYTES = new Uint8Array(0)
const AT_COMMIT: OffsetExpiration = { baseTimestamp: (commitTimestamp) => commitTimestamp }

/** A classic group. Says what it is and what it may do; `Rebalancing` says when. */
export class ClassicGroup implements Group {
  readonly groupId: string
  readonly type = 'classic'
  readonly sessions: Sessions
  /** The end of the join phase. */
  readonly joinAlarm: Alarm
  /** The end of the time in which all members have to ask for their assignments. */
  readonly syncAlarm: Alarm
  /** In the order in which they came: the first is the next leader. */
  readonly #members = new Map<string, ClassicMember>()
  /** Member ids by instance id. */
  readonly #staticMembers = new Map<string, string>()
  /** Ids that were handed out, and not yet joined with. */
  readonly #pendingJoins = new Set<string>()
  /** Who has not asked for its assignment in this generation. */
  readonly #pendingSyncs = new Set<string>()
  readonly #protocols = new MemberProtocols()
  readonly #clock: Clock
  #state: ClassicGroupState = 'Empty'
  #previousState: ClassicGroupState = 'Dead'
  #stateTimestamp: number
  #generationId = 0
  #protocolType: string | undefined
  #protocolName: string | null = null
  #leaderId: string | undefined
  #awaitingJoins = 0
  #subscribedTopics: ReadonlySet<string> | undefined
  /** Whether someone has joined since the initial rebalance was last put off. */
  hasNewMember = false
  /** The generation whose assignment is on its way into the log. */
  assignedGeneration = -1

  constructor(groupId: string, world: ClassicGroupWorld) {
    this.groupId = groupId
    this.#clock = world.clock
    this.#stateTimestamp = world.clock.now()
    this.sessions = new Sessions(world, (memberId) => world.expired(this, memberId))
    this.joinAlarm = new Alarm(world.deadlines)
    this.syncAlarm = new Alarm(world.deadlines)
  }

  /** The group that a record speaks of. */
  static fromRecord(groupId: string, value: GroupMetadataValue, world: ClassicGroupWorld) {
    const group = new ClassicGroup(groupId, world)
    group.#state = value.members.length === 0 ? 'Empty' : 'Stable'
    group.#generationId = value.generation
    group.#protocolType = value.protocolType === '' ? undefined : value.protocolType
    group.#protocolName = value.protocol
    group.#leaderId = value.leader ?? undefined
    group.#stateTimestamp = Number(value.currentStateTimestamp)
    for (const logged of value.members) {
      const member = new ClassicMember(logged, {
        sessionTimeoutMs: logged.sessionTimeout,
        rebalanceTimeoutMs:
          logged.rebalanceTimeout === -1 ? logged.sessionTimeout : logged.rebalanceTimeout,
        protocols: [{ name: value.protocol ?? '', metadata: logged.subscription }],
      })
      member.assignment = logged.assignment
      group.#put(member)
    }
    group.#subscribedTopics = group.#readSubscriptions()
    return group
  }

  get state(): ClassicGroupState {
    return this.#state
  }

  get previousState(): ClassicGroupState {
    return this.#previousState
  }

  get generationId(): number {
    return this.#generationId
  }

  get protocolType(): string {
    return this.#protocolType ?? ''
  }

  /** Null where the group has no members that have chosen one. */
  get protocolName(): string | null {
    return this.#protocolName
  }

  /** `''` where there is none. */
  get leaderId(): string {
    return this.#leaderId ?? ''
  }

  get members(): ReadonlyMap<string, ClassicMember> {
    return this.#members
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  /** How many members wait for the end of the join phase. */
  get awaitingJoins(): number {
    return this.#awaitingJoins
  }

  get pendingSyncs(): ReadonlySet<string> {
    return this.#pendingSyncs
  }

  /** Whether everybody who is known, or has been told an id, waits for the join phase to end. */
  get hasAllJoined(): boolean {
    return this.#members.size === this.#awaitingJoins && this.#pendingJoins.size === 0
  }

  /** The longest time that a member takes to come back. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { rebalanceTimeoutMs } of this.#members.values()) {
      longest = Math.max(longest, rebalanceTimeoutMs)
    }
    return longest
  }

  isInState(...states: readonly ClassicGroupState[]): boolean {
    return states.includes(this.#state)
  }

  isLeader(memberId: string): boolean {
    return this.#leaderId === memberId
  }

  isPending(memberId: string): boolean {
    return this.#pendingJoins.has(memberId)
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId)
  }

  /** Whether somebody of this type, who knows these protocols, could live with the members. */
  supports(protocolType: string, protocols: ClassicMemberTerms['protocols']): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    return (
      this.#protocolType === protocolType &&
      this.#protocols.hasOneFor(this.#members.size, protocols)
    )
  }

  /** The member that somebody claims to be, or why it is not. */
  find(memberId: string, groupInstanceId: string | null): ClassicMember | MemberRefusal {
    if (groupInstanceId !== null) {
      const known = this.#staticMembers.get(groupInstanceId)
      if (known !== undefined && known !== memberId) return 'FENCED_INSTANCE_ID'
      if (known === undefined) return 'UNKNOWN_MEMBER_ID'
    }
    return this.#members.get(memberId) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** As `find`, in this generation. Throws what it says, and ILLEGAL_GENERATION. */
  validMember(
    memberId: string,
    groupInstanceId: string | null,
    generationId: number,
  ): ClassicMember {
    const member = this.find(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) {
      const detail =
        member === 'FENCED_INSTANCE_ID'
          ? `Instance ${groupInstanceId} is another member than ${memberId} now`
          : `Group ${this.groupId} has no member ${memberId || groupInstanceId}`
      throw new KafkaError(member, detail)
    }
    if (generationId !== this.#generationId) {
      const detail = `Group ${this.groupId} is in generation ${this.#generationId}, not ${generationId}`
      throw new KafkaError('ILLEGAL_GENERATION', detail)
    }
    return member
  }

  /** Hands out an id, which the member has to join with. Where too many wait, the oldest is forgotten, and unknown. */
  addPending(memberId: string): void {
    const [oldest] = this.#pendingJoins
    if (oldest !== undefined && this.#pendingJoins.size >= MAX_PENDING_JOINS) this.remove(oldest)
    this.#pendingJoins.add(memberId)
  }

  /** Adds a member whose join is to be parked. */
  add(member: ClassicMember, protocolType: string): void {
    if (this.#members.size === 0) this.#protocolType = protocolType
    this.#put(member)
    this.#pendingJoins.delete(member.memberId)
  }

  /** Removes a member or a pending one, with its session. What waits for an answer has had it, or never will. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member) {
      assert(!member.awaitingJoin, 'A member that goes has had its answer')
      this.#members.delete(memberId)
      this.#protocols.remove(member.protocols)
      if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId)
    }
    if (this.#leaderId === memberId) this.#leaderId = this.#members.keys().next().value
    this.#pendingJoins.delete(memberId)
    this.#pendingSyncs.delete(memberId)
    this.sessions.drop(memberId)
  }

  /** Puts a member with a new id and nothing waiting in the place of a static one; returns it. */
  replaceStatic(old: ClassicMember, newMemberId: string): ClassicMember {
    assert(!old.awaitingJoin && !old.awaitingSync, 'A member that goes has had its answers')
    const member = new ClassicMember({ ...identityOf(old), memberId: newMemberId }, old)
    member.assignment = old.assignment
    this.#members.delete(old.memberId)
    this.#members.set(newMemberId, member)
    if (old.groupInstanceId !== null) this.#staticMembers.set(old.groupInstanceId, newMemberId)
    if (this.#leaderId === old.memberId) this.#leaderId = newMemberId
    this.#pendingSyncs.delete(old.memberId)
    this.sessions.drop(old.memberId)
    return member
  }

  /** Takes over what a member says of itself now. */
  update(member: ClassicMember, terms: ClassicMemberTerms): void {
    this.#protocols.remove(member.protocols)
    member.protocols = terms.protocols
    this.#protocols.add(member.protocols)
    member.rebalanceTimeoutMs = terms.rebalanceTimeoutMs
    member.sessionTimeoutMs = terms.sessionTimeoutMs
  }

  /** Lets the member's join wait. */
  parkJoin(member: ClassicMember): Promise<JoinGroupResponse> {
    if (!member.awaitingJoin) this.#awaitingJoins++
    member.awaitingJoin ??= new Parked()
    return member.awaitingJoin.promise
  }

  /** Answers the member's join, if one waits. */
  answerJoin(member: ClassicMember, answer: JoinGroupResponse): void {
    if (!member.awaitingJoin) return
    member.awaitingJoin.answer(answer)
    member.awaitingJoin = undefined
    this.#awaitingJoins--
  }

  /** Lets the member's sync wait. */
  parkSync(member: ClassicMember): Promise<SyncGroupResponse> {
    member.awaitingSync ??= new Parked()
    return member.awaitingSync.promise
  }

  /** Answers the member's sync, if one waits; false when none did. */
  answerSync(member: ClassicMember, answer: SyncGroupResponse): boolean {
    if (!member.awaitingSync) return false
    member.awaitingSync.answer(answer)
    member.awaitingSync = undefined
    return true
  }

  /** From now on the member owes a sync, or has paid it. */
  expectSync(memberId: string, isExpected: boolean): void {
    if (isExpected) this.#pendingSyncs.add(memberId)
    else this.#pendingSyncs.delete(memberId)
    if (this.#pendingSyncs.size === 0) this.syncAlarm.cancel()
  }

  /** Nobody owes a sync any more. */
  expectNoSyncs(): void {
    this.#pendingSyncs.clear()
    this.syncAlarm.cancel()
  }

  /** Gives the lead to a member that has joined, if the leader has not. False when nobody has joined. */
  electJoinedLeader(): boolean {
    const leader = this.#members.get(this.leaderId)
    if (leader?.awaitingJoin) return true
    for (const member of this.#members.values()) {
      if (!member.awaitingJoin) continue
      this.#leaderId = member.memberId
      return true
    }
    return false
  }

  /** Begins the next generation with the members that there are: in CompletingRebalance, or Empty without any. */
  beginGeneration(): void {
    this.#generationId++
    this.#protocolName = this.#protocols.select(this.#members)
    this.#subscribedTopics = this.#readSubscriptions()
    this.expectNoSyncs()
    this.transitionTo(this.#members.size > 0 ? 'CompletingRebalance' : 'Empty')
  }

  /** The protocol that the members would choose now. */
  nextProtocol(): string | null {
    return this.#protocols.select(this.#members)
  }

  transitionTo(state: ClassicGroupState): void {
    assert(PREVIOUS[state].includes(this.#state), `A group goes from ${this.#state} to ${state}`)
    this.#previousState = this.#state
    this.#state = state
    this.#stateTimestamp = this.#clock.now()
  }

  /** It is no more: nothing of it happens from now on. Its members have had their answers. */
  die(): void {
    this.transitionTo('Dead')
    this.sessions.clear()
    this.joinAlarm.cancel()
    this.syncAlarm.cancel()
  }

  /** The group as the log is to have it: with these assignments, or those that it has. */
  record(assignments?: ReadonlyMap<string, Uint8Array>): GroupRecordOf<'GroupMetadata'> {
    return {
      type: 'GroupMetadata',
      key: { group: this.groupId },
      value: {
        protocolType: this.protocolType,
        generation: this.#generationId,
        protocol: this.#protocolName,
        leader: this.#leaderId ?? null,
        currentStateTimestamp: this.#stateTimestamp,
        members: [...this.#members.values()].map((member) => ({
          ...identityOf(member),
          rebalanceTimeout: member.rebalanceTimeoutMs,
          sessionTimeout: member.sessionTimeoutMs,
          subscription: member.metadata(this.#protocolName),
          assignment: assignments
            ? (assignments.get(member.memberId) ?? NO_BYTES)
            : member.assignment,
        })),
      },
    }
  }

  /** Takes over the assignments of a record of its own: the rest of it came from here. */
  replayOwn({ members }: GroupMetadataValue): void {
    for (const { memberId, assignment } of members) {
      const member = this.#members.get(memberId)
      if (member) member.assignment = assignment
    }
    // A static member that is back may want other topics, though the group stays as it is.
    if (this.#state === 'Stable') this.#subscribedTopics = this.#readSubscriptions()
  }

  tombstones(): readonly GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, value: null }]
  }

  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? this.#isOfConsumers
  }

  validateCommit(client: OffsetClient): undefined {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = client
    if (generationId < 0 && this.isEmpty) return
    if (generationId < 0 && memberId === '' && groupInstanceId === null) {
      const detail = `Group ${this.groupId} has members: only they may commit`
      throw new KafkaError('UNKNOWN_MEMBER_ID', detail)
    }
    const member = this.validMember(memberId, groupInstanceId, generationId)
    if (this.#state === 'CompletingRebalance') {
      const detail = `Group ${this.groupId} waits for the assignment of generation ${generationId}`
      throw new KafkaError('REBALANCE_IN_PROGRESS', detail)
    }
    this.renewSession(member)
  }

  /** A member has been heard of. */
  renewSession({ memberId, sessionTimeoutMs }: ClassicMember): void {
    this.sessions.renew(memberId, sessionTimeoutMs)
  }

  /** Everybody may read a classic group's offsets. */
  validateFetch(): void {}

  validateDelete(): void {
    if (this.isEmpty) return
    throw new KafkaError('NON_EMPTY_GROUP', `Group ${this.groupId} is ${this.#state}`)
  }

  validateOffsetDelete(): void {
    if (!this.#isOfConsumers) this.validateDelete()
  }

  offsetExpiration(): OffsetExpiration | undefined {
    if (this.#protocolType === undefined) return AT_COMMIT
    if (this.isEmpty) {
      const since = this.#stateTimestamp
      return since === -1 ? AT_COMMIT : { baseTimestamp: () => since }
    }
    return this.#state === 'Stable' && this.#subscribedTopics && this.#isOfConsumers
      ? AT_COMMIT
      : undefined
  }

  get #isOfConsumers(): boolean {
    return this.#protocolType === CONSUMER_PROTOCOL_TYPE
  }

  #put(member: ClassicMember): void {
    this.#leaderId ??= member.memberId
    this.#members.set(member.memberId, member)
    this.#protocols.add(member.protocols)
    if (member.groupInstanceId !== null) {
      this.#staticMembers.set(member.groupInstanceId, member.memberId)
    }
  }

  #readSubscriptions(): ReadonlySet<string> | undefined {
    if (!this.#isOfConsumers) return undefined
    const members = [...this.#members.values()]
    return subscribedTopics(members.map((member) => member.metadata(this.#protocolName)))
  }
}

/** Why somebody is not the member that it says it is. */
export type MemberRefusal = 'UNKNOWN_MEMBER_ID' | 'FENCED_INSTANCE_ID'

function identityOf({ memberId, groupInstanceId, clientId, clientHost }: ClassicMember) {
  return { memberId, groupInstanceId, clientId, clientHost }
}
