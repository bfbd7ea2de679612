// API key 54: EndQuorumEpoch, a leader of the metadata quorum resigns.
import { array, struct } from '../codec/composites.ts'
import { ignorable, optional, since, tagged, until } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uint16, uuid } from '../codec/primitives.ts'

/**
 * A leader gives up its epoch and says who should follow (KIP-595). v1: flexible; candidates with
 * directory ids, the leader's endpoints (KIP-853).
 */
export const EndQuorumEpochRequest = message(
  { key: 54, versions: [0, 1], flexible: 1 },
  {
    clusterId: optional(nullableString(), null),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32(),
            preferredSuccessors: ignorable(until(0, array(int32()))),
            preferredCandidates: ignorable(
              since(1, array(struct({ candidateId: int32(), candidateDirectoryId: uuid() }))),
            ),
          }),
        ),
      }),
    ),
    leaderEndpoints: ignorable(
      since(1, array(struct({ name: string(), host: string(), port: uint16() }))),
    ),
  },
)
/** EndQuorumEpochRequest, decoded. */
export type EndQuorumEpochRequest = Infer<typeof EndQuorumEpochRequest>

/** Whether the voter agrees (KIP-595). v1: flexible; the leader's endpoint (KIP-853). */
export const EndQuorumEpochResponse = message(
  { key: 54, versions: [0, 1], flexible: 1 },
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
/** EndQuorumEpochResponse, decoded. */
export type EndQuorumEpochResponse = Infer<typeof EndQuorumEpochResponse>
