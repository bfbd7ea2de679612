// API key 41: DescribeDelegationToken, read delegation tokens.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int32, int64Exact, string } from '../codec/primitives.ts'

/**
 * A client asks for the tokens of owners; null: of all (KIP-48). v2: flexible. v3: who asked for a
 * token, in the answer (KIP-373).
 */
export const DescribeDelegationTokenRequest = message(
  { key: 41, versions: [1, 3], flexible: 2 },
  { owners: nullableArray(struct({ principalType: string(), principalName: string() })) },
)
/** DescribeDelegationTokenRequest, decoded. */
export type DescribeDelegationTokenRequest = Infer<typeof DescribeDelegationTokenRequest>

/**
 * The tokens (KIP-48). v1: answered before throttling (KIP-219). v2: flexible. v3: who asked for
 * each (KIP-373).
 */
export const DescribeDelegationTokenResponse = message(
  { key: 41, versions: [1, 3], flexible: 2 },
  {
    errorCode: int16(),
    tokens: array(
      struct({
        principalType: string(),
        principalName: string(),
        tokenRequesterPrincipalType: since(3, string()),
        tokenRequesterPrincipalName: since(3, string()),
        issueTimestamp: int64Exact(),
        expiryTimestamp: int64Exact(),
        maxTimestamp: int64Exact(),
        tokenId: string(),
        hmac: bytes(),
        renewers: array(struct({ principalType: string(), principalName: string() })),
      }),
    ),
    throttleTimeMs: int32(),
  },
)
/** DescribeDelegationTokenResponse, decoded. */
export type DescribeDelegationTokenResponse = Infer<typeof DescribeDelegationTokenResponse>
