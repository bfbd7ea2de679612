// What became of one item of a request, as answers carry it.
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import type { KafkaError } from '#storage/base/errors.ts'

/** What a message may have: it holds what the client sent, once for each thing that it was sent for. */
const MAX_MESSAGE_CHARACTERS = 500

/** The message of an error, as answers carry it. */
export function messageOf({ message }: Error): string {
  if (message.length <= MAX_MESSAGE_CHARACTERS) return message
  return `${message.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`
}

/** Error code and message; no error and a null message when there is none. */
export function outcome(error: KafkaError | undefined): {
  readonly errorCode: number
  readonly errorMessage: string | null
} {
  if (!error) return { errorCode: NO_ERROR, errorMessage: null }
  return { errorCode: errorCode(error.code), errorMessage: messageOf(error) }
}
