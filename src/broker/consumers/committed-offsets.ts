// Reads and writes what a group has committed, in the words of the coordinator.
import { KafkaError } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { errorName, NO_ERROR } from '../../protocol/error-codes.ts'
import type { GroupCalls } from './group-calls.ts'

/** A partition by name. */
export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

/** A position that a group has committed, or is to commit: the next offset to read. */
export interface CommittedOffset extends PartitionName {
  readonly offset: number
  readonly metadata: string
}

/** Who commits; `''` and -1 for one who is no member. */
export interface Committer {
  readonly groupId: string
  readonly memberId: string
  readonly epoch: number
}

const NONE = -1

/** Commits all or throws the first refusal: STALE_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, UNKNOWN_TOPIC_OR_PARTITION, … */
export async function commitOffsets(
  calls: Pick<GroupCalls, 'commit'>,
  { groupId, memberId, epoch }: Committer,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  if (offsets.length === 0) return
  const topics = byTopic(offsets).map(([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitions: partitions.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: NONE,
      committedMetadata: metadata,
    })),
  }))
  const answer = await calls.commit({
    groupId,
    generationIdOrMemberEpoch: epoch,
    memberId,
    groupInstanceId: null,
    retentionTimeMs: NONE,
    topics,
  })
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      const at = `offset of ${name}-${partitionIndex} was not committed`
      throwFor(errorCode, `The ${at}`)
    }
  }
}

/** What the group has committed of these partitions; those without a position are left out. */
export async function fetchOffsets(
  calls: Pick<GroupCalls, 'fetch'>,
  { groupId, memberId, epoch }: Committer,
  partitions: readonly PartitionName[],
): Promise<CommittedOffset[]> {
  if (partitions.length === 0) return []
  const topics = byTopic(partitions).map(([name, ones]) => ({
    name,
    topicId: ZERO_UUID,
    partitionIndexes: ones.map(({ partition }) => partition),
  }))
  const isMember = memberId !== ''
  const group = { groupId, memberId: isMember ? memberId : null, memberEpoch: epoch, topics }
  const answer = await calls.fetch({
    groupId: '',
    topics: null,
    groups: [group],
    requireStable: false,
  })
  const [found] = answer.groups ?? []
  throwFor(found?.errorCode ?? NO_ERROR, `The offsets of group ${groupId} can't be read`)
  return (found?.topics ?? []).flatMap(({ name: topic = '', partitions: ones }) =>
    ones.flatMap(({ partitionIndex: partition, committedOffset, metadata, errorCode }) => {
      throwFor(errorCode, `The offset of ${topic}-${partition} can't be read`)
      const offset = Number(committedOffset)
      return offset < 0 ? [] : [{ topic, partition, offset, metadata: metadata ?? '' }]
    }),
  )
}

function throwFor(code: number, what: string): void {
  if (code === NO_ERROR) return
  const name = errorName(code)
  throw new KafkaError(name, `${what}: ${name}`)
}

function byTopic<T extends PartitionName>(ones: readonly T[]): [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const one of ones) {
    const known = topics.get(one.topic)
    if (known) known.push(one)
    else topics.set(one.topic, [one])
  }
  return [...topics]
}
