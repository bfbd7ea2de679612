// Produce: batches in, one to a partition, appended in the order in which the requests came.
import type { BatchOutcome, ProducedBatch } from '#src/broker/batch-producing.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { ProduceRequest, ProduceResponse } from '#src/protocol/messages/00-produce.ts'
import { type Answer, api, ClosesConnection, NO_ANSWER, type RequestContext } from '../api.ts'
import { leaderEndpoints } from '../leader-hints.ts'
import { messageOf } from '../outcome.ts'

const ZSTD_SINCE = 7
/** From here on the answer says who leads. */
const LEADERS_SINCE = 10

/** Advertised from version 0 although served from 3: older librdkafka compresses only then (KAFKA-18659). */
export const produce = api({
  request: ProduceRequest,
  response: ProduceResponse,
  advertised: [0, ProduceRequest.latestVersion],
  isPipelined: true,
  handle(context, request) {
    const { broker, session, version } = context
    const batches: ProducedBatch[] = []
    for (const { name: topic, topicId, partitionData } of request.topicData) {
      for (const { index: partition, records } of partitionData) {
        batches.push({ topic, topicId, partition, records })
      }
    }
    const outcomes = broker.produceBatches(session, {
      transactionalId: request.transactionalId,
      acks: request.acks,
      timeoutMs: request.timeoutMs,
      allowsZstd: version >= ZSTD_SINCE,
      batches,
      hold: () => context.hold(),
    })
    return outcomes instanceof Promise
      ? outcomes.then((settled) => answerOf(context, request, batches, settled))
      : answerOf(context, request, batches, outcomes)
  },
  refuse(error, request, { version }) {
    if (request.acks === 0) throw new ClosesConnection(messageOf(error))
    const refused = { error, recordErrors: [], logStartOffset: -1, currentLeader: undefined }
    return {
      responses: request.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => partitionOf(index, refused, version)),
      })),
    }
  },
})

function answerOf(
  context: RequestContext,
  { acks, topicData }: ProduceRequest,
  batches: readonly ProducedBatch[],
  outcomes: readonly BatchOutcome[],
): Answer<Parameters<typeof ProduceResponse.write>[1]> {
  if (acks === 0) {
    refuseByClosing(batches, outcomes)
    return NO_ANSWER
  }
  let next = 0
  const responses = topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) =>
      partitionOf(index, outcomes[next++] as BatchOutcome, context.version),
    ),
  }))
  const refused = outcomes.filter((outcome) => 'error' in outcome)
  if (refused.length === 0 || context.version < LEADERS_SINCE) return { responses }
  const leaders = refused.map(({ currentLeader }) => currentLeader)
  return { responses, nodeEndpoints: leaderEndpoints(context, leaders) }
}

/** A producer that wants no answers learns of a refusal by the end of its connection, and looks for new metadata. */
function refuseByClosing(
  batches: readonly ProducedBatch[],
  outcomes: readonly BatchOutcome[],
): void {
  for (const [index, outcome] of outcomes.entries()) {
    if (!('error' in outcome)) continue
    const { topic, topicId, partition } = batches[index] as ProducedBatch
    const { error } = outcome
    const name = `${topic || topicId}-${partition}`.slice(0, 260)
    const met = `${error.code}: ${messageOf(error)}`
    throw new ClosesConnection(`A produce request with acks 0 to ${name} met ${met}`)
  }
}

function partitionOf(index: number, outcome: BatchOutcome, version: number) {
  if (!('error' in outcome)) {
    const { baseOffset, logAppendTime, logStartOffset } = outcome
    return {
      index,
      errorCode: NO_ERROR,
      baseOffset,
      logAppendTimeMs: logAppendTime,
      logStartOffset,
    }
  }
  const { error, recordErrors, logStartOffset, currentLeader } = outcome
  return {
    index,
    errorCode: errorCode(error.code),
    baseOffset: -1,
    logStartOffset,
    recordErrors: recordErrors.map(({ index: batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    })),
    errorMessage: messageOf(error),
    ...(currentLeader && version >= LEADERS_SINCE && { currentLeader }),
  }
}
