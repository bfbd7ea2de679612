// API key 82: UpdateRaftVoter, a voter has new endpoints or versions.
import { array, struct } from '../codec/composites.ts'
import { optional, tagged } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, string, uint16, uuid } from '../codec/primitives.ts'

/** A voter tells the leader of the metadata quorum its endpoints and kraft.version (KIP-853). */
export const UpdateRaftVoterRequest = message(
  { key: 82, versions: [0, 0], flexible: 0 },
  {
    clusterId: nullableString(),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(struct({ name: string(), host: string(), port: uint16() })),
    kRaftVersionFeature: struct({ minSupportedVersion: int16(), maxSupportedVersion: int16() }),
  },
)
/** UpdateRaftVoterRequest, decoded. */
export type UpdateRaftVoterRequest = Infer<typeof UpdateRaftVoterRequest>

/** What became of it, and who leads (KIP-853). */
export const UpdateRaftVoterResponse = message(
  { key: 82, versions: [0, 0], flexible: 0 },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    currentLeader: tagged(
      0,
      0,
      struct({
        leaderId: optional(int32(), -1),
        leaderEpoch: optional(int32(), -1),
        host: string(),
        port: int32(),
      }),
    ),
  },
)
/** UpdateRaftVoterResponse, decoded. */
export type UpdateRaftVoterResponse = Infer<typeof UpdateRaftVoterResponse>
