// API key 50: DescribeUserScramCredentials, which SCRAM credentials there are.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/** An admin asks which SCRAM credentials users have; null users: all (KIP-554). */
export const DescribeUserScramCredentialsRequest = message(
  { key: 50, versions: [0, 0], flexible: 0 },
  { users: nullableArray(struct({ name: string() })) },
)
/** DescribeUserScramCredentialsRequest, decoded. */
export type DescribeUserScramCredentialsRequest = Infer<typeof DescribeUserScramCredentialsRequest>

/** Mechanism and iterations of every credential; 1 is SHA-256, 2 is SHA-512 (KIP-554). */
export const DescribeUserScramCredentialsResponse = message(
  { key: 50, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: array(
      struct({
        user: string(),
        errorCode: int16(),
        errorMessage: nullableString(),
        credentialInfos: array(struct({ mechanism: int8(), iterations: int32() })),
      }),
    ),
  },
)
/** DescribeUserScramCredentialsResponse, decoded. */
export type DescribeUserScramCredentialsResponse = Infer<
  typeof DescribeUserScramCredentialsResponse
>
