// API key 74: ListConfigResources, resources that have configs.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, string } from '../codec/primitives.ts'

/**
 * An admin asks which resources have configs. v0: client metrics alone (KIP-1000). v1: by type,
 * none given means all (KIP-1142).
 */
export const ListConfigResourcesRequest = message(
  { key: 74, versions: [0, 1], flexible: 0 },
  { resourceTypes: since(1, array(int8())) },
)
/** ListConfigResourcesRequest, decoded. */
export type ListConfigResourcesRequest = Infer<typeof ListConfigResourcesRequest>

/** The resources. v1: their types; 16 is client metrics (KIP-1142). */
export const ListConfigResourcesResponse = message(
  { key: 74, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array(
      struct({ resourceName: string(), resourceType: ignorable(since(1, int8(), 16)) }),
    ),
  },
)
/** ListConfigResourcesResponse, decoded. */
export type ListConfigResourcesResponse = Infer<typeof ListConfigResourcesResponse>
