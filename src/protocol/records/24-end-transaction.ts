// Metadata record type 24: EndTransactionRecord.
import { type Infer, message } from '../codec/message.ts'

/** The records since BeginTransactionRecord take effect. */
export const EndTransactionRecord = message({ key: 24, versions: [0, 0], flexible: 0 }, {})
/** EndTransactionRecord, decoded. */
export type EndTransactionRecord = Infer<typeof EndTransactionRecord>
