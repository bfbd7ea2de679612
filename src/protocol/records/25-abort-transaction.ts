// Metadata record type 25: AbortTransactionRecord.
import { tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { nullableString } from '../codec/primitives.ts'

/** The records since BeginTransactionRecord never take effect. */
export const AbortTransactionRecord = message(
  { key: 25, versions: [0, 0], flexible: 0 },
  {
    reason: tagged(0, 0, nullableString(), null),
  },
)
/** AbortTransactionRecord, decoded. */
export type AbortTransactionRecord = Infer<typeof AbortTransactionRecord>
