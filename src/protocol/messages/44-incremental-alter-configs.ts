// API key 44: IncrementalAlterConfigs, change single configs.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin changes single configs: 0 set, 1 delete, 2 append, 3 subtract (KIP-339). v1: flexible.
 */
export const IncrementalAlterConfigsRequest = message(
  { key: 44, versions: [0, 1], flexible: 1 },
  {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({ name: string(), configOperation: int8(), value: nullableString() }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
)
/** IncrementalAlterConfigsRequest, decoded. */
export type IncrementalAlterConfigsRequest = Infer<typeof IncrementalAlterConfigsRequest>

/** What became of each resource (KIP-339). v1: flexible. */
export const IncrementalAlterConfigsResponse = message(
  { key: 44, versions: [0, 1], flexible: 1 },
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
/** IncrementalAlterConfigsResponse, decoded. */
export type IncrementalAlterConfigsResponse = Infer<typeof IncrementalAlterConfigsResponse>
