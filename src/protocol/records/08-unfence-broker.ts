// Metadata record type 8: UnfenceBrokerRecord.
import { type Infer, message } from '../codec/message.ts'
import { int32, int64 } from '../codec/primitives.ts'

/** A broker was unfenced: it may lead. Old form; BrokerRegistrationChangeRecord took its place. */
export const UnfenceBrokerRecord = message(
  { key: 8, versions: [0, 0], flexible: 0 },
  {
    id: int32(),
    epoch: int64(),
  },
)
/** UnfenceBrokerRecord, decoded. */
export type UnfenceBrokerRecord = Infer<typeof UnfenceBrokerRecord>
