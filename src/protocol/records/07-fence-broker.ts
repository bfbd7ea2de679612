// Metadata record type 7: FenceBrokerRecord.
import { type Infer, message } from '../codec/message.ts'
import { int32, int64 } from '../codec/primitives.ts'

/** A broker was fenced: it leads nothing. Old form; BrokerRegistrationChangeRecord took its place. */
export const FenceBrokerRecord = message(
  { key: 7, versions: [0, 0], flexible: 0 },
  {
    id: int32(),
    epoch: int64(),
  },
)
/** FenceBrokerRecord, decoded. */
export type FenceBrokerRecord = Infer<typeof FenceBrokerRecord>
