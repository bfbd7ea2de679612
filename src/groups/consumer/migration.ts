// Groups that change their protocol while their members go on: classic to consumer, and back.
import { KafkaError } from '#storage/base/errors.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import {
  consumerProtocolVersion,
  parseAssignment,
  parseSubscription,
  serializeAssignment,
} from '../../protocol/records/consumer-protocol.ts'
import { type Assignment, EMPTY_ASSIGNMENT, toAssignment } from '../assignors/assignment.ts'
import type { ClassicGroup } from '../classic/classic-group.ts'
import { ClassicMember } from '../classic/classic-member.ts'
import { MemberProtocols } from '../classic/member-protocols.ts'
import type { Group } from '../group.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, classicProtocols, newMember } from './consumer-member.ts'
import {
  assignmentEpochRecord,
  currentAssignmentRecord,
  groupEpochRecord,
  groupTombstones,
  memberRecord,
  targetRecord,
} from './consumer-records.ts'
import { replayConsumerRecord } from './consumer-replay.ts'
import {
  allowsMigration,
  type ConsumerWorld,
  type Draft,
  notConsumerGroup,
} from './consumer-world.ts'
import { addOwned, type OwnedPartitionsDraft } from './owned-partitions.ts'

/**
 * A classic group as a consumer group, which it will be when the records are written: members as they are, stable, with
 * what their leader gave them as assignment and as target. A member that joins next makes it rebalance. Members that
 * wait for a join or a sync are told to join again when the group's tombstone is replayed. Throws GROUP_ID_NOT_FOUND when the group cannot be converted.
 */
export function upgrade(
  world: ConsumerWorld,
  classic: ClassicGroup,
  { records, effects }: Draft,
): ConsumerGroup {
  const { groupId } = classic
  checkUpgrade(world, classic)
  const made = upgradeRecords(world, classic)
  // The group is what its records say, here as at every start.
  const groups = new Map<string, Group>()
  for (const record of made) replayConsumerRecord(groups, record)
  records.push(...classic.tombstones(), ...made)
  effects.push(() => {
    for (const { memberId, sessionTimeoutMs } of classic.members.values()) {
      world.timers.keepSession({ groupId, memberId }, sessionTimeoutMs)
    }
  })
  return groups.get(groupId) as ConsumerGroup
}

/** Whether a group of which these members go, and so many classic ones come, goes on as a classic group. */
export function canDowngrade(
  { parts }: ConsumerWorld,
  group: ConsumerGroup,
  { leaving, joining }: { leaving: ReadonlySet<ConsumerMember>; joining: number },
): boolean {
  let classicCount = group.classicMemberCount
  for (const member of leaving) if (member.classic !== null) classicCount--
  const remaining = group.members.size - leaving.size
  const count = remaining + joining
  return (
    classicCount === remaining &&
    count > 0 &&
    allowsMigration(parts, 'DOWNGRADE') &&
    count <= parts.configs.broker.number('group.max.size')
  )
}

/** Who goes when a group is downgraded, and who comes in the place of a static member. */
export interface DowngradeChange {
  readonly leaving: ReadonlySet<ConsumerMember>
  /** `replaced` is the member of the same instance in the group as it is. */
  readonly joining?: { readonly replaced: ConsumerMember; readonly member: ConsumerMember }
  /** Whether what the members have is not what they should have. */
  readonly rebalance: boolean
}

/** Ends the group, and begins a classic one with its members. Returns what is to be called when that is settled. */
export function downgrade(
  world: ConsumerWorld,
  group: ConsumerGroup,
  change: DowngradeChange,
  { records, effects }: Draft,
): (error: KafkaError | undefined) => void {
  const { groupId } = group
  const { joining, leaving, rebalance } = change
  const idOf = (memberId: string): string =>
    memberId === joining?.replaced.memberId ? joining.member.memberId : memberId
  const memberIds = Array.from(group.members.keys(), idOf)
  records.push(...groupTombstones(groupId, { memberIds, regexes: group.resolvedRegexes.keys() }))
  const { image, host } = world.parts
  const members = Array.from(group.members.values())
    .filter((member) => !leaving.has(member))
    .map((member) => {
      const now = member.memberId === joining?.replaced.memberId ? joining.member : member
      return classicMember(now, group.target(member.memberId), image())
    })
  const [generation, currentStateTimestamp] = [group.groupEpoch, host.clock.now()]
  records.push(classicGroupRecord(members, { groupId, generation, currentStateTimestamp }))
  effects.push(() => world.timers.forgetGroup(groupId))
  return (error) => {
    if (error === undefined) world.classic.downgraded(groupId, { rebalance })
  }
}

/** What a member of the classic protocol is given, in the form it has asked for. */
export function classicAssignment(
  member: ConsumerMember,
  assignment: Iterable<readonly [topicId: string, partitions: Iterable<number>]>,
  image: MetadataImage,
): Uint8Array {
  const [protocol] = classicProtocols(member)
  const version = protocol === undefined ? 0 : consumerProtocolVersion(protocol.metadata)
  const assignedPartitions = Array.from(assignment, ([topicId, partitions]) => ({
    topic: image.topicById(topicId)?.name ?? '',
    partitions: [...partitions].sort((left, right) => left - right),
  })).filter(({ topic }) => topic !== '')
  return serializeAssignment({ assignedPartitions }, version)
}

