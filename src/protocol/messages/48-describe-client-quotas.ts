// API key 48: DescribeClientQuotas, read client quotas.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, float64, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin asks for quotas. Match type: 0 exactly, 1 the default, 2 any that is named (KIP-546).
 * v1: flexible.
 */
export const DescribeClientQuotasRequest = message(
  { key: 48, versions: [0, 1], flexible: 1 },
  {
    components: array(struct({ entityType: string(), matchType: int8(), match: nullableString() })),
    strict: bool(),
  },
)
/** DescribeClientQuotasRequest, decoded. */
export type DescribeClientQuotasRequest = Infer<typeof DescribeClientQuotasRequest>

/** The quotas (KIP-546). v1: flexible. */
export const DescribeClientQuotasResponse = message(
  { key: 48, versions: [0, 1], flexible: 1 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    entries: nullableArray(
      struct({
        entity: array(struct({ entityType: string(), entityName: nullableString() })),
        values: array(struct({ key: string(), value: float64() })),
      }),
    ),
  },
)
/** DescribeClientQuotasResponse, decoded. */
export type DescribeClientQuotasResponse = Infer<typeof DescribeClientQuotasResponse>
