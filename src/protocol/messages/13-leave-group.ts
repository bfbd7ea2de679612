// API key 13: LeaveGroup, leave a classic group.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * A member leaves. v3: several members, static ones by instance id (KIP-345). v4: flexible. v5:
 * reason (KIP-800).
 */
export const LeaveGroupRequest = message(
  { key: 13, versions: [0, 5], flexible: 4 },
  {
    groupId: string(),
    memberId: until(2, string()),
    members: since(
      3,
      array(
        struct({
          memberId: string(),
          groupInstanceId: optional(nullableString(), null),
          reason: ignorable(since(5, nullableString(), null)),
        }),
      ),
    ),
  },
)
/** LeaveGroupRequest, decoded. */
export type LeaveGroupRequest = Infer<typeof LeaveGroupRequest>

/**
 * What became of it. v1: throttle time. v2: answered before throttling (KIP-219). v3: a result per
 * member (KIP-345). v4: flexible.
 */
export const LeaveGroupResponse = message(
  { key: 13, versions: [0, 5], flexible: 4 },
  {
    throttleTimeMs: ignorable(since(1, int32())),
    errorCode: int16(),
    members: since(
      3,
      array(struct({ memberId: string(), groupInstanceId: nullableString(), errorCode: int16() })),
    ),
  },
)
/** LeaveGroupResponse, decoded. */
export type LeaveGroupResponse = Infer<typeof LeaveGroupResponse>
