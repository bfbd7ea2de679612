// Faults as their callers see them.
import { KafkaError, StorageFault } from '#storage/base/errors.ts'

/** The refusal that answers a caller whose call met this error. Bugs are thrown on. */
export function refusalOf(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  if (error instanceof StorageFault) {
    return new KafkaError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
  }
  throw error
}
