// Metadata record type 12: FeatureLevelRecord.
import { type Infer, message } from '../codec/message.ts'
import { int16, string } from '../codec/primitives.ts'

/** A feature was finalised at a level; level 0 means no longer finalised. */
export const FeatureLevelRecord = message(
  { key: 12, versions: [0, 0], flexible: 0 },
  {
    name: string(),
    featureLevel: int16(),
  },
)
/** FeatureLevelRecord, decoded. */
export type FeatureLevelRecord = Infer<typeof FeatureLevelRecord>
