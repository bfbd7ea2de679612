// Metadata record type 18: AccessControlEntryRecord.
import { type Infer, message } from '../codec/message.ts'
import { int8, string, uuid } from '../codec/primitives.ts'

/** An ACL was added. */
export const AccessControlEntryRecord = message(
  { key: 18, versions: [0, 0], flexible: 0 },
  {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
)
/** AccessControlEntryRecord, decoded. */
export type AccessControlEntryRecord = Infer<typeof AccessControlEntryRecord>
