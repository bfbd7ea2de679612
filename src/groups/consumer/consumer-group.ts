// A group of the consumer protocol (KIP-848), as the log has it.
import { KafkaError } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { type Assignment, EMPTY_ASSIGNMENT } from '../assignors/assignment.ts'
import type { Group, OffsetClient, OffsetExpiration, OffsetReader } from '../group.ts'
import type { GroupRecord } from '../group-record.ts'
import {
  type ConsumerMember,
  classicProtocols,
  isReconciledTo,
  MEMBER_STATE,
  newMember,
  regexOf,
} from './consumer-member.ts'
import { groupTombstones, type ResolvedRegex } from './consumer-records.ts'
import { Counts } from './counts.ts'
import { ownedSince } from './owned-partitions.ts'
import { PartitionOwners } from './partition-owners.ts'

/** The epochs before the first record: a group's first change makes the group epoch 2. */
const INITIAL_EPOCH = 1
/** The first version of OffsetCommit whose clients know of stale epochs. */
const COMMIT_WITH_EPOCHS_VERSION = 9

/** Commits age by themselves: how long the group has been empty does not matter. */
const SINCE_COMMIT: OffsetExpiration = { baseTimestamp: (commitTimestamp) => commitTimestamp }

/**
 * A consumer group. The set-, update- and remove- methods are for the replay of records alone; plans read, and write
 * records. The group epoch grows with every change of members' subscriptions and of topics; the assignment epoch is the
 * group epoch that the targets were computed for; a member's epoch is the assignment epoch it has come to.
 */
export class ConsumerGroup implements Group {
  readonly groupId: string
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  groupEpoch = INITIAL_EPOCH
  /** Of the topics that the group is subscribed to, as of the group epoch. */
  metadataHash: Int64 = 0
  assignmentEpoch = INITIAL_EPOCH
  /** When the targets were computed, in milliseconds since the epoch; 0 when that is not known. */
  assignmentTimestamp = 0
  /** A Kafka 4.0 or older has left a record that is to be removed. */
  hasPartitionMetadataRecord = false
  /**
   * Not logged: topics that the group is subscribed to may differ from what the metadata hash says. So they may when
   * the group has just been loaded.
   */
  isMetadataStale = true
  readonly #members = new Map<string, ConsumerMember>()
  readonly #staticMembers = new Map<string, string>()
  readonly #targets = new Map<string, Assignment>()
  readonly #owners = new PartitionOwners()
  readonly #topics = new Counts()
  readonly #regexes = new Counts()
  readonly #resolvedRegexes = new Map<string, ResolvedRegex>()
  readonly #assignors = new Counts()
  readonly #classicProtocols = new Counts()
  #classicMemberCount = 0

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get state(): 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' {
    if (this.#members.size === 0) return 'Empty'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** By member id, in the order of the log. */
  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  /** Member ids by instance id. */
  get staticMembers(): ReadonlyMap<string, string> {
    return this.#staticMembers
  }

  /** How many members are subscribed to a topic by name, and one more for each pattern that stands for it. */
  get topics(): Counts {
    return this.#topics
  }

  /** How many members are subscribed to each pattern. */
  get regexes(): Counts {
    return this.#regexes
  }

  /** The topics that patterns stood for when they were last looked at. */
  get resolvedRegexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#resolvedRegexes
  }

  /** How many members ask for each assignor. */
  get assignors(): Counts {
    return this.#assignors
  }

  /** How many members speak the classic protocol. */
  get classicMemberCount(): number {
    return this.#classicMemberCount
  }

  /** The member. Throws UNKNOWN_MEMBER_ID. */
  member(memberId: string): ConsumerMember {
    const member = this.#members.get(memberId)
    if (member) return member
    const detail = `Member ${memberId} is not a member of group ${this.groupId}`
    throw new KafkaError('UNKNOWN_MEMBER_ID', detail)
  }

