// API key 52: Vote, ask for a vote in the metadata quorum.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import {
  bool,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uint16,
  uuid,
} from '../codec/primitives.ts'

/**
 * A candidate asks a voter for its vote (KIP-595). v1: voter and directory ids (KIP-853). v2:
 * pre-votes; a candidate is now a replica (KIP-996).
 */
export const VoteRequest = message(
  { key: 52, versions: [0, 2], flexible: 0 },
  {
    clusterId: optional(nullableString(), null),
    voterId: ignorable(since(1, int32(), -1)),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicaEpoch: int32(),
            replicaId: int32(),
            replicaDirectoryId: ignorable(since(1, uuid())),
            voterDirectoryId: ignorable(since(1, uuid())),
            lastOffsetEpoch: int32(),
            lastOffset: int64(),
            preVote: since(2, bool()),
          }),
        ),
      }),
    ),
  },
)
/** VoteRequest, decoded. */
export type VoteRequest = Infer<typeof VoteRequest>

/**
 * Whether the vote was given (KIP-595). v1: the leader's endpoint (KIP-853). v2: pre-votes
 * (KIP-996).
 */
export const VoteResponse = message(
  { key: 52, versions: [0, 2], flexible: 0 },
  {
    errorCode: int16(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            leaderId: int32(),
            leaderEpoch: int32(),
            voteGranted: bool(),
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(0, 1, array(struct({ nodeId: int32(), host: string(), port: uint16() }))),
  },
)
/** VoteResponse, decoded. */
export type VoteResponse = Infer<typeof VoteResponse>
