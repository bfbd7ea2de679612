// Metadata record type 28: ClearElrRecord.
import { type Infer, message } from '../codec/message.ts'
import { string } from '../codec/primitives.ts'

/** The eligible leader replicas of a topic, or of all topics when the name is empty, are forgotten (KIP-966). */
export const ClearElrRecord = message(
  { key: 28, versions: [0, 0], flexible: 0 },
  {
    topicName: string(),
  },
)
/** ClearElrRecord, decoded. */
export type ClearElrRecord = Infer<typeof ClearElrRecord>
