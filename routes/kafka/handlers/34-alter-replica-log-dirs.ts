// AlterReplicaLogDirs: where partitions are to lie. Nothing is moved here; what lies there already is confirmed.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '#src/protocol/messages/34-alter-replica-log-dirs.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { groupByTopic } from '../group-by-topic.ts'

/** Each partition by itself. */
export const alterReplicaLogDirs = api({
  request: AlterReplicaLogDirsRequest,
  response: AlterReplicaLogDirsResponse,
  handle({ broker, session }, request) {
    const wanted = placesOf(request)
    return answer(wanted, broker.admin.logDirs.place(session, wanted))
  },
  refuse({ code }, request) {
    const wanted = placesOf(request)
    return answer(
      wanted,
      wanted.map(() => code),
    )
  },
})

type Place = ReturnType<typeof placesOf>[number]

function placesOf({ dirs }: AlterReplicaLogDirsRequest) {
  return dirs.flatMap(({ path, topics }) =>
    topics.flatMap(({ name: topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition, path })),
    ),
  )
}

function answer(wanted: readonly Place[], errors: readonly (KafkaErrorName | undefined)[]) {
  const placed = wanted.map((place, at) => ({ ...place, error: errors[at] }))
  return {
    throttleTimeMs: 0,
    results: groupByTopic(placed).map(({ topic, items }) => ({
      topicName: topic,
      partitions: items.map(({ partition, error }) => ({
        partitionIndex: partition,
        errorCode: error ? errorCode(error) : NO_ERROR,
      })),
    })),
  }
}
