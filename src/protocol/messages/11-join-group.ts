// API key 11: JoinGroup, enter a classic group.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, bytes, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * A member joins or rejoins. v1: rebalance timeout (KIP-62); in v0 it is the session timeout. v4:
 * a new member is first told its id (KIP-394). v5: static membership (KIP-345). v6: flexible. v8:
 * reason (KIP-800).
 */
export const JoinGroupRequest = message(
  { key: 11, versions: [0, 9], flexible: 6 },
  {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: ignorable(since(1, int32(), -1)),
    memberId: string(),
    groupInstanceId: since(5, nullableString(), null),
    protocolType: string(),
    protocols: array(struct({ name: string(), metadata: bytes() })),
    reason: ignorable(since(8, nullableString(), null)),
  },
)
/** JoinGroupRequest, decoded. */
export type JoinGroupRequest = Infer<typeof JoinGroupRequest>

/**
 * The generation that was joined; `members` is filled for the leader alone. v2: throttle time. v3:
 * answered before throttling (KIP-219). v4: MEMBER_ID_REQUIRED (KIP-394). v5: static membership
 * (KIP-345). v6: flexible. v7: protocol type; the protocol may be null (KIP-559). v9: the leader
 * may skip assigning (KIP-814).
 */
export const JoinGroupResponse = message(
  { key: 11, versions: [0, 9], flexible: 6 },
  {
    throttleTimeMs: ignorable(since(2, int32())),
    errorCode: int16(),
    generationId: optional(int32(), -1),
    protocolType: ignorable(since(7, nullableString(), null)),
    protocolName: nullableString(7),
    leader: string(),
    skipAssignment: since(9, bool()),
    memberId: string(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: ignorable(since(5, nullableString(), null)),
        metadata: bytes(),
      }),
    ),
  },
)
/** JoinGroupResponse, decoded. */
export type JoinGroupResponse = Infer<typeof JoinGroupResponse>
