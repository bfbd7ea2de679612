// ListOffsets: offsets by time, and the times that stand for a place.
import { type OffsetSearch, SPECIAL_TIMESTAMP } from '#src/broker/offsets.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '#src/protocol/messages/02-list-offsets.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { ZERO_UUID } from '#storage/base/uuid.ts'
import type { Int64 } from '#storage/bytes/int64.ts'
import { api } from '../api.ts'
import { refusalName } from '../refusal-name.ts'

const CONSUMER = -1
const READ_COMMITTED = 1
/** The version that brought each of them. */
const SINCE: ReadonlyMap<Int64, number> = new Map([
  [SPECIAL_TIMESTAMP.LATEST, 1],
  [SPECIAL_TIMESTAMP.EARLIEST, 1],
  [SPECIAL_TIMESTAMP.MAX, 7],
  [SPECIAL_TIMESTAMP.EARLIEST_LOCAL, 8],
  [SPECIAL_TIMESTAMP.LATEST_TIERED, 9],
  [SPECIAL_TIMESTAMP.EARLIEST_PENDING_UPLOAD, 11],
])

type TopicSearch = ListOffsetsRequest['topics'][number]
type PartitionSearch = TopicSearch['partitions'][number]

/** Answers each partition by itself. */
export const listOffsets = api({
  request: ListOffsetsRequest,
  response: ListOffsetsResponse,
  handle({ broker, session, version }, { replicaId, isolationLevel, topics }) {
    const isolation: OffsetSearch['isolation'] =
      replicaId !== CONSUMER
        ? 'log_end'
        : isolationLevel === READ_COMMITTED
          ? 'read_committed'
          : 'read_uncommitted'
    const asked = new Map<string, number>()
    for (const key of topics.flatMap(keysOf)) asked.set(key, (asked.get(key) ?? 0) + 1)
    const find = (topic: string, partition: PartitionSearch) => {
      const { partitionIndex, currentLeaderEpoch, timestamp } = partition
      if ((asked.get(keyOf(topic, partition)) ?? 0) > 1) {
        return failed(partitionIndex, 'INVALID_REQUEST')
      }
      if (timestamp < 0 && version < (SINCE.get(timestamp) ?? Infinity)) {
        return failed(partitionIndex, 'UNSUPPORTED_VERSION')
      }
      try {
        const at = { topic, topicId: ZERO_UUID, partition: partitionIndex }
        const search = { ...at, timestamp, isolation, currentLeaderEpoch }
        const found = broker.searchOffset(session, search)
        const { leaderEpoch } = found
        return {
          partitionIndex,
          errorCode: NO_ERROR,
          timestamp: found.timestamp,
          offset: found.offset,
          ...(version >= 4 && { leaderEpoch }),
        }
      } catch (error) {
        return failed(partitionIndex, refusalName(error))
      }
    }
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: distinct(partitions).map((partition) => find(name, partition)),
      })),
    }
  },
  refuse: ({ code }, { topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => failed(partitionIndex, code)),
    })),
  }),
})

function failed(partitionIndex: number, code: KafkaErrorName) {
  return { partitionIndex, errorCode: errorCode(code) }
}

/** A partition that is asked for twice is answered once. */
function distinct(partitions: readonly PartitionSearch[]): readonly PartitionSearch[] {
  const byIndex = new Map(partitions.map((partition) => [partition.partitionIndex, partition]))
  return byIndex.size === partitions.length ? partitions : [...byIndex.values()]
}

function keysOf({ name, partitions }: TopicSearch): string[] {
  return partitions.map((partition) => keyOf(name, partition))
}

function keyOf(topic: string, { partitionIndex }: PartitionSearch): string {
  return `${topic}-${partitionIndex}`
}
