// API key 32: DescribeConfigs, read configs.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin reads the configs of resources; null keys: all (KIP-133). v1: synonyms (KIP-226). v3:
 * documentation and types (KIP-569). v4: flexible.
 */
export const DescribeConfigsRequest = message(
  { key: 32, versions: [1, 4], flexible: 4 },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configurationKeys: nullableArray(string()),
      }),
    ),
    includeSynonyms: optional(bool()),
    includeDocumentation: since(3, bool()),
  },
)
/** DescribeConfigsRequest, decoded. */
export type DescribeConfigsRequest = Infer<typeof DescribeConfigsRequest>

/**
 * The configs, each with its value, source and, when asked for, synonyms. v1: source and synonyms
 * (KIP-226). v2: answered before throttling (KIP-219). v3: type and documentation (KIP-569). v4:
 * flexible.
 */
export const DescribeConfigsResponse = message(
  { key: 32, versions: [1, 4], flexible: 4 },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: nullableString(),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: nullableString(),
            readOnly: bool(),
            configSource: optional(int8(), -1),
            isSensitive: bool(),
            synonyms: array(struct({ name: string(), value: nullableString(), source: int8() })),
            configType: ignorable(since(3, int8())),
            documentation: ignorable(since(3, nullableString())),
          }),
        ),
      }),
    ),
  },
)
/** DescribeConfigsResponse, decoded. */
export type DescribeConfigsResponse = Infer<typeof DescribeConfigsResponse>
