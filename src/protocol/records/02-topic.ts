// Metadata record type 2: TopicRecord.
import { type Infer, message } from '../codec/message.ts'
import { string, uuid } from '../codec/primitives.ts'

/** A topic was created. Its partitions and configs follow in records of their own. */
export const TopicRecord = message(
  { key: 2, versions: [0, 0], flexible: 0 },
  {
    name: string(),
    topicId: uuid(),
  },
)
/** TopicRecord, decoded. */
export type TopicRecord = Infer<typeof TopicRecord>
