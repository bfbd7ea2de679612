// A client that keeps its offsets with a group, in any version.
import { offsetCommit } from '../../../../routes/kafka/handlers/08-offset-commit.ts'
import { offsetFetch } from '../../../../routes/kafka/handlers/09-offset-fetch.ts'
import { ANONYMOUS } from '../../../../src/access/session.ts'
import type { Broker } from '../../../../src/broker/broker.ts'
import type { InferInput } from '../../../../src/protocol/codec/message.ts'
import {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../../../src/protocol/messages/08-offset-commit.ts'
import {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../../../src/protocol/messages/09-offset-fetch.ts'
import { nameOf } from './clients.ts'
import { exchange, simulatedBroker } from './exchange.ts'

const COMMIT = {
  api: offsetCommit,
  request: OffsetCommitRequest,
  response: OffsetCommitResponse,
}
const FETCH = { api: offsetFetch, request: OffsetFetchRequest, response: OffsetFetchResponse }

/** The versions that both requests have. */
export const OFFSET_VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** A broker with topics `t` (3 partitions) and `u` (1), that coordinates groups. */
export async function groupBroker() {
  const simulated = await simulatedBroker()
  const { broker } = simulated
  const { topicId: t } = await broker.createTopic(ANONYMOUS, { name: 't', partitionCount: 3 })
  const { topicId: u } = await broker.createTopic(ANONYMOUS, { name: 'u', partitionCount: 1 })
  await broker.groups.findCoordinator(ANONYMOUS, 'g')
  return {
    ...simulated,
    ids: new Map([
      ['t', t],
      ['u', u],
    ]),
  }
}

type CommitTopics = InferInput<typeof OffsetCommitRequest>['topics']
type FetchTopics = NonNullable<InferInput<typeof OffsetFetchRequest>['topics']>

/** What a test may say of a commit. */
export interface CommitOptions {
  readonly version?: number
  readonly groupId?: string
  readonly memberId?: string
  readonly generation?: number
  readonly retentionTimeMs?: number
  readonly ids?: ReadonlyMap<string, string>
}

/** Commits; the outcome of each partition as `topic-partition: error`. In v10 topics are sent and shown by `ids`. */
export async function commit(broker: Broker, topics: CommitTopics, options: CommitOptions = {}) {
  const { version = 9, groupId = 'g', memberId = '', generation = -1, ids, ...rest } = options
  const sent = topics.map(({ name = '', partitions }) => ({
    ...(version >= 10 ? { topicId: ids?.get(name) ?? name } : { name }),
    partitions,
  }))
  const request = {
    groupId,
    memberId,
    generationIdOrMemberEpoch: generation,
    topics: sent,
    ...rest,
  }
  const answer = await exchange(broker, COMMIT, request, { version })
  return (answer?.topics ?? []).flatMap(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => {
      const topic = version >= 10 ? nameIn(ids, topicId) : name
      return `${topic}-${partitionIndex}: ${nameOf(errorCode)}`
    }),
  )
}

/** Fetches of one group, in whatever form the version has; as `topic-partition: offset epoch metadata error`. */
export async function fetchOffsets(
  broker: Broker,
  topics: FetchTopics | null,
  options: {
    readonly version?: number
    readonly groupId?: string
    readonly memberId?: string | null
    readonly memberEpoch?: number
    readonly ids?: ReadonlyMap<string, string>
  } = {},
) {
  const { version = 9, groupId = 'g', memberId = null, memberEpoch = -1, ids } = options
  const named = topics?.map(({ name, partitionIndexes }) => ({
    ...(version >= 10 ? { topicId: ids?.get(name) ?? name } : { name }),
    partitionIndexes,
  }))
  const member = version >= 9 ? { memberId, memberEpoch } : {}
  const request =
    version >= 8 ? { groups: [{ groupId, ...member, topics: named ?? null }] } : { groupId, topics }
  const answer = await exchange(broker, FETCH, request, { version })
  const group = version >= 8 ? answer?.groups[0] : answer
  const partitions = (group?.topics ?? []).flatMap((topic) =>
    topic.partitions.map((one) => {
      const name =
        version >= 10 ? nameIn(ids, 'topicId' in topic ? `${topic.topicId}` : '') : topic.name
      const found = [one.committedOffset, one.committedLeaderEpoch, one.metadata]
      return `${name}-${one.partitionIndex}: ${found.join(' ')} ${nameOf(one.errorCode)}`
    }),
  )
  return { error: nameOf(group?.errorCode ?? -1), partitions }
}

function nameIn(ids: ReadonlyMap<string, string> | undefined, topicId: string): string {
  for (const [name, id] of ids ?? []) if (id === topicId) return name
  return topicId
}

/** A partition of a commit. */
export function at(partitionIndex: number, committedOffset: number, more: object = {}) {
  return { partitionIndex, committedOffset, committedMetadata: '', ...more }
}
