// API key 59: FetchSnapshot, read a snapshot of the metadata log.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  int16,
  int32,
  int64,
  nullableString,
  records,
  string,
  uint16,
  uuid,
} from '../codec/primitives.ts'

/**
 * A replica of the metadata log reads a snapshot, a piece at a time (KIP-630). v1: replica
 * directory id (KIP-853).
 */
export const FetchSnapshotRequest = message(
  { key: 59, versions: [0, 1], flexible: 0 },
  {
    clusterId: tagged(0, 0, nullableString(), null),
    replicaId: optional(int32(), -1),
    maxBytes: optional(int32(), 2_147_483_647),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32(),
            snapshotId: struct({ endOffset: int64(), epoch: int32() }),
            position: int64(),
            replicaDirectoryId: ignorable(tagged(0, 1, uuid())),
          }),
        ),
      }),
    ),
  },
)
/** FetchSnapshotRequest, decoded. */
export type FetchSnapshotRequest = Infer<typeof FetchSnapshotRequest>

/** A piece of the snapshot (KIP-630). v1: the leader's endpoint (KIP-853). */
export const FetchSnapshotResponse = message(
  { key: 59, versions: [0, 1], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            index: int32(),
            errorCode: int16(),
            snapshotId: struct({ endOffset: int64(), epoch: int32() }),
            currentLeader: tagged(0, 0, struct({ leaderId: int32(), leaderEpoch: int32() })),
            size: int64(),
            position: int64(),
            unalignedRecords: records(),
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(0, 1, array(struct({ nodeId: int32(), host: string(), port: uint16() }))),
  },
)
/** FetchSnapshotResponse, decoded. */
export type FetchSnapshotResponse = Infer<typeof FetchSnapshotResponse>
