// Metadata record type 19: RemoveAccessControlEntryRecord.
import { type Infer, message } from '../codec/message.ts'
import { uuid } from '../codec/primitives.ts'

/** An ACL was removed. */
export const RemoveAccessControlEntryRecord = message(
  { key: 19, versions: [0, 0], flexible: 0 },
  {
    id: uuid(),
  },
)
/** RemoveAccessControlEntryRecord, decoded. */
export type RemoveAccessControlEntryRecord = Infer<typeof RemoveAccessControlEntryRecord>
