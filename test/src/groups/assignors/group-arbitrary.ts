// Arbitrary groups for assignors, with current targets that no assignor made: overlapping, outdated, of unknown topics.
import fc from 'fast-check'
import {
  type Assignment,
  EMPTY_ASSIGNMENT,
  toAssignment,
} from '../../../../src/groups/assignors/assignment.ts'
import type {
  AssignorInput,
  AssignorMember,
  TargetAssignments,
} from '../../../../src/groups/assignors/assignor.ts'
import { uuidFromBytes } from '../../../../storage/base/uuid.ts'

/** The id of topic `number`. */
export const topicId = (number: number): string => uuidFromBytes(new Uint8Array(16).fill(number))

const TOPICS = 5
/** One of them exists no more. */
const LOST_TOPIC = TOPICS - 1

const topicIds = fc.uniqueArray(fc.nat(TOPICS - 1), { maxLength: TOPICS })

/** Anything that somebody may claim to have. */
export const assignment: fc.Arbitrary<Assignment> = fc
  .array(fc.tuple(fc.nat(TOPICS), fc.array(fc.nat(30), { maxLength: 12 })), { maxLength: 4 })
  .map((pairs) => toAssignment(pairs.map(([topic, partitions]) => [topicId(topic), partitions])))

const member = (topics: fc.Arbitrary<readonly number[]>): fc.Arbitrary<AssignorMember> =>
  fc.record({
    instanceId: fc.option(fc.string({ maxLength: 4 }), { freq: 2 }),
    subscribedTopicIds: topics.map((numbers) => new Set(numbers.map(topicId))),
    current: fc.oneof(fc.constant(EMPTY_ASSIGNMENT), assignment),
  })

/** A group of one to eight members. */
export const group = (type: AssignorInput['subscriptionType']): fc.Arbitrary<AssignorInput> =>
  topicIds
    .chain((numbers) =>
      fc.tuple(
        fc.uniqueArray(
          fc.tuple(
            fc.string({ minLength: 1, maxLength: 5 }),
            member(type === 'homogeneous' ? fc.constant(numbers) : topicIds),
          ),
          { minLength: 1, maxLength: 8, selector: ([memberId]) => memberId },
        ),
        fc.array(fc.nat(20), { minLength: TOPICS, maxLength: TOPICS }),
      ),
    )
    .map(([members, counts]) => withCounts(type, members, counts))

function withCounts(
  subscriptionType: AssignorInput['subscriptionType'],
  members: readonly [string, AssignorMember][],
  counts: readonly number[],
): AssignorInput {
  const byId = new Map(counts.map((count, number) => [topicId(number), count]))
  byId.delete(topicId(LOST_TOPIC))
  const partitionCount = (id: string) => byId.get(id) ?? -1
  return { subscriptionType, members: new Map(members), topics: { partitionCount } }
}

/** The same group when its members have the targets they were given. */
export function settled(input: AssignorInput, targets: TargetAssignments): AssignorInput {
  const members = Array.from(input.members, ([memberId, of]): [string, AssignorMember] => [
    memberId,
    { ...of, current: targets.get(memberId) ?? EMPTY_ASSIGNMENT },
  ])
  return { ...input, members: new Map(members) }
}

/** What is wrong with the targets as such; empty when each partition that has a subscriber has exactly one owner, a subscriber. */
export function faults(input: AssignorInput, targets: TargetAssignments): string[] {
  const found: string[] = []
  const owners = new Map<string, string>()
  for (const [memberId, target] of targets) {
    const subscribed = input.members.get(memberId)?.subscribedTopicIds
    for (const [id, partitions] of target) {
      if (subscribed?.has(id) !== true) found.push(`${memberId} is not subscribed to ${id}`)
      if (partitions.length === 0) found.push(`${memberId} has an empty list for ${id}`)
      if (partitions.some((partition, at) => at > 0 && partition <= (partitions[at - 1] ?? 0)))
        found.push(`${memberId} has ${id} out of order`)
      for (const partition of partitions) {
        const name = `${id}-${partition}`
        const other = owners.get(name)
        if (other !== undefined) found.push(`${name} belongs to ${other} and ${memberId}`)
        owners.set(name, memberId)
      }
    }
  }
  const wanted = new Set([...input.members.values()].flatMap((of) => [...of.subscribedTopicIds]))
  let total = 0
  for (const id of wanted) total += Math.max(0, input.topics.partitionCount(id))
  if (owners.size !== total) found.push(`${owners.size} of ${total} partitions have an owner`)
  if (targets.size !== input.members.size) found.push('A member has no target')
  return found
}
