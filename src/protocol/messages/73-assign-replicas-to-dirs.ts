// API key 73: AssignReplicasToDirs, which directory a replica lives in.
import { array, struct } from '../codec/composites.ts'
import { optional } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, int64, uuid } from '../codec/primitives.ts'

/** A broker tells the controller where its replicas are (KIP-858). */
export const AssignReplicasToDirsRequest = message(
  { key: 73, versions: [0, 0], flexible: 0 },
  {
    brokerId: int32(),
    brokerEpoch: optional(int64(), -1),
    directories: array(
      struct({
        id: uuid(),
        topics: array(
          struct({ topicId: uuid(), partitions: array(struct({ partitionIndex: int32() })) }),
        ),
      }),
    ),
  },
)
/** AssignReplicasToDirsRequest, decoded. */
export type AssignReplicasToDirsRequest = Infer<typeof AssignReplicasToDirsRequest>

/** What became of each partition (KIP-858). */
export const AssignReplicasToDirsResponse = message(
  { key: 73, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    directories: array(
      struct({
        id: uuid(),
        topics: array(
          struct({
            topicId: uuid(),
            partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
          }),
        ),
      }),
    ),
  },
)
/** AssignReplicasToDirsResponse, decoded. */
export type AssignReplicasToDirsResponse = Infer<typeof AssignReplicasToDirsResponse>
