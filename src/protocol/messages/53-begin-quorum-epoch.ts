// API key 53: BeginQuorumEpoch, a new leader of the metadata quorum.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uint16, uuid } from '../codec/primitives.ts'

/**
 * A leader tells the voters of its epoch (KIP-595). v1: flexible; voter and directory ids, the
 * leader's endpoints (KIP-853).
 */
export const BeginQuorumEpochRequest = message(
  { key: 53, versions: [0, 1], flexible: 1 },
  {
    clusterId: optional(nullableString(), null),
    voterId: ignorable(since(1, int32(), -1)),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            voterDirectoryId: ignorable(since(1, uuid())),
            leaderId: int32(),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
    leaderEndpoints: ignorable(
      since(1, array(struct({ name: string(), host: string(), port: uint16() }))),
    ),
  },
)
/** BeginQuorumEpochRequest, decoded. */
export type BeginQuorumEpochRequest = Infer<typeof BeginQuorumEpochRequest>

/** Whether the voter agrees (KIP-595). v1: flexible; the leader's endpoint (KIP-853). */
export const BeginQuorumEpochResponse = message(
  { key: 53, versions: [0, 1], flexible: 1 },
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
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(0, 1, array(struct({ nodeId: int32(), host: string(), port: uint16() }))),
  },
)
/** BeginQuorumEpochResponse, decoded. */
export type BeginQuorumEpochResponse = Infer<typeof BeginQuorumEpochResponse>
