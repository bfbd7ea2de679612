// What stands before every request and response: which API, which version, which question it answers.
import { type Infer, message } from '../codec/message.ts'
import { classic, int16, int32, nullableString } from '../codec/primitives.ts'

/** Before a request. v1: client id. v2: flexible, before flexible requests; the client id keeps its classic form. */
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

/** Before a response. v1: flexible, before flexible responses except those of ApiVersions (KIP-511). */
export const ResponseHeader = message({ versions: [0, 1], flexible: 1 }, { correlationId: int32() })
/** ResponseHeader, decoded. */
export type ResponseHeader = Infer<typeof ResponseHeader>
