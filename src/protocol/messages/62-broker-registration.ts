// API key 62: BrokerRegistration, a broker enters the cluster.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
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
 * A broker registers a new incarnation with the controller (KIP-631). v1: migration from
 * ZooKeeper. v2: log directories (KIP-858). v3: epoch before a clean shutdown (KIP-966). v4:
 * features may start at 0 (KIP-1022).
 */
export const BrokerRegistrationRequest = message(
  { key: 62, versions: [0, 4], flexible: 0 },
  {
    brokerId: int32(),
    clusterId: string(),
    incarnationId: uuid(),
    listeners: array(
      struct({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    ),
    features: array(
      struct({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    ),
    rack: nullableString(),
    isMigratingZkBroker: since(1, bool()),
    logDirs: ignorable(since(2, array(uuid()))),
    previousBrokerEpoch: ignorable(since(3, int64(), -1)),
  },
)
/** BrokerRegistrationRequest, decoded. */
export type BrokerRegistrationRequest = Infer<typeof BrokerRegistrationRequest>

/** The epoch of the registration (KIP-631). */
export const BrokerRegistrationResponse = message(
  { key: 62, versions: [0, 4], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16(), brokerEpoch: optional(int64(), -1) },
)
/** BrokerRegistrationResponse, decoded. */
export type BrokerRegistrationResponse = Infer<typeof BrokerRegistrationResponse>
