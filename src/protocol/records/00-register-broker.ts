// Metadata record type 0: RegisterBrokerRecord.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { optional, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  bool,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uint16,
  uuid,
} from '../codec/primitives.ts'

/**
 * A broker has registered: a new incarnation with its endpoints, features and directories. v1: controlled shutdown.
 * v2: migration. v3: log directories (KIP-858). v4: cordoned directories (KIP-1066).
 */
export const RegisterBrokerRecord = message(
  { key: 0, versions: [0, 4], flexible: 0 },
  {
    brokerId: int32(),
    isMigratingZkBroker: since(2, bool()),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array(
      struct({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    ),
    features: array(
      struct({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    ),
    rack: nullableString(),
    fenced: optional(bool(), true),
    inControlledShutdown: since(1, bool()),
    logDirs: tagged(0, 3, array(uuid())),
    cordonedLogDirs: tagged(1, 4, nullableArray(uuid()), null),
  },
)
/** RegisterBrokerRecord, decoded. */
export type RegisterBrokerRecord = Infer<typeof RegisterBrokerRecord>
