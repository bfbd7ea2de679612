// What became of one item of a request, as answers carry it.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import type { KafkaError } from '#storage/base/errors.ts'

/** Error code and message; no error and a null message when there is none. */
export function outcome(error: KafkaError | undefined): {
  readonly errorCode: number
  readonly errorMessage: string | null
} {
  if (!error) return { errorCode: NO_ERROR, errorMessage: null }
  return { errorCode: errorCode(error.code), errorMessage: error.message }
}
