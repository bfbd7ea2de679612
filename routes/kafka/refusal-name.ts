// What a client is told when a call for one partition fails.
import { KafkaError, type KafkaErrorName, StorageFault } from '#storage/base/errors.ts'

/** The name of a refusal or fault. Bugs are thrown on. */
export function refusalName(error: unknown): KafkaErrorName {
  if (error instanceof KafkaError) return error.code
  if (error instanceof StorageFault) return 'KAFKA_STORAGE_ERROR'
  throw error
}
