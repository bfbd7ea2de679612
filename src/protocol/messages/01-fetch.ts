// API key 1: Fetch, read record batches.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  int8,
  int16,
  int32,
  int64,
  int64Exact,
  nullableRecords,
  nullableString,
  string,
  uuid,
} from '../codec/primitives.ts'

/**
 * A consumer or a replica reads from partitions, in the order given. `highWatermark` is a
 * replica's, 2^63 - 1 when it does not say. v5: log start offset of a replica. v7: sessions
 * (KIP-227). v9: leader epoch (KIP-320). v10: zstd (KIP-110). v11: rack (KIP-392). v12: flexible;
 * last fetched epoch (KIP-595). v13: topic ids (KIP-516). v15: replica state (KIP-903). v17:
 * replica directory (KIP-853). v18: high watermark (KIP-1166).
 */
export const FetchRequest = message(
  { key: 1, versions: [4, 18], flexible: 12 },
  {
    clusterId: ignorable(tagged(0, 12, nullableString(), null)),
    replicaId: until(14, int32(), -1),
    replicaState: tagged(
      1,
      15,
      struct({ replicaId: optional(int32(), -1), replicaEpoch: optional(int64Exact(), -1) }),
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: optional(int32(), 2_147_483_647),
    isolationLevel: optional(int8()),
    sessionId: ignorable(since(7, int32())),
    sessionEpoch: ignorable(since(7, int32(), -1)),
    topics: array(
      struct({
        topic: ignorable(until(12, string())),
        topicId: ignorable(since(13, uuid())),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: ignorable(since(9, int32(), -1)),
            // Whatever it is, the answer is an error of the partition.
            fetchOffset: int64Exact(),
            lastFetchedEpoch: since(12, int32(), -1),
            logStartOffset: ignorable(since(5, int64Exact(), -1)),
            partitionMaxBytes: int32(),
            replicaDirectoryId: ignorable(tagged(0, 17, uuid())),
            highWatermark: ignorable(tagged(1, 18, int64Exact(), 9_223_372_036_854_775_807n)),
          }),
        ),
      }),
    ),
    forgottenTopicsData: since(
      7,
      array(
        struct({
          topic: ignorable(until(12, string())),
          topicId: ignorable(since(13, uuid())),
          partitions: array(int32()),
        }),
      ),
    ),
    rackId: ignorable(since(11, string())),
  },
)
/** FetchRequest, decoded. */
export type FetchRequest = Infer<typeof FetchRequest>

/**
 * Batches as they lie in the log; the last one may be cut. `abortedTransactions` is null for
 * read_uncommitted. v5: log start offset. v7: sessions (KIP-227). v8: answered before throttling
 * (KIP-219). v11: preferred read replica (KIP-392). v12: flexible; diverging epoch and current
 * leader (KIP-595). v13: topic ids (KIP-516). v16: node endpoints (KIP-951).
 */
export const FetchResponse = message(
  { key: 1, versions: [4, 18], flexible: 12 },
  {
    throttleTimeMs: int32(),
    errorCode: ignorable(since(7, int16())),
    sessionId: since(7, int32()),
    responses: array(
      struct({
        topic: ignorable(until(12, string())),
        topicId: ignorable(since(13, uuid())),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: optional(int64(), -1),
            logStartOffset: ignorable(since(5, int64(), -1)),
            divergingEpoch: tagged(
              0,
              12,
              struct({ epoch: optional(int32(), -1), endOffset: optional(int64(), -1) }),
            ),
            currentLeader: tagged(
              1,
              12,
              struct({ leaderId: optional(int32(), -1), leaderEpoch: optional(int32(), -1) }),
            ),
            snapshotId: tagged(
              2,
              12,
              struct({ endOffset: optional(int64(), -1), epoch: optional(int32(), -1) }),
            ),
            abortedTransactions: nullableArray(
              struct({ producerId: int64Exact(), firstOffset: int64() }),
            ),
            preferredReadReplica: since(11, int32(), -1),
            records: nullableRecords(),
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(
      0,
      16,
      array(
        struct({
          nodeId: int32(),
          host: string(),
          port: int32(),
          rack: optional(nullableString(), null),
        }),
      ),
    ),
  },
)
/** FetchResponse, decoded. */
export type FetchResponse = Infer<typeof FetchResponse>
