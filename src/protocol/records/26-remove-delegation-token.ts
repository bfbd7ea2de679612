// Metadata record type 26: RemoveDelegationTokenRecord.
import { type Infer, message } from '../codec/message.ts'
import { string } from '../codec/primitives.ts'

/** A delegation token was removed. */
export const RemoveDelegationTokenRecord = message(
  { key: 26, versions: [0, 0], flexible: 0 },
  {
    tokenId: string(),
  },
)
/** RemoveDelegationTokenRecord, decoded. */
export type RemoveDelegationTokenRecord = Infer<typeof RemoveDelegationTokenRecord>
