// DescribeProducers: what partitions know of the producers that write to them.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '#src/protocol/messages/61-describe-producers.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { messageOf } from '../outcome.ts'
import { refusalName } from '../refusal-name.ts'

/** Answers each partition by itself. */
export const describeProducers = api({
  request: DescribeProducersRequest,
  response: DescribeProducersResponse,
  handle({ broker, session }, { topics }) {
    const describe = (topic: string, partition: number) => {
      try {
        const activeProducers = broker.activeProducers(session, { topic, partition })
        return { partitionIndex: partition, errorCode: NO_ERROR, activeProducers }
      } catch (error) {
        const message = error instanceof Error ? messageOf(error) : null
        return failed(partition, refusalName(error), message)
      }
    }
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partition) => describe(name, partition)),
      })),
    }
  },
  refuse: (error, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) =>
        failed(partition, error.code, messageOf(error)),
      ),
    })),
  }),
})

function failed(partitionIndex: number, code: KafkaErrorName, errorMessage: string | null) {
  return { partitionIndex, errorCode: errorCode(code), errorMessage, activeProducers: [] }
}
