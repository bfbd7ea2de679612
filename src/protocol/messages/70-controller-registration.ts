// API key 70: ControllerRegistration, a controller enters the cluster.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string, uint16, uuid } from '../codec/primitives.ts'

/** A controller registers a new incarnation (KIP-919). */
export const ControllerRegistrationRequest = message(
  { key: 70, versions: [0, 0], flexible: 0 },
  {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    listeners: array(
      struct({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    ),
    features: array(
      struct({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    ),
  },
)
/** ControllerRegistrationRequest, decoded. */
export type ControllerRegistrationRequest = Infer<typeof ControllerRegistrationRequest>

/** What became of it (KIP-919). */
export const ControllerRegistrationResponse = message(
  { key: 70, versions: [0, 0], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
)
/** ControllerRegistrationResponse, decoded. */
export type ControllerRegistrationResponse = Infer<typeof ControllerRegistrationResponse>
