// The target assignment of a consumer group: what each member is to own, as an assignor says.
import type { Uuid } from '#storage/base/uuid.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { type Assignment, EMPTY_ASSIGNMENT, sameAssignment } from '../assignors/assignment.ts'
import type { Assignor, AssignorMember } from '../assignors/assignor.ts'
import type { GroupRecord } from '../group-record.ts'
import { subscriptionTypeOf } from '../subscriptions/subscription-type.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, regexOf } from './consumer-member.ts'
import { assignmentEpochRecord, targetRecord } from './consumer-records.ts'

/** A target and the group epoch that it was computed for. */
export interface Target {
  readonly epoch: number
  readonly assignment: Assignment
}

/** The target that the group has for the member; for a static member that replaces another, that one's. */
export function lastTarget(group: ConsumerGroup, member: ConsumerMember): Target {
  const { memberId, instanceId } = member
  const replacedId = instanceId === null ? undefined : group.staticMembers.get(instanceId)
  return { epoch: group.assignmentEpoch, assignment: group.target(replacedId ?? memberId) }
}

/** What a new target depends on beside the group. */
export interface TargetInput {
  /** The member that is being changed, as it will be; it may be new, or replace a static member. */
  readonly member: ConsumerMember
  readonly groupEpoch: number
  readonly assignor: Assignor
  readonly image: MetadataImage
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Computes targets for all members and adds the records of those that changed. Returns the member's. */
export function newTarget(
  group: ConsumerGroup,
  input: TargetInput,
  records: GroupRecord[],
): Target {
  const { member, groupEpoch, assignor, image } = input
  const members = membersWith(group, member)
  const assigned = assignor.assign({
    subscriptionType: subscriptionTypeOf(members.values().map(subscriptionOf)),
    members: assignorMembers(group, members, image),
    topics: { partitionCount: (topicId) => image.topicById(topicId)?.partitions.length ?? -1 },
  })
  for (const memberId of members.keys()) {
    const target = assigned.get(memberId) ?? EMPTY_ASSIGNMENT
    const isKnown = group.hasTarget(memberId) && sameAssignment(group.target(memberId), target)
    if (!isKnown) records.push(targetRecord(group.groupId, memberId, target))
  }
  records.push(assignmentEpochRecord(group.groupId, { epoch: groupEpoch, timestamp: input.now }))
  return { epoch: groupEpoch, assignment: assigned.get(member.memberId) ?? EMPTY_ASSIGNMENT }
}

/** Whether a topic id is one that the member is subscribed to. */
export function subscriptionCheck(
  group: ConsumerGroup,
  member: ConsumerMember,
  image: MetadataImage,
): (topicId: Uuid) => boolean {
  const byRegex = group.resolvedRegexes.get(regexOf(member) ?? '')?.topics
  return (topicId) => {
    const name = image.topicById(topicId)?.name
    if (name === undefined) return false
    return member.subscribedTopicNames.has(name) || (byRegex?.has(name) ?? false)
  }
}

/** The members as they will be: one may be new, and one may replace a static member. */
function membersWith(group: ConsumerGroup, member: ConsumerMember): Map<string, ConsumerMember> {
  const members = new Map(group.members)
  members.set(member.memberId, member)
  const replaced = group.staticMember(member.instanceId)
  if (replaced !== undefined && replaced.memberId !== member.memberId) {
    members.delete(replaced.memberId)
  }
  return members
}

function assignorMembers(
  group: ConsumerGroup,
  members: ReadonlyMap<string, ConsumerMember>,
  image: MetadataImage,
): Map<string, AssignorMember> {
  const topicIds = new TopicIds(group, image)
  return new Map(
    Array.from(members, ([memberId, member]) => [
      memberId,
      {
        instanceId: member.instanceId,
        subscribedTopicIds: topicIds.of(member),
        current: lastTarget(group, member).assignment,
      },
    ]),
  )
}

/** The topic ids of subscriptions. Members that are subscribed to the same mostly have the same set. */
class TopicIds {
  readonly #group: ConsumerGroup
  readonly #image: MetadataImage
  readonly #bySubscription = new Map<string, ReadonlySet<Uuid>>()

  constructor(group: ConsumerGroup, image: MetadataImage) {
    this.#group = group
    this.#image = image
  }

  of(member: ConsumerMember): ReadonlySet<Uuid> {
    const regex = regexOf(member) ?? ''
    const names = [...member.subscribedTopicNames].sort()
    const key = JSON.stringify([names, regex])
    const known = this.#bySubscription.get(key)
    if (known) return known
    const all = new Set([...names, ...(this.#group.resolvedRegexes.get(regex)?.topics ?? [])])
    const ids = new Set<Uuid>()
    for (const name of all) {
      const id = this.#image.topic(name)?.id
      if (id !== undefined) ids.add(id)
    }
    this.#bySubscription.set(key, ids)
    return ids
  }
}

function subscriptionOf(member: ConsumerMember): {
  topicNames: ReadonlySet<string>
  topicPattern: string
} {
  return { topicNames: member.subscribedTopicNames, topicPattern: regexOf(member) ?? '' }
}
