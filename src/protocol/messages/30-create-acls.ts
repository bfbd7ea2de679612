// API key 30: CreateAcls, make ACLs.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin makes ACLs (KIP-140). v1: pattern type; 3 is literal (KIP-290). v2: flexible. v3: user
 * resources (KIP-373).
 */
export const CreateAclsRequest = message(
  { key: 30, versions: [1, 3], flexible: 2 },
  {
    creations: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        resourcePatternType: optional(int8(), 3),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
)
/** CreateAclsRequest, decoded. */
export type CreateAclsRequest = Infer<typeof CreateAclsRequest>

/**
 * What became of each ACL, in order (KIP-140). v1: answered before throttling (KIP-219). v2:
 * flexible.
 */
export const CreateAclsResponse = message(
  { key: 30, versions: [1, 3], flexible: 2 },
  {
    throttleTimeMs: int32(),
    results: array(struct({ errorCode: int16(), errorMessage: nullableString() })),
  },
)
/** CreateAclsResponse, decoded. */
export type CreateAclsResponse = Infer<typeof CreateAclsResponse>
