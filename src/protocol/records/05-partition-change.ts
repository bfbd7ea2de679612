// Metadata record type 5: PartitionChangeRecord.
import { nullableArray } from '../codec/composites.ts'
import { optional, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int32, uuid } from '../codec/primitives.ts'

/**
 * A partition changed: only what is set differs. Every change raises the partition epoch, and one that names a leader
 * (even the same) the leader epoch. v1: directories (KIP-858). v2: eligible leader replicas (KIP-966).
 */
export const PartitionChangeRecord = message(
  { key: 5, versions: [0, 2], flexible: 0 },
  {
    partitionId: optional(int32(), -1),
    topicId: uuid(),
    isr: tagged(0, 0, nullableArray(int32()), null),
    leader: tagged(1, 0, int32(), -2),
    replicas: tagged(2, 0, nullableArray(int32()), null),
    removingReplicas: tagged(3, 0, nullableArray(int32()), null),
    addingReplicas: tagged(4, 0, nullableArray(int32()), null),
    leaderRecoveryState: tagged(5, 0, int8(), -1),
    directories: tagged(8, 1, nullableArray(uuid()), null),
    eligibleLeaderReplicas: tagged(6, 2, nullableArray(int32()), null),
    lastKnownElr: tagged(7, 2, nullableArray(int32()), null),
  },
)
/** PartitionChangeRecord, decoded. */
export type PartitionChangeRecord = Infer<typeof PartitionChangeRecord>
