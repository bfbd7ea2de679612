// A consumer group as ConsumerGroupDescribe tells of it.
import type { Uuid } from '#storage/base/uuid.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'

/** Partitions of a topic that exists. */
export interface DescribedPartitions {
  readonly topicId: Uuid
  readonly topicName: string
  readonly partitions: readonly number[]
}

/** A member, what it has and what it is to have. */
export interface DescribedConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly memberEpoch: number
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
  readonly subscribedTopicRegex: string | null
  /** What it may read, also what it was told to give up. */
  readonly assignment: readonly DescribedPartitions[]
  readonly targetAssignment: readonly DescribedPartitions[]
  /** Whether it speaks the classic protocol. */
  readonly isClassic: boolean
}

/** The group. */
export interface DescribedConsumerGroup {
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: readonly DescribedConsumerMember[]
}

/** The group as it is now. */
export function describeConsumerGroup(
  group: ConsumerGroup,
  { image, assignorName }: { image: MetadataImage; assignorName: string },
): DescribedConsumerGroup {
  const { groupId, state: groupState, groupEpoch, assignmentEpoch } = group
  const members = Array.from(group.members.values(), (member) => describe(group, member, image))
  return { groupId, groupState, groupEpoch, assignmentEpoch, assignorName, members }
}

function describe(
  group: ConsumerGroup,
  member: ConsumerMember,
  image: MetadataImage,
): DescribedConsumerMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member
  const { assigned, pendingRevocation, subscribedTopicRegex, classic } = member
  const owned = [...assigned, ...pendingRevocation].map(
    ([topicId, epochs]) => [topicId, [...epochs.keys()]] as const,
  )
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames].sort(),
    subscribedTopicRegex,
    assignment: named(owned, image),
    targetAssignment: named(group.target(memberId), image),
    isClassic: classic !== null,
  }
}

function named(
  assignment: Iterable<readonly [topicId: Uuid, partitions: readonly number[]]>,
  image: MetadataImage,
): DescribedPartitions[] {
  const byTopic = new Map<Uuid, number[]>()
  for (const [topicId, partitions] of assignment) {
    byTopic.set(topicId, [...(byTopic.get(topicId) ?? []), ...partitions])
  }
  return Array.from(byTopic, ([topicId, partitions]) => ({
    topicId,
    topicName: image.topicById(topicId)?.name ?? '',
    partitions: partitions.sort((left, right) => left - right),
  })).filter(({ topicName }) => topicName !== '')
}
