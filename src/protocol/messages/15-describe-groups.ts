// API key 15: DescribeGroups, the state of classic groups.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, bytes, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * An admin asks about groups. v3: authorized operations (KIP-430). v5: flexible. v6:
 * GROUP_ID_NOT_FOUND for a group that is not there (KIP-1043).
 */
export const DescribeGroupsRequest = message(
  { key: 15, versions: [0, 6], flexible: 5 },
  { groups: array(string()), includeAuthorizedOperations: since(3, bool()) },
)
/** DescribeGroupsRequest, decoded. */
export type DescribeGroupsRequest = Infer<typeof DescribeGroupsRequest>

/**
 * The groups and their members. v1: throttle time. v2: answered before throttling (KIP-219). v3:
 * authorized operations (KIP-430). v4: static membership (KIP-345). v5: flexible. v6: error
 * message (KIP-1043).
 */
export const DescribeGroupsResponse = message(
  { key: 15, versions: [0, 6], flexible: 5 },
  {
    throttleTimeMs: ignorable(since(1, int32())),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: since(6, nullableString(), null),
        groupId: string(),
        groupState: string(),
        protocolType: string(),
        protocolData: string(),
        members: array(
          struct({
            memberId: string(),
            groupInstanceId: ignorable(since(4, nullableString(), null)),
            clientId: string(),
            clientHost: string(),
            memberMetadata: bytes(),
            memberAssignment: bytes(),
          }),
        ),
        authorizedOperations: since(3, int32(), -2_147_483_648),
      }),
    ),
  },
)
/** DescribeGroupsResponse, decoded. */
export type DescribeGroupsResponse = Infer<typeof DescribeGroupsResponse>
