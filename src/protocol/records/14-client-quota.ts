// Metadata record type 14: ClientQuotaRecord.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, float64, nullableString, string } from '../codec/primitives.ts'

/** One quota of one client entity was set or removed. */
export const ClientQuotaRecord = message(
  { key: 14, versions: [0, 0], flexible: 0 },
  {
    entity: array(struct({ entityType: string(), entityName: nullableString() })),
    key: string(),
    value: float64(),
    remove: bool(),
  },
)
/** ClientQuotaRecord, decoded. */
export type ClientQuotaRecord = Infer<typeof ClientQuotaRecord>
