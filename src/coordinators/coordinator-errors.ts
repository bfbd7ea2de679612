// What clients of a coordinator are told when its log fails it.
import { KafkaError, type KafkaErrorName, StorageFault } from '#storage/base/errors.ts'

/** As Kafka's coordinators answer: with errors after which every client looks for the coordinator again, and retries. */
const ANSWERS: Partial<{ readonly [N in KafkaErrorName]: KafkaErrorName }> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  LEADER_NOT_AVAILABLE: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
  MESSAGE_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  RECORD_LIST_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
}

/** The answer to a call whose records could not be appended or committed. Bugs are thrown on. */
export function coordinatorError(error: unknown): KafkaError {
  if (error instanceof StorageFault) {
    return new KafkaError('NOT_COORDINATOR', error.message, { cause: error })
  }
  if (!(error instanceof KafkaError)) throw error
  const code = ANSWERS[error.code]
  return code === undefined ? error : new KafkaError(code, error.message, { cause: error })
}
