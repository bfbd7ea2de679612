// Metadata record type 15: ProducerIdsRecord.
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int32, int64, int64Exact } from '../codec/primitives.ts'

/** A block of producer ids was given to a broker; the next block begins at `nextProducerId`. */
export const ProducerIdsRecord = message(
  { key: 15, versions: [0, 0], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: optional(int64(), -1),
    nextProducerId: int64Exact(),
  },
)
/** ProducerIdsRecord, decoded. */
export type ProducerIdsRecord = Infer<typeof ProducerIdsRecord>
