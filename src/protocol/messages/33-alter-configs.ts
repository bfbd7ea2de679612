// API key 33: AlterConfigs, replace configs.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin replaces the whole set of a resource's configs; IncrementalAlterConfigs is the gentler
 * way (KIP-133). v2: flexible.
 */
export const AlterConfigsRequest = message(
  { key: 33, versions: [0, 2], flexible: 2 },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(struct({ name: string(), value: nullableString() })),
      }),
    ),
    validateOnly: bool(),
  },
)
/** AlterConfigsRequest, decoded. */
export type AlterConfigsRequest = Infer<typeof AlterConfigsRequest>

/** What became of each resource. v1: answered before throttling (KIP-219). v2: flexible. */
export const AlterConfigsResponse = message(
  { key: 33, versions: [0, 2], flexible: 2 },
  {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        errorCode: int16(),
        errorMessage: nullableString(),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
)
/** AlterConfigsResponse, decoded. */
export type AlterConfigsResponse = Infer<typeof AlterConfigsResponse>
