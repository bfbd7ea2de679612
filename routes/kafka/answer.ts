// An answer as the wire has it: length, header, body.
import { ByteWriter } from '#storage/bytes/byte-writer.ts'
import { type Api, EncodedAnswer, NO_ANSWER } from './api.ts'

const LENGTH_BYTES = 4
const API_VERSIONS_KEY = 18

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

/** Encodes what a handler gave. Throws when the value has no form in this version. */
export function encodeAnswer(
  { api, version, correlationId }: AnsweredRequest,
  answer: unknown,
): OutgoingAnswer {
  if (answer === NO_ANSWER) return NOTHING
  const writer = new ByteWriter()
  writer.reserve(LENGTH_BYTES)
  writer.int32(correlationId)
  // The client of ApiVersions does not yet know what the broker speaks: its header never has a tag section.
  if (api.isFlexible(version) && api.key !== API_VERSIONS_KEY) writer.uvarint(0)
  const body = answer instanceof EncodedAnswer ? answer : undefined
  if (!body) api.encode(writer, answer, version)
  const bodyBytes = body?.chunks.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0
  const sizeInBytes = writer.position + bodyBytes
  writer.setInt32(0, sizeInBytes - LENGTH_BYTES)
  const chunks = [writer.written, ...(body?.chunks ?? [])]
  return { chunks, sizeInBytes, release: body?.release ?? NOTHING.release }
}
