// Metadata record type 10: DelegationTokenRecord.
import { array } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int64Exact, string } from '../codec/primitives.ts'

/** A delegation token was made or renewed. */
export const DelegationTokenRecord = message(
  { key: 10, versions: [0, 0], flexible: 0 },
  {
    owner: string(),
    requester: string(),
    renewers: array(string()),
    issueTimestamp: int64Exact(),
    maxTimestamp: int64Exact(),
    expirationTimestamp: int64Exact(),
    tokenId: string(),
  },
)
/** DelegationTokenRecord, decoded. */
export type DelegationTokenRecord = Infer<typeof DelegationTokenRecord>