function classicMember(
  consumer: ConsumerMember,
  target: Assignment,
  image: MetadataImage,
): ClassicMember {
  const { instanceId: groupInstanceId, classic, rebalanceTimeoutMs } = consumer
  const sessionTimeoutMs = classic?.sessionTimeoutMs ?? rebalanceTimeoutMs
  const protocols = classicProtocols(consumer)
  const member = new ClassicMember(
    { ...consumer, groupInstanceId },
    { rebalanceTimeoutMs, sessionTimeoutMs, protocols },
  )
  member.assignment = classicAssignment(consumer, target, image)
  return member
}

function classicGroupRecord(
  members: readonly ClassicMember[],
  {
    groupId,
    generation,
    currentStateTimestamp,
  }: { groupId: string; generation: number; currentStateTimestamp: number },
): GroupRecord {
  const candidates = new MemberProtocols()
  for (const { protocols } of members) candidates.add(protocols)
  const protocol = candidates.select(new Map(members.map((member) => [member.memberId, member])))
  return {
    type: 'GroupMetadata',
    key: { group: groupId },
    value: {
      protocolType: 'consumer',
      generation,
      protocol,
      // Whoever joins first leads.
      leader: null,
      currentStateTimestamp,
      members: members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadata(protocol),
        assignment: member.assignment,
      })),
    },
  }
}

function checkUpgrade({ parts }: ConsumerWorld, classic: ClassicGroup): void {
  const { groupId } = classic
  const most = parts.configs.broker.number('group.consumer.max.size')
  if (!allowsMigration(parts, 'UPGRADE')) {
    throw notConsumerGroup(groupId, 'is a classic group, and groups may not be upgraded here')
  }
  if (classic.protocolType !== 'consumer') {
    throw notConsumerGroup(groupId, `is a classic group of type ${classic.protocolType}`)
  }
  if (classic.members.size > most) {
    throw notConsumerGroup(groupId, `has more than ${most} members, too many to be upgraded`)
  }
}

function upgradeRecords(world: ConsumerWorld, classic: ClassicGroup): GroupRecord[] {
  const { groupId, generationId } = classic
  const image = world.parts.image()
  const upgraded = Array.from(classic.members.values(), (member) =>
    upgradedMember(classic, member, image),
  )
  const topics = new Set(upgraded.flatMap(({ member }) => [...member.subscribedTopicNames]))
  const metadataHash = world.hashes.ofGroup(topics, image)
  return [
    ...upgraded.map(({ member }) => memberRecord(groupId, member)),
    groupEpochRecord(groupId, { epoch: generationId, metadataHash }),
    ...upgraded.map(({ member, target }) => targetRecord(groupId, member.memberId, target)),
    assignmentEpochRecord(groupId, { epoch: generationId, timestamp: 0 }),
    ...upgraded.map(({ member }) => currentAssignmentRecord(groupId, member)),
  ]
}

function upgradedMember(
  { groupId, generationId, protocolName }: ClassicGroup,
  member: ClassicMember,
  image: MetadataImage,
): { member: ConsumerMember; target: Assignment } {
  const { memberId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs } = member
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  const metadata = (protocol ?? member.protocols[0])?.metadata ?? new Uint8Array(0)
  const { topics, rackId } = readable(groupId, () => parseSubscription(metadata))
  const target = readable(groupId, () => assignmentOf(groupId, member, image))
  const assigned: OwnedPartitionsDraft = new Map()
  for (const [topicId, partitions] of target) {
    for (const partition of partitions) addOwned(assigned, topicId, partition, generationId)
  }
  const upgraded: ConsumerMember = {
    ...newMember(memberId),
    memberEpoch: generationId,
    previousMemberEpoch: generationId,
    instanceId: member.groupInstanceId,
    rackId: rackId || null,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    subscribedTopicNames: new Set(topics),
    classic: { sessionTimeoutMs, supportedProtocols: member.protocols.map((one) => ({ ...one })) },
    assigned,
  }
  return { member: upgraded, target }
}

/** What the leader gave the member; nothing before its first sync. */
function assignmentOf(groupId: string, member: ClassicMember, image: MetadataImage): Assignment {
  if (member.assignment.length === 0) return EMPTY_ASSIGNMENT
  const { assignedPartitions, userData } = parseAssignment(member.assignment)
  if (userData !== null && userData.length > 0) {
    throw notConsumerGroup(groupId, 'has an assignor of its own, whose data would be lost')
  }
  return toAssignment(
    assignedPartitions.flatMap(({ topic, partitions }) => {
      const topicId = image.topic(topic)?.id
      return topicId === undefined ? [] : [[topicId, partitions] as const]
    }),
  )
}

function readable<T>(groupId: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== 'CORRUPT_MESSAGE') throw error
    throw notConsumerGroup(groupId, `has members that cannot be understood: ${error.message}`)
  }
}
