// Metadata record type 27: RegisterControllerRecord.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, string, uint16, uuid } from '../codec/primitives.ts'

/** A controller has registered (KIP-919). */
export const RegisterControllerRecord = message(
  { key: 27, versions: [0, 0], flexible: 0 },
  {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    endPoints: array(
      struct({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    ),
    features: array(
      struct({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    ),
  },
)
/** RegisterControllerRecord, decoded. */
export type RegisterControllerRecord = Infer<typeof RegisterControllerRecord>
