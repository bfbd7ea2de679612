// Reads and writes what a group has committed, on behalf of a consumer inside the broker.
import { KafkaError, type KafkaErrorName } from '#storage/base/errors.ts'
import type { Session } from '../../access/session.ts'
import type { GroupOffsets } from '../group-offsets.ts'

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

/** Who commits; member id `''` and epoch -1 for one who is no member. */
export interface Committer {
  readonly session: Session
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
}

const NONE = -1
/** The version of both APIs from which on members of the consumer protocol are let in. */
const CONSUMER_PROTOCOL_VERSION = 9

/** Commits all that can be, and throws the first refusal: STALE_MEMBER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION, … */
export async function commitOffsets(
  groupOffsets: Pick<GroupOffsets, 'commit'>,
  committer: Committer,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  if (offsets.length === 0) return
  const topics = byTopic(offsets).map(([name, ones]) => ({
    name,
    topicId: undefined,
    partitions: ones.map(({ partition, offset, metadata }) => ({
      partition,
      offset,
      leaderEpoch: NONE,
      metadata,
    })),
  }))
  const { session, groupId } = committer
  const call = { groupId, client: clientOf(committer), retentionTimeMs: NONE, topics }
  for (const { name, partitions } of await groupOffsets.commit(session, call)) {
    for (const { partition, error } of partitions) {
      throwFor(error, `The offset of ${name}-${partition} was not committed`)
    }
  }
}

/** What the group has committed of these partitions; those without a position are left out. */
export async function fetchOffsets(
  groupOffsets: Pick<GroupOffsets, 'fetch'>,
  committer: Committer,
  partitions: readonly PartitionName[],
): Promise<CommittedOffset[]> {
  if (partitions.length === 0) return []
  const topics = byTopic(partitions).map(([name, ones]) => ({
    name,
    topicId: undefined,
    partitions: ones.map(({ partition }) => partition),
  }))
  const { session, groupId } = committer
  // Whoever is no member must not claim to be one.
  const client = { ...clientOf(committer), memberId: committer.memberId || null }
  const call = { groupId, client, topics, requireStable: true }
  const fetched = await groupOffsets.fetch(session, call)
  return fetched.flatMap(({ name: topic, partitions: ones }) =>
    ones.flatMap(({ partition, offset, metadata, error }) => {
      throwFor(error, `The offset of ${topic}-${partition} can't be read`)
      return offset < 0 ? [] : [{ topic, partition, offset, metadata }]
    }),
  )
}

function clientOf({ memberId, memberEpoch }: Committer) {
  return {
    memberId,
    groupInstanceId: null,
    generationIdOrMemberEpoch: memberEpoch,
    version: CONSUMER_PROTOCOL_VERSION,
  }
}

function throwFor(error: KafkaErrorName | undefined, what: string): void {
  if (error !== undefined) throw new KafkaError(error, `${what}: ${error}`)
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
