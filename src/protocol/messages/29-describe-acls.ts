// API key 29: DescribeAcls, read ACLs.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin asks for the ACLs that match a filter (KIP-140). v1: pattern type (KIP-290). v2:
 * flexible. v3: user resources (KIP-373).
 */
export const DescribeAclsRequest = message(
  { key: 29, versions: [1, 3], flexible: 2 },
  {
    resourceTypeFilter: int8(),
    resourceNameFilter: nullableString(),
    patternTypeFilter: optional(int8(), 3),
    principalFilter: nullableString(),
    hostFilter: nullableString(),
    operation: int8(),
    permissionType: int8(),
  },
)
/** DescribeAclsRequest, decoded. */
export type DescribeAclsRequest = Infer<typeof DescribeAclsRequest>

/**
 * The ACLs, by resource (KIP-140). v1: pattern type (KIP-290). v2: flexible. v3: user resources
 * (KIP-373).
 */
export const DescribeAclsResponse = message(
  { key: 29, versions: [1, 3], flexible: 2 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullableString(),
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        patternType: optional(int8(), 3),
        acls: array(
          struct({
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
/** DescribeAclsResponse, decoded. */
export type DescribeAclsResponse = Infer<typeof DescribeAclsResponse>
