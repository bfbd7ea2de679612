// Metadata record type 17: BrokerRegistrationChangeRecord.
import { array, nullableArray } from '../codec/composites.ts'
import { tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int32, int64, uuid } from '../codec/primitives.ts'

/**
 * A registered broker changed: only what is set differs. v1: controlled shutdown. v2: log directories (KIP-858).
 * v3: cordoned directories (KIP-1066).
 */
export const BrokerRegistrationChangeRecord = message(
  { key: 17, versions: [0, 3], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: tagged(0, 0, int8()),
    inControlledShutdown: tagged(1, 1, int8()),
    logDirs: tagged(2, 2, array(uuid())),
    cordonedLogDirs: tagged(3, 3, nullableArray(uuid()), null),
  },
)
/** BrokerRegistrationChangeRecord, decoded. */
export type BrokerRegistrationChangeRecord = Infer<typeof BrokerRegistrationChangeRecord>
