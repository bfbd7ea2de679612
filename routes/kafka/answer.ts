// An answer as the wire has it: length, header, body.
import { ResponseHeader } from '#src/protocol/messages/headers.ts'
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { type Api, LentAnswer, NO_ANSWER } from './api.ts'

const LENGTH_BYTES = 4
/** An answer begins with as much room as the last one of its API took, within these bounds. */
const FIRST_BYTES = 128
const MOST_FIRST_BYTES = 16 * 1024
/** Byte values from here on are chunks of their own; smaller ones are copied. */
const LEND_FROM_BYTES = 16 * 1024

/** What goes to the socket, and what is to be done when the system has it. */
export interface OutgoingAnswer {
  readonly chunks: readonly Uint8Array[]
  readonly sizeInBytes: number
  readonly release: () => void
}

/** Which request an answer belongs to. */
export interface AnsweredRequest {
  readonly api: Api
  readonly version: number
  readonly correlationId: number
}

const NOTHING: OutgoingAnswer = { chunks: [], sizeInBytes: 0, release: () => undefined }

/** Encodes what a handler gave. Throws when the value has no form in this version; what it had lent is given back then. */
export function encodeAnswer(request: AnsweredRequest, answer: unknown): OutgoingAnswer {
  if (answer === NO_ANSWER) return NOTHING
  const { value, release } =
    answer instanceof LentAnswer ? answer : { value: answer, release: NOTHING.release }
  try {
    return encode(request, value, release)
  } catch (error) {
    release()
    throw error
  }
}

/** How many bytes the last answer of each API took, for the room that the next one begins with. */
const lastBytes = new Map<number, number>()

function encode(
  { api, version, correlationId }: AnsweredRequest,
  value: unknown,
  release: () => void,
): OutgoingAnswer {
  const writer = new ByteWriter(lastBytes.get(api.key) ?? FIRST_BYTES, LEND_FROM_BYTES)
  writer.reserve(LENGTH_BYTES)
  ResponseHeader.write(writer, { correlationId }, api.responseHeaderVersion(version))
  api.encode(writer, value, version)
  const { chunks } = writer
  let sizeInBytes = 0
  for (const chunk of chunks) sizeInBytes += chunk.length
  writer.setInt32(0, sizeInBytes - LENGTH_BYTES)
  lastBytes.set(api.key, Math.min(MOST_FIRST_BYTES, Math.max(FIRST_BYTES, writer.position)))
  return { chunks, sizeInBytes, release }
}
