// API key 39: RenewDelegationToken, let a delegation token live longer.
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int32, int64Exact } from '../codec/primitives.ts'

/** A client renews a token (KIP-48). v2: flexible. */
export const RenewDelegationTokenRequest = message(
  { key: 39, versions: [1, 2], flexible: 2 },
  { hmac: bytes(), renewPeriodMs: int64Exact() },
)
/** RenewDelegationTokenRequest, decoded. */
export type RenewDelegationTokenRequest = Infer<typeof RenewDelegationTokenRequest>

/** When it expires now (KIP-48). v1: answered before throttling (KIP-219). v2: flexible. */
export const RenewDelegationTokenResponse = message(
  { key: 39, versions: [1, 2], flexible: 2 },
  { errorCode: int16(), expiryTimestampMs: int64Exact(), throttleTimeMs: int32() },
)
/** RenewDelegationTokenResponse, decoded. */
export type RenewDelegationTokenResponse = Infer<typeof RenewDelegationTokenResponse>
