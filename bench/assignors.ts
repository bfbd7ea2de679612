// Micro benches of what a rebalance computes: `npm run bench:assignors`.
import { bench, group, run } from 'mitata'
import { type Uuid, uuidFromBytes } from '#storage/base/uuid.ts'
import { EMPTY_ASSIGNMENT } from '../src/groups/assignors/assignment.ts'
import type {
  AssignorInput,
  AssignorMember,
  TargetAssignments,
} from '../src/groups/assignors/assignor.ts'
import { range } from '../src/groups/assignors/range.ts'
import { uniform } from '../src/groups/assignors/uniform.ts'
import { hashTopic } from '../src/groups/subscriptions/metadata-hash.ts'
import { compileTopicPattern } from '../src/groups/subscriptions/topic-pattern.ts'
import type { PartitionImage } from '../src/metadata/image.ts'

const TOPICS = 10

const topicIds: readonly Uuid[] = Array.from({ length: TOPICS }, (_, topic) =>
  uuidFromBytes(new Uint8Array(16).fill(topic + 1)),
)

/** A group whose members share ten topics, or where each leaves one out. */
function newGroup(
  type: AssignorInput['subscriptionType'],
  { memberCount, partitionCount }: { memberCount: number; partitionCount: number },
): AssignorInput {
  const members = Array.from({ length: memberCount }, (_, number): [string, AssignorMember] => {
    const wanted = topicIds.filter((_id, at) => type === 'homogeneous' || at !== number % TOPICS)
    const member = { instanceId: null, subscribedTopicIds: new Set(wanted) }
    return [`member-${number}`, { ...member, current: EMPTY_ASSIGNMENT }]
  })
  const topics = { partitionCount: () => partitionCount / TOPICS }
  return { subscriptionType: type, members: new Map(members), topics }
}

/** The group with these targets when its first member has left and another has joined. */
function afterChange(input: AssignorInput, targets: TargetAssignments): AssignorInput {
  const members = Array.from(input.members, ([memberId, member]): [string, AssignorMember] => [
    memberId,
    { ...member, current: targets.get(memberId) ?? EMPTY_ASSIGNMENT },
  ])
  const [first, ...others] = members
  if (first === undefined) return input
  const newcomer: AssignorMember = { ...first[1], current: EMPTY_ASSIGNMENT }
  return { ...input, members: new Map([...others, ['newcomer', newcomer]]) }
}

for (const size of [
  { memberCount: 500, partitionCount: 1000 },
  { memberCount: 1000, partitionCount: 10_000 },
]) {
  group(`${size.memberCount} members, ${size.partitionCount} partitions`, () => {
    for (const type of ['homogeneous', 'heterogeneous'] as const) {
      const fresh = newGroup(type, size)
      const changed = afterChange(fresh, uniform.assign(fresh))
      bench(`uniform, ${type}, from nothing`, () => uniform.assign(fresh))
      bench(`uniform, ${type}, one leaves and one joins`, () => uniform.assign(changed))
      bench(`range, ${type}`, () => range.assign(fresh))
    }
  })
}

const partition: PartitionImage = {
  partition: 0,
  replicas: [1, 2, 3],
  directories: [],
  isr: [1, 2, 3],
  elr: [],
  lastKnownElr: [],
  removingReplicas: [],
  addingReplicas: [],
  leader: 1,
  leaderRecoveryState: 0,
  leaderEpoch: 0,
  partitionEpoch: 0,
}

group('the hash of a topic', () => {
  for (const count of [1, 100, 10_000]) {
    const topic = {
      name: 'orders.eu-west',
      id: topicIds[0] ?? '',
      partitions: new Array(count).fill(partition),
    }
    bench(`${count} partitions without racks`, () => hashTopic(topic, () => null))
    bench(`${count} partitions of three racks`, () => hashTopic(topic, (id) => `eu-west-1${id}`))
  }
})

group('10,000 topic names', () => {
  const names = Array.from({ length: 10_000 }, (_, number) => `orders.eu-west.${number}`)
  for (const text of ['orders\\..*', '(?i).*WEST.*7', 'a.*']) {
    const pattern = compileTopicPattern(text)
    bench(`against ${text}`, () => names.filter((name) => pattern.matches(name)))
  }
})

await run()
