// API key 34: AlterReplicaLogDirs, move partitions between log directories.
import { array, struct } from '../codec/composites.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, string } from '../codec/primitives.ts'

/**
 * An admin says in which directory of this broker partitions are to live (KIP-113). v2: flexible.
 */
export const AlterReplicaLogDirsRequest = message(
  { key: 34, versions: [1, 2], flexible: 2 },
  {
    dirs: array(
      struct({
        path: string(),
        topics: array(struct({ name: string(), partitions: array(int32()) })),
      }),
    ),
  },
)
/** AlterReplicaLogDirsRequest, decoded. */
export type AlterReplicaLogDirsRequest = Infer<typeof AlterReplicaLogDirsRequest>

/**
 * What became of each partition (KIP-113). v1: answered before throttling (KIP-219). v2: flexible.
 */
export const AlterReplicaLogDirsResponse = message(
  { key: 34, versions: [1, 2], flexible: 2 },
  {
    throttleTimeMs: int32(),
    results: array(
      struct({
        topicName: string(),
        partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
      }),
    ),
  },
)
/** AlterReplicaLogDirsResponse, decoded. */
export type AlterReplicaLogDirsResponse = Infer<typeof AlterReplicaLogDirsResponse>
