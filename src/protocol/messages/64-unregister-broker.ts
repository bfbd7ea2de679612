// API key 64: UnregisterBroker, forget a broker.
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString } from '../codec/primitives.ts'

/** An admin removes a broker's registration (KIP-500). */
export const UnregisterBrokerRequest = message(
  { key: 64, versions: [0, 0], flexible: 0 },
  { brokerId: int32() },
)
/** UnregisterBrokerRequest, decoded. */
export type UnregisterBrokerRequest = Infer<typeof UnregisterBrokerRequest>

/** What became of it (KIP-500). */
export const UnregisterBrokerResponse = message(
  { key: 64, versions: [0, 0], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
)
/** UnregisterBrokerResponse, decoded. */
export type UnregisterBrokerResponse = Infer<typeof UnregisterBrokerResponse>
