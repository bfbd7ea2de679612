// Our assignors, hashes, patterns and consumer protocol against what Kafka's own made of the same input.
import { expect, test } from 'vitest'
import type { Uuid } from '#storage/base/uuid.ts'
import { type Assignment, toAssignment } from '../../../src/groups/assignors/assignment.ts'
import type { AssignorMember, TargetAssignments } from '../../../src/groups/assignors/assignor.ts'
import { assignorOf } from '../../../src/groups/assignors/assignors.ts'
import { groupMetadataHash, hashTopic } from '../../../src/groups/subscriptions/metadata-hash.ts'
import { compileTopicPattern } from '../../../src/groups/subscriptions/topic-pattern.ts'
import { xxh3 } from '../../../src/groups/subscriptions/xxh3.ts'
import type { PartitionImage, TopicImage } from '../../../src/metadata/image.ts'
import {
  parseAssignment,
  parseSubscribedTopics,
  parseSubscription,
  serializeAssignment,
  serializeSubscription,
} from '../../../src/protocol/records/consumer-protocol.ts'
import { canonicalInt64, type Int64 } from '../../../storage/bytes/int64.ts'
import {
  type GoldenConsumerProtocol,
  type GoldenGroup,
  type GoldenStep,
  goldenConsumerProtocol,
  goldenGroupHashes,
  goldenGroups,
  goldenNames,
  goldenPatterns,
  goldenTopicHashes,
  goldenXxh3,
} from './golden-groups.ts'

/** Our target after a step, and before it what the step starts with. */
function assignStep(
  { assignor, type, topics }: GoldenGroup,
  { counts, members }: GoldenStep,
  before: TargetAssignments,
): TargetAssignments {
  const inputs = members.map(([memberId, instanceId, wanted, from]): [string, AssignorMember] => {
    const subscribedTopicIds = new Set(wanted.map((topic) => topics[topic] ?? ''))
    const current: Assignment = before.get(from) ?? new Map()
    return [memberId, { instanceId, subscribedTopicIds, current }]
  })
  const targets = assignorOf(assignor)?.assign({
    subscriptionType: type,
    members: new Map(inputs),
    topics: { partitionCount: (topicId: Uuid) => counts[topics.indexOf(topicId)] ?? -1 },
  })
  return targets ?? new Map()
}

/** The target that the step's owners say. */
function kafkaTargets({ topics }: GoldenGroup, { members, owners }: GoldenStep) {
  return new Map(
    members.map(([memberId], member) => {
      const pairs = topics.map((topicId, topic): [Uuid, number[]] => [
        topicId,
        [...(owners[topic] ?? []).entries()].flatMap(([at, owner]) => (owner === member ? at : [])),
      ])
      return [memberId, toAssignment(pairs)]
    }),
  )
}

for (const assignor of ['uniform', 'range'] as const) {
  for (const type of ['homogeneous', 'heterogeneous'] as const) {
    test(`The ${assignor} assignor gives ${type} groups what Kafka's gives them`, () => {
      const groups = goldenGroups.filter(
        (group) => group.assignor === assignor && group.type === type,
      )
      expect(groups.length).toBeGreaterThan(30)
      for (const group of groups) {
        let before: TargetAssignments = new Map()
        for (const [number, step] of group.steps.entries()) {
          const targets = assignStep(group, step, before)
          const name = `group ${goldenGroups.indexOf(group)}, step ${number}`
          expect([...targets.keys()].sort(), name).toEqual(step.members.map(([id]) => id).sort())
          expect(targets, name).toEqual(kafkaTargets(group, step))
          before = targets
        }
      }
    })
  }
}

test('xxh3() gives the hash that hash4j gives, for every way of each length', () => {
  expect(goldenXxh3.length).toBeGreaterThan(290)
  for (const { length, xxh3: expected } of goldenXxh3) {
    const bytes = Uint8Array.from({ length }, (_, at) => at * 31 + Math.floor(at / 7))
    expect(BigInt.asIntN(64, xxh3(bytes)), `${length} bytes`).toBe(BigInt(expected))
  }
})

test("xxh3() looks at a view's own bytes only", () => {
  const whole = Uint8Array.from({ length: 400 }, (_, at) => at)
  for (const size of [5, 12, 100, 200, 300])
    expect(xxh3(whole.subarray(50, 50 + size))).toBe(xxh3(whole.slice(50, 50 + size)))
})

const int64 = (text: string): Int64 => canonicalInt64(BigInt(text))

