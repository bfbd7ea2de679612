// API key 49: AlterClientQuotas, change client quotas.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, float64, int16, int32, nullableString, string } from '../codec/primitives.ts'

/** An admin sets or removes quotas (KIP-546). v1: flexible. */
export const AlterClientQuotasRequest = message(
  { key: 49, versions: [0, 1], flexible: 1 },
  {
    entries: array(
      struct({
        entity: array(struct({ entityType: string(), entityName: nullableString() })),
        ops: array(struct({ key: string(), value: float64(), remove: bool() })),
      }),
    ),
    validateOnly: bool(),
  },
)
/** AlterClientQuotasRequest, decoded. */
export type AlterClientQuotasRequest = Infer<typeof AlterClientQuotasRequest>

/** What became of each entity (KIP-546). v1: flexible. */
export const AlterClientQuotasResponse = message(
  { key: 49, versions: [0, 1], flexible: 1 },
  {
    throttleTimeMs: int32(),
    entries: array(
      struct({
        errorCode: int16(),
        errorMessage: nullableString(),
        entity: array(struct({ entityType: string(), entityName: nullableString() })),
      }),
    ),
  },
)
/** AlterClientQuotasResponse, decoded. */
export type AlterClientQuotasResponse = Infer<typeof AlterClientQuotasResponse>
