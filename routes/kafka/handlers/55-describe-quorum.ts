// DescribeQuorum: who holds the metadata log, and how far (KIP-595).
import type { QuorumState } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeQuorumRequest,
  DescribeQuorumResponse,
} from '#src/protocol/messages/55-describe-quorum.ts'
import { api } from '../api.ts'
import { messageOf } from '../outcome.ts'

const METADATA_TOPIC = '__cluster_metadata'
const UNKNOWN_PARTITION = {
  errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'),
  errorMessage: 'Only partition 0 of __cluster_metadata has a quorum',
  leaderId: 0,
  leaderEpoch: 0,
  highWatermark: 0,
  currentVoters: [],
  observers: [],
}

/** Directory ids and the voters' addresses come with v2. */
export const describeQuorum = api({
  request: DescribeQuorumRequest,
  response: DescribeQuorumResponse,
  handle({ broker, session, version }, request) {
    const quorum = broker.admin.cluster.quorum(session)
    const known = partitionState(quorum, version)
    const isKnown = (topic: string, partition: number) =>
      topic === METADATA_TOPIC && partition === 0
    const topics = request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        ...(isKnown(topicName, partitionIndex) ? known : UNKNOWN_PARTITION),
      })),
    }))
    const hasNodes =
      version >= 2 &&
      topics.some(({ partitions }) => partitions.some((one) => one.errorCode === NO_ERROR))
    return {
      errorCode: NO_ERROR,
      errorMessage: '',
      topics,
      ...(hasNodes && {
        nodes: quorum.voters.map(({ id, endpoints }) => ({ nodeId: id, listeners: endpoints })),
      }),
    }
  },
  refuse: (error) => ({
    errorCode: errorCode(error.code),
    errorMessage: messageOf(error),
    topics: [],
  }),
})

function partitionState(quorum: QuorumState, version: number) {
  const { leaderId, leaderEpoch, highWatermark, voters } = quorum
  return {
    errorCode: NO_ERROR,
    errorMessage: '',
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(({ id, directoryId, logEndOffset, lastCaughtUpMs }) => ({
      replicaId: id,
      ...(version >= 2 && { replicaDirectoryId: directoryId }),
      logEndOffset,
      lastFetchTimestamp: lastCaughtUpMs,
      lastCaughtUpTimestamp: lastCaughtUpMs,
    })),
    observers: [],
  }
}
