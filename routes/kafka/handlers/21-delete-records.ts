// DeleteRecords: the log start moves up, and what lies below it is gone.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from '#src/protocol/messages/21-delete-records.ts'
import type { KafkaErrorName } from '#storage/base/errors.ts'
import { api } from '../api.ts'
import { refusalName } from '../refusal-name.ts'

/** Answers with the low watermark: the log start, since all replicas are here. */
export const deleteRecords = api({
  request: DeleteRecordsRequest,
  response: DeleteRecordsResponse,
  async handle({ broker, session }, { topics }) {
    const remove = async (topic: string, partition: number, offset: number) => {
      try {
        const lowWatermark = await broker.deleteRecords(session, { topic, partition, offset })
        return { partitionIndex: partition, lowWatermark, errorCode: NO_ERROR }
      } catch (error) {
        return failed(partition, refusalName(error))
      }
    }
    // All of them share one write of the log starts.
    const removed = topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(({ partitionIndex, offset }) =>
          // One that is no number is rounded, and stays as far out of range.
          remove(name, partitionIndex, Number(offset)),
        ),
      ),
    }))
    return { throttleTimeMs: 0, topics: await Promise.all(removed) }
  },
  refuse: ({ code }, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => failed(partitionIndex, code)),
    })),
  }),
})

function failed(partitionIndex: number, code: KafkaErrorName) {
  return { partitionIndex, lowWatermark: -1, errorCode: errorCode(code) }
}
