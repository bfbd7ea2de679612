// API key 17: SaslHandshake, choose a SASL mechanism.
import { array } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, string } from '../codec/primitives.ts'

/**
 * A client names its mechanism. v0: its tokens follow without Kafka's headers. v1: they follow in
 * SaslAuthenticate (KIP-152).
 */
export const SaslHandshakeRequest = message({ key: 17, versions: [0, 1] }, { mechanism: string() })
/** SaslHandshakeRequest, decoded. */
export type SaslHandshakeRequest = Infer<typeof SaslHandshakeRequest>

/** The mechanisms that are enabled (KIP-43). */
export const SaslHandshakeResponse = message(
  { key: 17, versions: [0, 1] },
  { errorCode: int16(), mechanisms: array(string()) },
)
/** SaslHandshakeResponse, decoded. */
export type SaslHandshakeResponse = Infer<typeof SaslHandshakeResponse>
