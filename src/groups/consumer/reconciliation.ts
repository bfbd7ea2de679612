// One step of a member from what it owns towards what it is to own.
import { KafkaError } from '#storage/base/errors.ts'
import type { Uuid } from '#storage/base/uuid.ts'
import type { Assignment } from '../assignors/assignment.ts'
import { type ConsumerMember, MEMBER_STATE } from './consumer-member.ts'
import {
  addOwned,
  NOTHING_OWNED,
  type OwnedPartitions,
  type OwnedPartitionsDraft,
  ownsAny,
  sameOwned,
  type TopicPartitions,
} from './owned-partitions.ts'

/** What a step depends on beside the member. */
export interface ReconciliationInput {
  /** The epoch of the target assignment. */
  readonly targetEpoch: number
  readonly target: Assignment
  /** Whether the member is subscribed to the topic now, by name or pattern: the target may be older. */
  readonly isSubscribed: (topicId: Uuid) => boolean
  /** The subscription was changed by this request: what it no longer names is taken away at once. */
  readonly hasSubscriptionChanged: boolean
  /** Whether a member of the group has the partition, also one that was told to give it up. */
  readonly isOwned: (topicId: Uuid, partition: number) => boolean
  /** What the client says to own; null when it says nothing. */
  readonly owned: readonly TopicPartitions[] | null
}

/**
 * The next state of a member:
 * ```
 *                       something to give up, and still owned
 *   STABLE ---------------------------------------------------> UNREVOKED_PARTITIONS
 *     |  ^ \                                                       | client no longer owns it
 *     |  |  `--- some of the target is others' ---> UNRELEASED <---+---> STABLE
 *     |  +------ all of the target is free ----------'
 * ```
 * A partition leaves a member only when its client has said so, and comes to a member only when nobody has it. The epoch
 * moves to the target's when nothing has to be given up. Returns the same object when nothing changes. Throws
 * FENCED_MEMBER_EPOCH when a newer Kafka left the member in a state that is unknown here.
 */
export function reconcile(member: ConsumerMember, input: ReconciliationInput): ConsumerMember {
  switch (member.state) {
    case MEMBER_STATE.STABLE:
      if (member.memberEpoch !== input.targetEpoch) return step(member, input)
      return input.hasSubscriptionChanged ? dropUnsubscribed(member, input) : member
    case MEMBER_STATE.UNREVOKED_PARTITIONS:
      if (!mayOwn(member.pendingRevocation, input.owned)) return step(member, input)
      return input.hasSubscriptionChanged ? dropUnsubscribed(member, input) : member
    case MEMBER_STATE.UNRELEASED_PARTITIONS:
      return step(member, input)
    default:
      if (input.owned === null || input.owned.length > 0) {
        throw new KafkaError(
          'FENCED_MEMBER_EPOCH',
          `Member ${member.memberId} is in a state this broker does not know (${member.state}) and must rejoin without partitions`,
        )
      }
      return step(member, input)
  }
}

/** A client that does not say what it owns may own everything. */
function mayOwn(partitions: OwnedPartitions, owned: readonly TopicPartitions[] | null): boolean {
  return owned === null || ownsAny(partitions, owned)
}

/** How what the member has and what it is to have divide. */
interface Division {
  readonly keep: OwnedPartitionsDraft
  readonly revoke: OwnedPartitionsDraft
  /** Free for the member to take. */
  readonly take: (readonly [topicId: Uuid, partition: number])[]
  /** Whether others still have some of the target. */
  hasUnreleased: boolean
}

function step(member: ConsumerMember, input: ReconciliationInput): ConsumerMember {
  const { keep, revoke, take, hasUnreleased } = divide(member, input)
  if (revoke.size > 0 && mayOwn(revoke, input.owned)) {
    return changed(member, {
      state: MEMBER_STATE.UNREVOKED_PARTITIONS,
      memberEpoch: member.memberEpoch,
      assigned: keep,
      pendingRevocation: revoke,
    })
  }
  for (const [topicId, partition] of take) addOwned(keep, topicId, partition, input.targetEpoch)
  return changed(member, {
    state: hasUnreleased ? MEMBER_STATE.UNRELEASED_PARTITIONS : MEMBER_STATE.STABLE,
    memberEpoch: input.targetEpoch,
    assigned: keep,
    pendingRevocation: NOTHING_OWNED,
  })
}

function divide(member: ConsumerMember, input: ReconciliationInput): Division {
  const { assigned, pendingRevocation } = member
  const division: Division = { keep: new Map(), revoke: new Map(), take: [], hasUnreleased: false }
  for (const [topicId, epochs] of assigned) {
    const target = input.isSubscribed(topicId) ? input.target.get(topicId) : undefined
    const wanted = new Set(target)
    for (const [partition, epoch] of epochs) {
      const part = wanted.has(partition) ? division.keep : division.revoke
      addOwned(part, topicId, partition, epoch)
    }
  }
  for (const [topicId, partitions] of input.target) {
    if (!input.isSubscribed(topicId)) continue
    const [own, leaving] = [assigned.get(topicId), pendingRevocation.get(topicId)]
    for (const partition of partitions) {
      if (own?.has(partition)) continue
      // What this member itself gives up is as good as free: nobody else can have it.
      if (input.isOwned(topicId, partition) && !leaving?.has(partition)) {
        division.hasUnreleased = true
      } else {
        division.take.push([topicId, partition])
      }
    }
  }
  return division
}

/** Takes away the topics that are no longer subscribed to, without looking at the target. */
function dropUnsubscribed(member: ConsumerMember, input: ReconciliationInput): ConsumerMember {
  const keep: OwnedPartitionsDraft = new Map()
  const revoke: OwnedPartitionsDraft = new Map()
  for (const [topicId, epochs] of member.pendingRevocation) revoke.set(topicId, new Map(epochs))
  let isDropped = false
  for (const [topicId, epochs] of member.assigned) {
    const isSubscribed = input.isSubscribed(topicId)
    isDropped ||= !isSubscribed
    const part = isSubscribed ? keep : revoke
    for (const [partition, epoch] of epochs) addOwned(part, topicId, partition, epoch)
  }
  if (!isDropped) return member
  const { memberEpoch } = member
  if (mayOwn(revoke, input.owned)) {
    const state = MEMBER_STATE.UNREVOKED_PARTITIONS
    return changed(member, { state, memberEpoch, assigned: keep, pendingRevocation: revoke })
  }
  // The client has let go of them before it was asked.
  const { state, pendingRevocation } = member
  return changed(member, { state, memberEpoch, assigned: keep, pendingRevocation })
}

function changed(
  member: ConsumerMember,
  next: Pick<ConsumerMember, 'state' | 'memberEpoch' | 'assigned' | 'pendingRevocation'>,
): ConsumerMember {
  const assigned = sameOwned(member.assigned, next.assigned) ? member.assigned : next.assigned
  const isSame =
    next.state === member.state &&
    next.memberEpoch === member.memberEpoch &&
    member.previousMemberEpoch === member.memberEpoch &&
    assigned === member.assigned &&
    sameOwned(next.pendingRevocation, member.pendingRevocation)
  if (isSame) return member
  return { ...member, ...next, assigned, previousMemberEpoch: member.memberEpoch }
}
