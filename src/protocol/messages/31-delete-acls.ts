// API key 31: DeleteAcls, delete ACLs.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin deletes the ACLs that match filters (KIP-140). v1: pattern type (KIP-290). v2:
 * flexible. v3: user resources (KIP-373).
 */
export const DeleteAclsRequest = message(
  { key: 31, versions: [1, 3], flexible: 2 },
  {
    filters: array(
      struct({
        resourceTypeFilter: int8(),
        resourceNameFilter: nullableString(),
        patternTypeFilter: optional(int8(), 3),
        principalFilter: nullableString(),
        hostFilter: nullableString(),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
)
/** DeleteAclsRequest, decoded. */
export type DeleteAclsRequest = Infer<typeof DeleteAclsRequest>

/**
 * What each filter matched, in order (KIP-140). v1: pattern type (KIP-290). v2: flexible. v3: user
 * resources (KIP-373).
 */
export const DeleteAclsResponse = message(
  { key: 31, versions: [1, 3], flexible: 2 },
  {
    throttleTimeMs: int32(),
    filterResults: array(
      struct({
        errorCode: int16(),
        errorMessage: nullableString(),
        matchingAcls: array(
          struct({
            errorCode: int16(),
            errorMessage: nullableString(),
            resourceType: int8(),
            resourceName: string(),
            patternType: optional(int8(), 3),
            principal: string(),
            host: string(),
            operation: int8(),
            permissionType: int8(),
          }),
        ),
      }),
    ),
  },
)
/** DeleteAclsResponse, decoded. */
export type DeleteAclsResponse = Infer<typeof DeleteAclsResponse>
