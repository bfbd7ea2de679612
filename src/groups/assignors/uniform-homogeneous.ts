// The uniform assignor where all members are subscribed to the same topics.
import type { Uuid } from '#storage/base/uuid.ts'
import { type Assignment, EMPTY_ASSIGNMENT, sameAssignment } from './assignment.ts'
import type { AssignorInput, TargetAssignments } from './assignor.ts'
import { currentOwners, type PartitionOwners, UNOWNED } from './partition-owners.ts'

/** A partition that nobody has yet. */
interface FreePartition {
  readonly topicId: Uuid
  readonly partition: number
}

/** A member's next assignment while it is put together. */
interface Draft {
  readonly partitions: Map<Uuid, number[]>
  /** How many more it takes. */
  room: number
}

/**
 * Every member gets ⌊partitions / members⌋, and as many as the remainder says one more. Members keep what they have up to
 * their quota; the rest goes to those with room, in order: first what nobody had, then what was taken away.
 * Balance comes before stickiness.
 */
export function assignHomogeneous(input: AssignorInput): TargetAssignments {
  const members = [...input.members]
  const [first] = members
  if (first === undefined) return new Map()
  const topicIds = first[1].subscribedTopicIds
  const owners = currentOwners(input, topicIds)
  const free = unowned(owners)
  const drafts = keep(
    members.map(([, member]) => member.current),
    owners,
    free,
  )
  hand(free, drafts)
  return new Map(
    members.map(([memberId, { current }], index) => [
      memberId,
      finished(drafts[index]?.partitions, current),
    ]),
  )
}

function unowned(owners: PartitionOwners): FreePartition[] {
  const free: FreePartition[] = []
  for (const [topicId, ofTopic] of owners) {
    for (let partition = 0; partition < ofTopic.length; partition++)
      if (ofTopic[partition] === UNOWNED) free.push({ topicId, partition })
  }
  return free
}

/** What each member keeps, and how many more it takes. What exceeds a quota is added to `free`. */
function keep(
  current: readonly Assignment[],
  owners: PartitionOwners,
  free: FreePartition[],
): Draft[] {
  let total = 0
  for (const ofTopic of owners.values()) total += ofTopic.length
  const quota = Math.floor(total / current.length)
  let extras = total % current.length
  return current.map((had, index) => {
    const draft: Draft = { partitions: new Map(), room: extras > 0 ? quota + 1 : quota }
    for (const [topicId, ofTopic] of owners) {
      const owned = (had.get(topicId) ?? []).filter((partition) => ofTopic[partition] === index)
      for (const partition of owned.splice(draft.room)) free.push({ topicId, partition })
      draft.room -= owned.length
      if (owned.length > 0) draft.partitions.set(topicId, owned)
    }
    // Whoever has no use for the extra partition leaves it to a later member that may have it already, as long as
    // there are more members left than extras.
    const isLeft = extras > 0 && draft.room > 0 && current.length - index > extras
    if (isLeft) draft.room--
    else if (extras > 0) extras--
    return draft
  })
}

function hand(free: readonly FreePartition[], drafts: readonly Draft[]): void {
  let next = 0
  for (const { partitions, room } of drafts) {
    for (const { topicId, partition } of free.slice(next, next + room)) {
      const ofTopic = partitions.get(topicId)
      if (ofTopic === undefined) partitions.set(topicId, [partition])
      else ofTopic.push(partition)
    }
    next += room
  }
}

function finished(partitions: Map<Uuid, number[]> | undefined, current: Assignment): Assignment {
  if (partitions === undefined) return EMPTY_ASSIGNMENT
  for (const ofTopic of partitions.values()) ofTopic.sort((left, right) => left - right)
  return sameAssignment(partitions, current) ? current : partitions
}
