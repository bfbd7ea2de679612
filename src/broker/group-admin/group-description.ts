// A group of any kind in one form: who is in it, who reads what, and how far.
import { KafkaError } from '#storage/base/errors.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { ClassicGroup } from '../../groups/classic/classic-group.ts'
import type { ClassicMember } from '../../groups/classic/classic-member.ts'
import { CONSUMER_PROTOCOL_TYPE } from '../../groups/classic/subscribed-topics.ts'
import type {
  DescribedConsumerMember,
  DescribedPartitions,
} from '../../groups/consumer/describe-group.ts'
import type { Group, GroupType } from '../../groups/group.ts'
import type { GroupShard } from '../../groups/group-shard.ts'
import { isOfTopic } from '../../groups/offsets/committed-offset.ts'
import type { DescribedOffset } from '../../groups/offsets/offset-manager.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { parseAssignment, parseSubscription } from '../../protocol/records/consumer-protocol.ts'

/** A partition by name. */
export interface GroupPartition {
  readonly topic: string
  readonly partition: number
}

/** A member of a group. */
export interface GroupMemberDescription {
  readonly memberId: string
  /** Null for a dynamic member. */
  readonly instanceId: string | null
  readonly clientId: string
  /** Its address. */
  readonly host: string
  readonly rack: string | null
  /** The protocol that the member itself speaks. */
  readonly protocol: 'classic' | 'consumer'
  /** The member's epoch, or the generation of its group. */
  readonly epoch: number
  /** What it asks for by name. Empty where only the members understand what they say. */
  readonly subscribedTopics: readonly string[]
  readonly subscribedPattern: string | null
  /** What it has now. */
  readonly assignment: readonly GroupPartition[]
  /** What it is to have; null in a classic group, which knows no more than what it has. */
  readonly targetAssignment: readonly GroupPartition[] | null
}

/** What is known of one partition: who reads it, from where to where. */
export interface GroupOffsetDescription extends GroupPartition {
  /** Null where nothing is committed; then `lag` is null too. */
  readonly committed: {
    readonly offset: number
    readonly leaderEpoch: number
    readonly metadata: string
    /** When it was committed, in milliseconds since the epoch. */
    readonly timestamp: Int64
  } | null
  /** Null where this broker does not lead the partition. */
  readonly logStartOffset: number | null
  /** The high watermark: where a consumer that has read all stands. */
  readonly logEndOffset: number | null
  /** Records to read; negative when more was committed than there is. */
  readonly lag: number | null
  /** Who has the partition now. */
  readonly memberId: string | null
}

/** A group without its offsets. */
export interface GroupMembership {
  readonly groupId: string
  readonly type: GroupType
  readonly protocolType: string
  readonly state: string
  /** The generation of a classic group, the group epoch of a consumer group; null for other kinds. */
  readonly epoch: number | null
  /** The epoch that the targets belong to; null for all but consumer groups. */
  readonly assignmentEpoch: number | null
  /** Who deals out partitions: the protocol that the members have chosen, or the broker's assignor; null for nobody. */
  readonly assignor: string | null
  readonly members: readonly GroupMemberDescription[]
}

/** A group, as people and programs outside of Kafka's protocol see it. */
export interface GroupDescription extends GroupMembership {
  /** The broker that coordinates the group. */
  readonly coordinator: number
  /** Every partition that has a committed offset or an owner, sorted. */
  readonly offsets: readonly GroupOffsetDescription[]
}

/** The group of this shard as it is now. Share and streams groups are told without members. Throws what describing it throws. */
export function describeMembership(shard: GroupShard, group: Group): GroupMembership {
  const { groupId, type, protocolType, state } = group
  const whose = { groupId, type, protocolType, state }
  if (group instanceof ClassicGroup) {
    const members = Array.from(group.members.values(), (member) => classicMember(group, member))
    const { generationId: epoch, protocolName: assignor } = group
    return { ...whose, epoch, assignmentEpoch: null, assignor, members }
  }
  if (type !== 'consumer') {
    return { ...whose, epoch: null, assignmentEpoch: null, assignor: null, members: [] }
  }
  const { groupEpoch, assignmentEpoch, assignorName, members } = shard.consumer.describe(groupId)
  return {
    ...whose,
    epoch: groupEpoch,
    assignmentEpoch,
    assignor: assignorName,
    members: members.map(consumerMember),
  }
}

/** Partitions in the order of topics and numbers. */
export function byPartition(left: GroupPartition, right: GroupPartition): number {
  if (left.topic === right.topic) return left.partition - right.partition
  return left.topic < right.topic ? -1 : 1
}

/** What a group has committed of topics that are there. */
export function* committedOffsets(
  shard: GroupShard,
  groupId: string,
  image: MetadataImage,
): Generator<DescribedOffset> {
  for (const offset of shard.offsets.offsetsOf(groupId)) {
    const topicId = image.topic(offset.topic)?.id
    if (topicId !== undefined && isOfTopic(offset, topicId)) yield offset
  }
}

function classicMember(group: ClassicGroup, member: ClassicMember): GroupMemberDescription {
  const { memberId, groupInstanceId: instanceId, clientId, clientHost, assignment } = member
  const isOfConsumers = group.protocolType === CONSUMER_PROTOCOL_TYPE
  const said = member.metadata(group.protocolName)
  const subscription = isOfConsumers ? understood(() => parseSubscription(said)) : undefined
  const assigned = isOfConsumers ? understood(() => parseAssignment(assignment)) : undefined
  return {
    memberId,
    instanceId,
    clientId,
    host: addressOf(clientHost),
    rack: subscription?.rackId || null,
    protocol: 'classic',
    epoch: group.generationId,
    subscribedTopics: subscription?.topics.toSorted() ?? [],
    subscribedPattern: null,
    assignment: partitionsOf(assigned?.assignedPartitions ?? []),
    targetAssignment: null,
  }
}

function consumerMember(member: DescribedConsumerMember): GroupMemberDescription {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    host: addressOf(member.clientHost),
    rack: member.rackId,
    protocol: member.isClassic ? 'classic' : 'consumer',
    epoch: member.memberEpoch,
    subscribedTopics: member.subscribedTopicNames,
    subscribedPattern: member.subscribedTopicRegex || null,
    assignment: partitionsOf(member.assignment.map(named)),
    targetAssignment: partitionsOf(member.targetAssignment.map(named)),
  }
}

const named = ({ topicName: topic, partitions }: DescribedPartitions) => ({ topic, partitions })

function partitionsOf(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): GroupPartition[] {
  return topics
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
    .sort(byPartition)
}

/** Without Java's slash. */
function addressOf(clientHost: string): string {
  return clientHost.replace(/^\//, '')
}

/** What the bytes of a client mean; undefined when they mean nothing. */
function understood<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}
