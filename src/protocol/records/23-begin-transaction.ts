// Metadata record type 23: BeginTransactionRecord.
import { tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { nullableString } from '../codec/primitives.ts'

/** The records up to EndTransactionRecord take effect together (KIP-868). */
export const BeginTransactionRecord = message(
  { key: 23, versions: [0, 0], flexible: 0 },
  {
    name: tagged(0, 0, nullableString(), null),
  },
)
/** BeginTransactionRecord, decoded. */
export type BeginTransactionRecord = Infer<typeof BeginTransactionRecord>
