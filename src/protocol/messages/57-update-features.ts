// API key 57: UpdateFeatures, finalize feature levels.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin raises or lowers finalized feature levels (KIP-584). v1: validate only; upgrade types
 * instead of a flag (KIP-778). v2: no results per feature in the answer (KIP-1022).
 */
export const UpdateFeaturesRequest = message(
  { key: 57, versions: [0, 2], flexible: 0 },
  {
    timeoutMs: optional(int32(), 60_000),
    featureUpdates: array(
      struct({
        feature: string(),
        maxVersionLevel: int16(),
        allowDowngrade: until(0, bool()),
        upgradeType: since(1, int8(), 1),
      }),
    ),
    validateOnly: since(1, bool()),
  },
)
/** UpdateFeaturesRequest, decoded. */
export type UpdateFeaturesRequest = Infer<typeof UpdateFeaturesRequest>

/** What became of it (KIP-584). v2: no results per feature (KIP-1022). */
export const UpdateFeaturesResponse = message(
  { key: 57, versions: [0, 2], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: ignorable(
      until(
        1,
        array(struct({ feature: string(), errorCode: int16(), errorMessage: nullableString() })),
      ),
    ),
  },
)
/** UpdateFeaturesResponse, decoded. */
export type UpdateFeaturesResponse = Infer<typeof UpdateFeaturesResponse>
