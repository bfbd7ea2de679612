// API key 51: AlterUserScramCredentials, set and delete SCRAM credentials.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/** An admin deletes and upserts credentials (KIP-554). */
export const AlterUserScramCredentialsRequest = message(
  { key: 51, versions: [0, 0], flexible: 0 },
  {
    deletions: array(struct({ name: string(), mechanism: int8() })),
    upsertions: array(
      struct({
        name: string(),
        mechanism: int8(),
        iterations: int32(),
        salt: bytes(),
        saltedPassword: bytes(),
      }),
    ),
  },
)
/** AlterUserScramCredentialsRequest, decoded. */
export type AlterUserScramCredentialsRequest = Infer<typeof AlterUserScramCredentialsRequest>

/** What became of each user (KIP-554). */
export const AlterUserScramCredentialsResponse = message(
  { key: 51, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    results: array(struct({ user: string(), errorCode: int16(), errorMessage: nullableString() })),
  },
)
/** AlterUserScramCredentialsResponse, decoded. */
export type AlterUserScramCredentialsResponse = Infer<typeof AlterUserScramCredentialsResponse>
