// API key 63: BrokerHeartbeat, a broker lives.
import { array, nullableArray } from '../codec/composites.ts'
import { optional, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64, uuid } from '../codec/primitives.ts'

/**
 * A broker tells the controller that it lives, and what it wants (KIP-631). v1: offline
 * directories (KIP-858). v2: cordoned directories (KIP-1066).
 */
export const BrokerHeartbeatRequest = message(
  { key: 63, versions: [0, 2], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: optional(int64(), -1),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: tagged(0, 1, array(uuid())),
    cordonedLogDirs: tagged(1, 2, nullableArray(uuid()), null),
  },
)
/** BrokerHeartbeatRequest, decoded. */
export type BrokerHeartbeatRequest = Infer<typeof BrokerHeartbeatRequest>

/** Whether it is caught up, fenced, and may shut down (KIP-631). */
export const BrokerHeartbeatResponse = message(
  { key: 63, versions: [0, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    isCaughtUp: optional(bool()),
    isFenced: optional(bool(), true),
    shouldShutDown: bool(),
  },
)
/** BrokerHeartbeatResponse, decoded. */
export type BrokerHeartbeatResponse = Infer<typeof BrokerHeartbeatResponse>
