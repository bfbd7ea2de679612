// Metadata record type 1: UnregisterBrokerRecord.
import { type Infer, message } from '../codec/message.ts'
import { int32, int64 } from '../codec/primitives.ts'

/** A broker was removed from the cluster for good. */
export const UnregisterBrokerRecord = message(
  { key: 1, versions: [0, 0], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: int64(),
  },
)
/** UnregisterBrokerRecord, decoded. */
export type UnregisterBrokerRecord = Infer<typeof UnregisterBrokerRecord>
