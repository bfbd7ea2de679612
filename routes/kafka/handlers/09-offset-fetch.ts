// OffsetFetch: how far groups have read.
import type { FetchedTopic } from '#src/broker/group-offsets.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '#src/protocol/messages/09-offset-fetch.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import { api, type RequestContext } from '../api.ts'
import { refusalName } from '../refusal-name.ts'

/** From here on there is an error of the whole group. */
const GROUP_ERROR_SINCE = 2
/** From here on a request asks for several groups. */
const GROUPS_SINCE = 8
/** From here on topics are named by their ids. */
const TOPIC_IDS_SINCE = 10

type AskedGroup = OffsetFetchRequest['groups'][number]

interface FetchedGroup {
  readonly groupId: string
  readonly error: KafkaErrorName | undefined
  readonly topics: readonly FetchedTopic[]
}

/** Answers each group by itself. */
export const offsetFetch = api({
  request: OffsetFetchRequest,
  response: OffsetFetchResponse,
  async handle(context, request) {
    if (context.version < GROUPS_SINCE) {
      const group = await fetchGroup(context, onlyGroup(request), request.requireStable)
      return oneGroup(group, request, context)
    }
    const fetching = request.groups.map((group) =>
      fetchGroup(context, group, request.requireStable),
    )
    return manyGroups(await Promise.all(fetching))
  },
  refuse({ code }, request, context) {
    if (context.version < GROUPS_SINCE) return oneGroup(failed('', code), request, context)
    return manyGroups(request.groups.map(({ groupId }) => failed(groupId, code)))
  },
})

async function fetchGroup(
  { broker, session, version }: RequestContext,
  { groupId, memberId, memberEpoch, topics }: AskedGroup,
  requireStable: boolean,
): Promise<FetchedGroup> {
  const hasIds = version >= TOPIC_IDS_SINCE
  const named = topics?.map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId: hasIds ? topicId : undefined,
    partitions: partitionIndexes,
  }))
  try {
    const fetched = await broker.groups.offsets.fetch(session, {
      groupId,
      client: {
        memberId,
        groupInstanceId: null,
        generationIdOrMemberEpoch: memberEpoch,
        version,
      },
      topics: named ?? null,
      requireStable,
    })
    return { groupId, error: undefined, topics: fetched }
  } catch (error) {
    return failed(groupId, refusalName(error))
  }
}

function onlyGroup({ groupId, topics }: OffsetFetchRequest): AskedGroup {
  const asked = topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  return { groupId, memberId: null, memberEpoch: -1, topics: asked }
}

function failed(groupId: string, error: KafkaErrorName): FetchedGroup {
  return { groupId, error, topics: [] }
}

function manyGroups(groups: readonly FetchedGroup[]) {
  return {
    throttleTimeMs: 0,
    groups: groups.map(({ groupId, error, topics }) => ({
      groupId,
      topics: topics.map(({ topicId = ZERO_UUID, ...topic }) => ({ ...answered(topic), topicId })),
      errorCode: codeOf(error),
    })),
  }
}

/** An error of the group stands at the top or, in v1, at each partition. */
function oneGroup(
  { error, topics }: FetchedGroup,
  request: OffsetFetchRequest,
  { version }: RequestContext,
) {
  const errorAt = error !== undefined && version < GROUP_ERROR_SINCE ? error : undefined
  const shown = errorAt
    ? (request.topics ?? []).map((topic) => failedTopic(topic, errorAt))
    : topics
  return { throttleTimeMs: 0, topics: shown.map(answered), errorCode: codeOf(error) }
}

function failedTopic(
  {
    name,
    partitionIndexes,
  }: { readonly name: string; readonly partitionIndexes: readonly number[] },
  error: KafkaErrorName,
): FetchedTopic {
  const nothing = { offset: -1, leaderEpoch: -1, metadata: '', error }
  const partitions = partitionIndexes.map((partition) => ({ partition, ...nothing }))
  return { name, topicId: undefined, partitions }
}

function answered({ name, partitions }: Pick<FetchedTopic, 'name' | 'partitions'>) {
  return {
    name,
    partitions: partitions.map(({ partition, offset, leaderEpoch, metadata, error }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      metadata,
      errorCode: codeOf(error),
    })),
  }
}

function codeOf(error: KafkaErrorName | undefined): number {
  return error === undefined ? NO_ERROR : errorCode(error)
}
