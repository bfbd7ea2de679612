// Metadata record type 11: UserScramCredentialRecord.
import { type Infer, message } from '../codec/message.ts'
import { bytes, int8, int32, string } from '../codec/primitives.ts'

/** A user got a SCRAM credential. */
export const UserScramCredentialRecord = message(
  { key: 11, versions: [0, 0], flexible: 0 },
  {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  },
)
/** UserScramCredentialRecord, decoded. */
export type UserScramCredentialRecord = Infer<typeof UserScramCredentialRecord>