  /** The member of this instance id, if there is one. */
  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = instanceId === null ? undefined : this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** What a member is to own. */
  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? EMPTY_ASSIGNMENT
  }

  /** Whether a target was written for the member; it may be empty. */
  hasTarget(memberId: string): boolean {
    return this.#targets.has(memberId)
  }

  /** Whether a member has the partition, also one that was told to give it up. */
  isOwned(topicId: Uuid, partition: number): boolean {
    return this.#owners.has(topicId, partition)
  }

  /** Whether a part of the member's target is still another's. */
  isWaitingForPartitions(member: ConsumerMember): boolean {
    if (member.state !== MEMBER_STATE.UNRELEASED_PARTITIONS) return false
    for (const [topicId, partitions] of this.target(member.memberId)) {
      const own = member.assigned.get(topicId)
      if (partitions.some((one) => !own?.has(one) && this.isOwned(topicId, one))) return true
    }
    return false
  }

  /** Whether every classic member supports one of these protocols. */
  supportsClassicProtocols(names: readonly string[]): boolean {
    if (this.isEmpty) return names.length > 0
    return names.some((name) => this.#classicProtocols.of(name) === this.#classicMemberCount)
  }

  isSubscribedTo(topic: string): boolean {
    return this.#topics.of(topic) > 0
  }

  validateCommit(client: OffsetClient): ((topicId: string, partition: number) => void) | undefined {
    const { memberId, generationIdOrMemberEpoch: epoch, version } = client
    if (epoch < 0 && this.isEmpty) return undefined
    const member = this.member(memberId)
    if (member.classic === null && version < COMMIT_WITH_EPOCHS_VERSION) {
      const detail = `A member of the consumer protocol commits with OffsetCommit v${COMMIT_WITH_EPOCHS_VERSION} or later, not v${version}`
      throw new KafkaError('UNSUPPORTED_VERSION', detail)
    }
    if (epoch === member.memberEpoch) return undefined
    if (epoch > member.memberEpoch) throw staleEpoch(member, epoch)
    return (topicId, partition) => {
      const since =
        ownedSince(member.assigned, topicId, partition) ??
        ownedSince(member.pendingRevocation, topicId, partition)
      if (since === undefined || epoch < since) throw staleEpoch(member, epoch)
    }
  }

  validateFetch({ memberId, generationIdOrMemberEpoch: epoch }: OffsetReader): void {
    if (memberId === null && epoch < 0) return
    const member = this.member(memberId ?? '')
    if (epoch !== member.memberEpoch) throw staleEpoch(member, epoch)
  }

  validateDelete(): void {
    if (this.isEmpty) return
    const detail = `Group ${this.groupId} has ${this.#members.size} members`
    throw new KafkaError('NON_EMPTY_GROUP', detail)
  }

  /** Offsets of topics that nobody is subscribed to may go at any time. */
  validateOffsetDelete(): void {}

  offsetExpiration(): OffsetExpiration {
    return SINCE_COMMIT
  }

  tombstones(): readonly GroupRecord[] {
    const memberIds = [...this.#members.keys()]
    return groupTombstones(this.groupId, { memberIds, regexes: this.#resolvedRegexes.keys() })
  }

  /** Replays a change of a member, known before or not. */
  updateMember(member: ConsumerMember): void {
    const before = this.#members.get(member.memberId)
    this.#members.set(member.memberId, member)
    if (before && before.instanceId !== member.instanceId) this.#removeInstance(before)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    this.#count(before, member)
  }

  /** Replays the end of a member. */
  removeMember(memberId: string): void {
    const before = this.#members.get(memberId)
    if (before === undefined) return
    this.#members.delete(memberId)
    this.#removeInstance(before)
    this.#count(before, undefined)
  }

  /** Replays a target. */
  setTarget(memberId: string, target: Assignment): void {
    this.#targets.set(memberId, target)
  }

  /** Replays the end of a target. */
  removeTarget(memberId: string): void {
    this.#targets.delete(memberId)
  }

  /** Replays what a pattern stands for; undefined when nobody is subscribed to it any more. */
  resolveRegex(regex: string, resolved: ResolvedRegex | undefined): void {
    this.#topics.remove(this.#resolvedRegexes.get(regex)?.topics ?? [])
    // Deleted first, so that the order of the map is that of the log.
    this.#resolvedRegexes.delete(regex)
    if (resolved === undefined) return
    this.#resolvedRegexes.set(regex, resolved)
    this.#topics.add(resolved.topics)
  }

  /** The member of this id, or one that nothing is known of. */
  memberOrNew(memberId: string): ConsumerMember {
    return this.#members.get(memberId) ?? newMember(memberId)
  }

  #removeInstance({ instanceId, memberId }: ConsumerMember): void {
    if (instanceId === null || this.#staticMembers.get(instanceId) !== memberId) return
    this.#staticMembers.delete(instanceId)
  }

  #count(before: ConsumerMember | undefined, after: ConsumerMember | undefined): void {
    this.#owners.replace(before, after)
    if (before?.subscribedTopicNames !== after?.subscribedTopicNames) {
      this.#topics.remove(before?.subscribedTopicNames ?? [])
      this.#topics.add(after?.subscribedTopicNames ?? [])
    }
    this.#regexes.remove(one(regexOf(before)))
    this.#regexes.add(one(regexOf(after)))
    this.#assignors.remove(one(before?.serverAssignor))
    this.#assignors.add(one(after?.serverAssignor))
    if (before?.classic === after?.classic) return
    this.#classicMemberCount += (after?.classic ? 1 : 0) - (before?.classic ? 1 : 0)
    if (before) this.#classicProtocols.remove(classicProtocols(before).map(({ name }) => name))
    if (after) this.#classicProtocols.add(classicProtocols(after).map(({ name }) => name))
  }
}

const one = (name: string | null | undefined): string[] =>
  name === undefined || name === null ? [] : [name]

function staleEpoch(member: ConsumerMember, epoch: number): KafkaError {
  const { memberId, memberEpoch } = member
  return member.classic === null
    ? new KafkaError(
        'STALE_MEMBER_EPOCH',
        `Member ${memberId} is at epoch ${memberEpoch}, not at ${epoch}`,
      )
    : new KafkaError(
        'ILLEGAL_GENERATION',
        `Member ${memberId} is in generation ${memberEpoch}, not in ${epoch}`,
      )
}
