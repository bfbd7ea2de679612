// API key 40: ExpireDelegationToken, let a delegation token end sooner.
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int32, int64Exact } from '../codec/primitives.ts'

/** A client changes when a token expires; below 0: now (KIP-48). v2: flexible. */
export const ExpireDelegationTokenRequest = message(
  { key: 40, versions: [1, 2], flexible: 2 },
  { hmac: bytes(), expiryTimePeriodMs: int64Exact() },
)
/** ExpireDelegationTokenRequest, decoded. */
export type ExpireDelegationTokenRequest = Infer<typeof ExpireDelegationTokenRequest>

/** When it expires now (KIP-48). v1: answered before throttling (KIP-219). v2: flexible. */
export const ExpireDelegationTokenResponse = message(
  { key: 40, versions: [1, 2], flexible: 2 },
  { errorCode: int16(), expiryTimestampMs: int64Exact(), throttleTimeMs: int32() },
)
/** ExpireDelegationTokenResponse, decoded. */
export type ExpireDelegationTokenResponse = Infer<typeof ExpireDelegationTokenResponse>