/** A topic whose replicas are numbered through, and the racks of their brokers. */
function topicOf({ topic, id, racks }: (typeof goldenTopicHashes)[number]) {
  const rackOf: string[] = []
  const partitions = racks.map((ofPartition, partition): PartitionImage => {
    const replicas = ofPartition.map((rack) => rackOf.push(rack) - 1)
    return {
      partition,
      replicas,
      directories: [],
      isr: replicas,
      elr: [],
      lastKnownElr: [],
      removingReplicas: [],
      addingReplicas: [],
      leader: 0,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
    }
  })
  const image: TopicImage = { name: topic, id, partitions }
  return { image, rackOf }
}

test('hashTopic() gives the hash that Kafka gives a topic', () => {
  expect(goldenTopicHashes.length).toBe(120)
  for (const golden of goldenTopicHashes) {
    const { image, rackOf } = topicOf(golden)
    expect(
      hashTopic(image, (brokerId) => rackOf[brokerId]),
      golden.topic,
    ).toBe(int64(golden.hash))
  }
})

test('hashTopic() passes over brokers without a rack', () => {
  const bare = goldenTopicHashes.find(({ racks }) => racks.length === 3 && racks[0]?.length === 3)
  if (bare === undefined) throw new Error('No such topic')
  const { image } = topicOf(bare)
  const withoutRacks = topicOf({ ...bare, racks: [[], [], []] }).image
  const expected = hashTopic(withoutRacks, () => undefined)
  expect(hashTopic(image, () => null)).toBe(expected)
  expect(hashTopic(image, () => 'a')).not.toBe(expected)
})

test('groupMetadataHash() gives the hash that Kafka gives a group', () => {
  expect(goldenGroupHashes.length).toBe(121)
  for (const { group, hash } of goldenGroupHashes) {
    // In the opposite order of their names, which must not matter.
    const hashes = Object.entries(group)
      .sort(([left], [right]) => (left < right ? 1 : -1))
      .map(([topic, ofTopic]): [string, Int64] => [topic, int64(ofTopic)])
    expect(groupMetadataHash(new Map(hashes))).toBe(int64(hash))
  }
})

test.each(goldenPatterns)('A topic pattern means what it means to Kafka: $pattern', (golden) => {
  if (golden.matches === null) {
    expect(() => compileTopicPattern(golden.pattern)).toThrow(
      expect.objectContaining({ code: 'INVALID_REGULAR_EXPRESSION' }),
    )
    return
  }
  const pattern = compileTopicPattern(golden.pattern)
  expect(goldenNames.filter((name) => pattern.matches(name))).toEqual(golden.matches)
})

const base64 = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString('base64')

const userDataOf = ({ value }: GoldenConsumerProtocol) =>
  value.userData === null ? null : Buffer.from(value.userData, 'base64')

const topicPartitions = (ofTopics: Readonly<Record<string, readonly number[]>> = {}) =>
  Object.entries(ofTopics).map(([topic, partitions]) => ({ topic, partitions }))

const messages = (name: GoldenConsumerProtocol['message']) =>
  goldenConsumerProtocol.filter(({ message }) => message === name)

test.each(messages('subscription'))(
  "A subscription of version $version has Kafka's bytes",
  (golden) => {
    const { version, value } = golden
    const expected = {
      topics: value.topics ?? [],
      userData: userDataOf(golden),
      ownedPartitions: version >= 1 ? topicPartitions(value.owned) : [],
      generationId: version >= 2 ? (value.generationId ?? -1) : -1,
      rackId: version >= 3 ? (value.rackId ?? null) : null,
    }
    const bytes = Buffer.from(golden.bytes, 'base64')
    const parsed = parseSubscription(bytes)
    expect({ ...parsed, userData: base64(parsed.userData) }).toEqual({
      ...expected,
      userData: value.userData,
    })
    expect(base64(serializeSubscription(expected, version))).toBe(golden.bytes)
    expect(parseSubscribedTopics(bytes)).toEqual(value.topics)
  },
)

test.each(messages('assignment'))(
  "An assignment of version $version has Kafka's bytes",
  (golden) => {
    const { version, value } = golden
    const expected = {
      assignedPartitions: topicPartitions(value.assigned),
      userData: userDataOf(golden),
    }
    const parsed = parseAssignment(Buffer.from(golden.bytes, 'base64'))
    expect({ ...parsed, userData: base64(parsed.userData) }).toEqual({
      ...expected,
      userData: value.userData,
    })
    expect(base64(serializeAssignment(expected, version))).toBe(golden.bytes)
  },
)
