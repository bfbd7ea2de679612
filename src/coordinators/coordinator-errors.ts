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

/** The answer to a call whose records could not be appended or committed. That to a bug is UNKNOWN_SERVER_ERROR. */
export function coordinatorError(error: unknown): KafkaError {
  if (error instanceof StorageFault) {
    return new KafkaError('NOT_COORDINATOR', error.message, { cause: error })
  }
  if (!(error instanceof KafkaError)) {
    return new KafkaError('UNKNOWN_SERVER_ERROR', String(error), { cause: error })
  }
  const code = ANSWERS[error.code]
  return code === undefined ? error : new KafkaError(code, error.message, { cause: error })
}

/** Whether nobody planned for it: it is thrown on as it is, for whoever tells of bugs. */
export function isBug(error: unknown): boolean {
  return !(error instanceof KafkaError || error instanceof StorageFault)
}
