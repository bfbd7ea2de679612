// Metadata record type 4: ConfigRecord.
import { type Infer, message } from '../codec/message.ts'
import { int8, nullableString, string } from '../codec/primitives.ts'

/** One config of one resource was set, or deleted when the value is null. */
export const ConfigRecord = message(
  { key: 4, versions: [0, 0], flexible: 0 },
  {
    resourceType: int8(),
    resourceName: string(),
    name: string(),
    value: nullableString(),
  },
)
/** ConfigRecord, decoded. */
export type ConfigRecord = Infer<typeof ConfigRecord>
