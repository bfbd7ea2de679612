// Metadata record type 9: RemoveTopicRecord.
import { type Infer, message } from '../codec/message.ts'
import { uuid } from '../codec/primitives.ts'

/** A topic was deleted, with all its partitions and configs. */
export const RemoveTopicRecord = message(
  { key: 9, versions: [0, 0], flexible: 0 },
  {
    topicId: uuid(),
  },
)
/** RemoveTopicRecord, decoded. */
export type RemoveTopicRecord = Infer<typeof RemoveTopicRecord>
