// The uniform assignor where members are subscribed to different topics.
import { type Uuid, uuidToBytes } from '#storage/base/uuid.ts'
import { type Assignment, sameAssignment } from './assignment.ts'
import type { AssignorInput, TargetAssignments } from './assignor.ts'
import { LoadRanges } from './load-ranges.ts'
import { currentOwners, UNOWNED } from './partition-owners.ts'

/** Balancing goes over the topics at most this often. It ends earlier as a rule: when a round moves nothing. */
const MAX_ROUNDS = 16

/** A topic with its subscribers and owners, both as indexes of members. */
interface Topic {
  readonly topicId: Uuid
  /** Ascending. */
  readonly subscribers: readonly number[]
  readonly owners: Int32Array
}

/**
 * What nobody has goes to the least loaded subscriber, topics with the most partitions per subscriber first. Then, topic
 * by topic, partitions move from the most to the least loaded subscribers until no move makes the group more even.
 * Members keep what they have unless balance takes it. Balance comes before stickiness.
 */
export function assignHeterogeneous(input: AssignorInput): TargetAssignments {
  const members = [...input.members]
  const topics = sortedTopics(input)
  const loads = new Int32Array(members.length)
  for (const { owners } of topics)
    for (const owner of owners) if (owner !== UNOWNED) loads[owner] = (loads[owner] ?? 0) + 1
  const ranges = new LoadRanges(loads)
  for (const topic of topics) assignUnowned(topic, ranges)
  balance(
    topics.filter(({ subscribers }) => subscribers.length > 1),
    ranges,
  )
  const targets = collect(topics, members.length)
  return new Map(
    members.map(([memberId, { current }], index) => {
      const target = targets[index] ?? current
      return [memberId, sameAssignment(target, current) ? current : target]
    }),
  )
}

/** Most partitions per subscriber first, then fewest subscribers, then by id. */
function sortedTopics(input: AssignorInput): Topic[] {
  const subscribers = new Map<Uuid, number[]>()
  let index = 0
  for (const { subscribedTopicIds } of input.members.values()) {
    for (const topicId of subscribedTopicIds) {
      const known = subscribers.get(topicId)
      if (known === undefined) subscribers.set(topicId, [index])
      else known.push(index)
    }
    index++
  }
  const topics = Array.from(currentOwners(input, subscribers.keys()), ([topicId, owners]) => {
    const ofTopic = subscribers.get(topicId) ?? []
    const share = owners.length / ofTopic.length
    return { topicId, subscribers: ofTopic, owners, share }
  })
  return topics.sort(
    (left, right) =>
      right.share - left.share ||
      left.subscribers.length - right.subscribers.length ||
      compareUuids(left.topicId, right.topicId),
  )
}

/** As Java compares them: two signed 64-bit halves. */
function compareUuids(left: Uuid, right: Uuid): number {
  const [leftView, rightView] = [left, right].map((id) => new DataView(uuidToBytes(id).buffer))
  if (leftView === undefined || rightView === undefined) return 0
  for (const at of [0, 8]) {
    const difference = leftView.getBigInt64(at) - rightView.getBigInt64(at)
    if (difference !== 0n) return difference < 0n ? -1 : 1
  }
  return 0
}

function assignUnowned({ subscribers, owners }: Topic, ranges: LoadRanges): void {
  if (!owners.includes(UNOWNED)) return
  ranges.reset(subscribers)
  for (let partition = 0; partition < owners.length; partition++) {
    if (owners[partition] !== UNOWNED) continue
    const member = ranges.nextLeastLoaded()
    owners[partition] = member
    ranges.add(member, 1)
  }
}

function balance(topics: readonly Topic[], ranges: LoadRanges): void {
  // How many topics in a row had nothing to move, since the last one that had, or the first.
  let unmoved = -1
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (const topic of topics) {
      if (unmoved === topics.length - 1) return
      unmoved = balanceTopic(topic, ranges) ? 0 : unmoved + 1
    }
  }
}

/** Whether a partition moved. */
function balanceTopic({ subscribers, owners }: Topic, ranges: LoadRanges): boolean {
  ranges.reset(subscribers)
  if (ranges.spread <= 1) return false
  const partitionsOf = new Map<number, number[]>()
  for (const [partition, owner] of owners.entries()) {
    const known = partitionsOf.get(owner)
    if (known === undefined) partitionsOf.set(owner, [partition])
    else known.push(partition)
  }
  let hasMoved = false
  for (;;) {
    const from = nextGiver(ranges, partitionsOf)
    // What a member has just been given stays with it: it is not in its list.
    const partition = from === undefined ? undefined : partitionsOf.get(from)?.pop()
    if (from === undefined || partition === undefined) return hasMoved
    const to = ranges.nextLeastLoaded()
    if (ranges.isBalanced) return hasMoved
    owners[partition] = to
    ranges.add(from, -1)
    ranges.add(to, 1)
    hasMoved = true
  }
}

/** The most loaded member that has partitions of the topic to give; undefined when there is none. */
function nextGiver(
  ranges: LoadRanges,
  partitionsOf: ReadonlyMap<number, readonly number[]>,
): number | undefined {
  for (;;) {
    const member = ranges.nextMostLoaded()
    if (member === undefined || (partitionsOf.get(member)?.length ?? 0) > 0) return member
    ranges.excludeMostLoaded()
  }
}

function collect(topics: readonly Topic[], memberCount: number): Assignment[] {
  const targets = Array.from({ length: memberCount }, () => new Map<Uuid, number[]>())
  for (const { topicId, owners } of topics) {
    for (const [partition, owner] of owners.entries()) {
      const target = targets[owner]
      const known = target?.get(topicId)
      if (known === undefined) target?.set(topicId, [partition])
      else known.push(partition)
    }
  }
  return targets
}
