// What stands before every request and response: which API and version, which question it answers.
import { type Infer, type Message, message } from '../codec/message.ts'
import { classic, int16, int32, nullableString } from '../codec/primitives.ts'

/**
 * Before a request. v1: client id. v2: flexible, before flexible requests; the client id keeps its
 * classic form.
 */
export const RequestHeader = message(
  { versions: [1, 2], flexible: 2 },
  {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: classic(nullableString()),
  },
)
/** RequestHeader, decoded. */
export type RequestHeader = Infer<typeof RequestHeader>

/** Before a response. v1: flexible, before flexible responses except those of ApiVersions. */
export const ResponseHeader = message({ versions: [0, 1], flexible: 1 }, { correlationId: int32() })
/** ResponseHeader, decoded. */
export type ResponseHeader = Infer<typeof ResponseHeader>

const API_VERSIONS_KEY = 18

/** The version of the header before this request. */
export function requestHeaderVersion(request: Message, version: number): number {
  return request.isFlexible(version) ? 2 : 1
}

/**
 * The version of the header before this response. ApiVersions keeps 0: its client does not know yet
 * what the broker speaks (KIP-511).
 */
export function responseHeaderVersion(response: Message, version: number): number {
  return response.isFlexible(version) && response.key !== API_VERSIONS_KEY ? 1 : 0
}
