// Metadata record type 20: NoOpRecord.
import { type Infer, message } from '../codec/message.ts'

/** Nothing happened: Kafka writes it so that the high watermark of an idle quorum moves. */
export const NoOpRecord = message({ key: 20, versions: [0, 0], flexible: 0 }, {})
/** NoOpRecord, decoded. */
export type NoOpRecord = Infer<typeof NoOpRecord>
