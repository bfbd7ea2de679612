// Metadata record type 22: RemoveUserScramCredentialRecord.
import { type Infer, message } from '../codec/message.ts'
import { int8, string } from '../codec/primitives.ts'

/** A SCRAM credential was removed. */
export const RemoveUserScramCredentialRecord = message(
  { key: 22, versions: [0, 0], flexible: 0 },
  {
    name: string(),
    mechanism: int8(),
  },
)
/** RemoveUserScramCredentialRecord, decoded. */
export type RemoveUserScramCredentialRecord = Infer<typeof RemoveUserScramCredentialRecord>
