// API key 38: CreateDelegationToken, make a delegation token.
import { array, struct } from '../codec/composites.ts'
import { since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int32, int64Exact, nullableString, string } from '../codec/primitives.ts'

/**
 * A client asks for a token that others may use in its name (KIP-48). v2: flexible. v3: in
 * another's name (KIP-373).
 */
export const CreateDelegationTokenRequest = message(
  { key: 38, versions: [1, 3], flexible: 2 },
  {
    ownerPrincipalType: since(3, nullableString()),
    ownerPrincipalName: since(3, nullableString()),
    renewers: array(struct({ principalType: string(), principalName: string() })),
    maxLifetimeMs: int64Exact(),
  },
)
/** CreateDelegationTokenRequest, decoded. */
export type CreateDelegationTokenRequest = Infer<typeof CreateDelegationTokenRequest>

/**
 * The token with its times and HMAC (KIP-48). v1: answered before throttling (KIP-219). v2:
 * flexible. v3: who asked for it (KIP-373).
 */
export const CreateDelegationTokenResponse = message(
  { key: 38, versions: [1, 3], flexible: 2 },
  {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: since(3, string()),
    tokenRequesterPrincipalName: since(3, string()),
    issueTimestampMs: int64Exact(),
    expiryTimestampMs: int64Exact(),
    maxTimestampMs: int64Exact(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32(),
  },
)
/** CreateDelegationTokenResponse, decoded. */
export type CreateDelegationTokenResponse = Infer<typeof CreateDelegationTokenResponse>
