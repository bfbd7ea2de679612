// Fetch: batches out, as they lie in the log, now or when there are enough of them.
import type { FetchCall, FetchedPartition } from '#src/broker/fetching.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { FetchRequest, FetchResponse } from '#src/protocol/messages/01-fetch.ts'
import { api, LentAnswer, type RequestContext } from '../api.ts'
import { leaderEndpoints } from '../leader-hints.ts'

const STORAGE_ERROR_SINCE = 6
const TOPIC_IDS_SINCE = 13
const ENDPOINTS_SINCE = 16
const READ_COMMITTED = 1

/** Holds up what comes behind it on its connection while it waits, as in Kafka. */
export const fetch = api({
  request: FetchRequest,
  response: FetchResponse,
  async handle(context, request) {
    const { broker, session } = context
    const { sessionId, partitions, release } = await broker.fetch(session, callOf(context, request))
    return new LentAnswer(answerOf(context, sessionId, partitions), release)
  },
  refuse: ({ code }) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(code),
    sessionId: 0,
    responses: [],
    nodeEndpoints: [],
  }),
})

function callOf({ version, signal }: RequestContext, request: FetchRequest): FetchCall {
  return {
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    usesTopicIds: version >= TOPIC_IDS_SINCE,
    targets: request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({
        topic,
        topicId,
        partition: partition.partition,
        // One that is no number is rounded, and stays as far out of range.
        offset: Number(partition.fetchOffset),
        maxBytes: partition.partitionMaxBytes,
        currentLeaderEpoch: partition.currentLeaderEpoch,
        lastFetchedEpoch: partition.lastFetchedEpoch,
      })),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId, partition })),
    ),
    maxWaitMs: request.maxWaitMs,
    minBytes: request.minBytes,
    maxBytes: request.maxBytes,
    isolation: request.isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted',
    replicaId: Math.max(request.replicaId, request.replicaState.replicaId),
    signal,
  }
}

function answerOf(
  context: RequestContext,
  sessionId: number,
  partitions: readonly FetchedPartition[],
) {
  const { version } = context
  const responses: {
    readonly topic: string
    readonly topicId: string
    readonly partitions: ReturnType<typeof partitionOf>[]
  }[] = []
  for (const partition of partitions) {
    const { topic, topicId } = partition
    const last = responses.at(-1)
    const answered = partitionOf(partition, version)
    // The order of reading is kept: a topic is named again when it comes again.
    if (last && last.topic === topic && last.topicId === topicId) last.partitions.push(answered)
    else responses.push({ topic, topicId, partitions: [answered] })
  }
  const leaders = partitions.map(({ currentLeader }) => currentLeader)
  const nodeEndpoints = version >= ENDPOINTS_SINCE ? leaderEndpoints(context, leaders) : []
  return { throttleTimeMs: 0, errorCode: NO_ERROR, sessionId, responses, nodeEndpoints }
}

function partitionOf(fetched: FetchedPartition, version: number) {
  const { partition: partitionIndex, error, divergingEpoch, currentLeader } = fetched
  const { highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records } = fetched
  return {
    partitionIndex,
    errorCode: codeOf(error, version),
    highWatermark,
    lastStableOffset,
    logStartOffset,
    ...(divergingEpoch && { divergingEpoch }),
    ...(currentLeader && version >= ENDPOINTS_SINCE && { currentLeader }),
    abortedTransactions,
    preferredReadReplica: -1,
    records,
  }
}

function codeOf(error: FetchedPartition['error'], version: number): number {
  if (error === undefined) return NO_ERROR
  const isTooNew = error === 'KAFKA_STORAGE_ERROR' && version < STORAGE_ERROR_SINCE
  return errorCode(isTooNew ? 'NOT_LEADER_OR_FOLLOWER' : error)
}
