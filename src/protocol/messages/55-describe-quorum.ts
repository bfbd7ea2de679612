// API key 55: DescribeQuorum, the state of the metadata quorum.
import { array, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  int16,
  int32,
  int64,
  int64Exact,
  nullableString,
  string,
  uint16,
  uuid,
} from '../codec/primitives.ts'

const replicaState = struct({
  replicaId: int32(),
  replicaDirectoryId: since(2, uuid()),
  logEndOffset: int64(),
  lastFetchTimestamp: ignorable(since(1, int64Exact(), -1)),
  lastCaughtUpTimestamp: ignorable(since(1, int64Exact(), -1)),
})

/** An admin asks how far the voters and observers of the metadata log are (KIP-595). */
export const DescribeQuorumRequest = message(
  { key: 55, versions: [0, 2], flexible: 0 },
  {
    topics: array(
      struct({ topicName: string(), partitions: array(struct({ partitionIndex: int32() })) }),
    ),
  },
)
/** DescribeQuorumRequest, decoded. */
export type DescribeQuorumRequest = Infer<typeof DescribeQuorumRequest>

/**
 * The quorum's leader, voters and observers (KIP-595). v1: fetch and caught-up times (KIP-836).
 * v2: messages, nodes and directory ids (KIP-853).
 */
export const DescribeQuorumResponse = message(
  { key: 55, versions: [0, 2], flexible: 0 },
  {
    errorCode: int16(),
    errorMessage: ignorable(since(2, nullableString())),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            errorMessage: ignorable(since(2, nullableString())),
            leaderId: int32(),
            leaderEpoch: int32(),
            highWatermark: int64(),
            currentVoters: array(replicaState),
            observers: array(replicaState),
          }),
        ),
      }),
    ),
    nodes: since(
      2,
      array(
        struct({
          nodeId: int32(),
          listeners: array(struct({ name: string(), host: string(), port: uint16() })),
        }),
      ),
    ),
  },
)
/** DescribeQuorumResponse, decoded. */
export type DescribeQuorumResponse = Infer<typeof DescribeQuorumResponse>
