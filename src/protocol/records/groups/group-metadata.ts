// Group record type 2: a classic group after each rebalance.
import { array, struct } from '../../codec/composites.ts'
import { ignorable, since } from '../../codec/fields.ts'
import { type Infer, message } from '../../codec/message.ts'
import { bytes, int32, int64, nullableString, string } from '../../codec/primitives.ts'

/** The group. */
export const GroupMetadataKey = message({ key: 2, versions: [0, 0] }, { group: string() })
/** GroupMetadataKey, decoded. */
export type GroupMetadataKey = Infer<typeof GroupMetadataKey>

/**
 * Generation, protocol and members with their subscriptions and assignments. v2: since when it is in its state.
 * v3: static members (KIP-345). v4: flexible.
 */
export const GroupMetadataValue = message(
  { key: 2, versions: [0, 4], flexible: 4 },
  {
    protocolType: string(),
    generation: int32(),
    protocol: nullableString(),
    leader: nullableString(),
    currentStateTimestamp: ignorable(since(2, int64(), -1)),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: ignorable(since(3, nullableString(), null)),
        clientId: string(),
        clientHost: string(),
        rebalanceTimeout: ignorable(since(1, int32(), -1)),
        sessionTimeout: int32(),
        subscription: bytes(),
        assignment: bytes(),
      }),
    ),
  },
)
/** GroupMetadataValue, decoded. */
export type GroupMetadataValue = Infer<typeof GroupMetadataValue>
