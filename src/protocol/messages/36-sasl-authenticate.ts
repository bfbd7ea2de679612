// API key 36: SaslAuthenticate, exchange SASL tokens.
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int64, nullableString } from '../codec/primitives.ts'

/** A token of the client (KIP-152). v2: flexible. */
export const SaslAuthenticateRequest = message(
  { key: 36, versions: [0, 2], flexible: 2 },
  { authBytes: bytes() },
)
/** SaslAuthenticateRequest, decoded. */
export type SaslAuthenticateRequest = Infer<typeof SaslAuthenticateRequest>

/**
 * A token of the server, or why not (KIP-152). v1: how long the session lasts; 0: for ever
 * (KIP-368). v2: flexible.
 */
export const SaslAuthenticateResponse = message(
  { key: 36, versions: [0, 2], flexible: 2 },
  {
    errorCode: int16(),
    errorMessage: nullableString(),
    authBytes: bytes(),
    sessionLifetimeMs: ignorable(since(1, int64())),
  },
)
/** SaslAuthenticateResponse, decoded. */
export type SaslAuthenticateResponse = Infer<typeof SaslAuthenticateResponse>
