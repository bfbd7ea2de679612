// Metadata record type 3: PartitionRecord.
import { array, nullableArray } from '../codec/composites.ts'
import { optional, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int8, int32, uuid } from '../codec/primitives.ts'

/** A partition was created, or stands so in a snapshot. v1: directories (KIP-858). v2: eligible leader replicas (KIP-966). */
export const PartitionRecord = message(
  { key: 3, versions: [0, 2], flexible: 0 },
  {
    partitionId: optional(int32(), -1),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: optional(int32(), -1),
    leaderRecoveryState: tagged(0, 0, int8()),
    leaderEpoch: optional(int32(), -1),
    partitionEpoch: optional(int32(), -1),
    directories: since(1, array(uuid())),
    eligibleLeaderReplicas: tagged(1, 2, nullableArray(int32()), null),
    lastKnownElr: tagged(2, 2, nullableArray(int32()), null),
  },
)
/** PartitionRecord, decoded. */
export type PartitionRecord = Infer<typeof PartitionRecord>
