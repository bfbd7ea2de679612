// API key 14: SyncGroup, hand out a classic group's assignment.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bytes, int16, int32, nullableString, string } from '../codec/primitives.ts'

/**
 * The leader brings the assignment, the others ask for theirs. v3: static membership (KIP-345).
 * v4: flexible. v5: protocol type and name, to be checked (KIP-559).
 */
export const SyncGroupRequest = message(
  { key: 14, versions: [0, 5], flexible: 4 },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: since(3, nullableString(), null),
    protocolType: ignorable(since(5, nullableString(), null)),
    protocolName: ignorable(since(5, nullableString(), null)),
    assignments: array(struct({ memberId: string(), assignment: bytes() })),
  },
)
/** SyncGroupRequest, decoded. */
export type SyncGroupRequest = Infer<typeof SyncGroupRequest>

/**
 * The member's assignment. v1: throttle time. v2: answered before throttling (KIP-219). v4:
 * flexible. v5: protocol type and name (KIP-559).
 */
export const SyncGroupResponse = message(
  { key: 14, versions: [0, 5], flexible: 4 },
  {
    throttleTimeMs: ignorable(since(1, int32())),
    errorCode: int16(),
    protocolType: ignorable(since(5, nullableString(), null)),
    protocolName: ignorable(since(5, nullableString(), null)),
    assignment: bytes(),
  },
)
/** SyncGroupResponse, decoded. */
export type SyncGroupResponse = Infer<typeof SyncGroupResponse>
