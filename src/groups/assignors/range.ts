// The range assignor: of each topic a contiguous run of partitions for each member.
import type { Uuid } from '#storage/base/uuid.ts'
import { type Assignment, sameAssignment } from './assignment.ts'
import type { Assignor, AssignorInput, AssignorMember, TargetAssignments } from './assignor.ts'

/** A topic while it is handed out. */
interface Runs {
  readonly partitionCount: number
  subscriberCount: number
  /** Members that were served. */
  served: number
}

/**
 * Splits each topic by itself, so topics with as many partitions and the same subscribers are co-partitioned: who has
 * partition 3 of one has partition 3 of the other. Static members come first, by instance id, then the others by member
 * id; only so are members likely to keep what they have.
 */
export const range: Assignor = { name: 'range', assign }

function assign({ members, topics }: AssignorInput): TargetAssignments {
  const runs = new Map<Uuid, Runs>()
  for (const { subscribedTopicIds } of members.values()) {
    for (const topicId of subscribedTopicIds) {
      const known = runs.get(topicId)
      if (known !== undefined) known.subscriberCount++
      else {
        const partitionCount = Math.max(0, topics.partitionCount(topicId))
        runs.set(topicId, { partitionCount, subscriberCount: 1, served: 0 })
      }
    }
  }
  const targets = new Map<string, Assignment>()
  for (const [memberId, { subscribedTopicIds, current }] of [...members].sort(byIdentity)) {
    const target = new Map<Uuid, readonly number[]>()
    for (const topicId of subscribedTopicIds) {
      const partitions = nextRun(runs.get(topicId))
      if (partitions.length > 0) target.set(topicId, partitions)
    }
    targets.set(memberId, sameAssignment(target, current) ? current : target)
  }
  return targets
}

/** ⌊partitions / subscribers⌋ partitions, and one more for the first few as the remainder says. */
function nextRun(runs: Runs | undefined): readonly number[] {
  if (runs === undefined) return []
  const { partitionCount, subscriberCount } = runs
  const quota = Math.floor(partitionCount / subscriberCount)
  const extras = partitionCount % subscriberCount
  const index = runs.served++
  const start = index * quota + Math.min(index, extras)
  const length = index < extras ? quota + 1 : quota
  return Array.from({ length }, (_, at) => start + at)
}

type Entry = readonly [memberId: string, member: AssignorMember]

function byIdentity([leftId, left]: Entry, [rightId, right]: Entry): number {
  if (left.instanceId !== null && right.instanceId !== null)
    return compareText(left.instanceId, right.instanceId)
  if (left.instanceId !== null) return -1
  return right.instanceId !== null ? 1 : compareText(leftId, rightId)
}

/** By UTF-16 units, as Java compares. */
function compareText(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
