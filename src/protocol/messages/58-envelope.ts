// API key 58: Envelope, a forwarded request.
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, nullableBytes } from '../codec/primitives.ts'

/**
 * A broker forwards a client's request to the controller, with the client's principal and address
 * (KIP-590).
 */
export const EnvelopeRequest = message(
  { key: 58, versions: [0, 0], flexible: 0 },
  { requestData: bytes(), requestPrincipal: nullableBytes(), clientHostAddress: bytes() },
)
/** EnvelopeRequest, decoded. */
export type EnvelopeRequest = Infer<typeof EnvelopeRequest>

/** The controller's response, header included; null with an error (KIP-590). */
export const EnvelopeResponse = message(
  { key: 58, versions: [0, 0], flexible: 0 },
  { responseData: optional(nullableBytes(), null), errorCode: int16() },
)
/** EnvelopeResponse, decoded. */
export type EnvelopeResponse = Infer<typeof EnvelopeResponse>
