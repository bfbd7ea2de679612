// API key 81: RemoveRaftVoter, a controller stops being a voter.
import { type Infer, message } from '../codec/message.ts'
import { int16, int32, nullableString, uuid } from '../codec/primitives.ts'

/** An admin removes a voter from the metadata quorum (KIP-853). */
export const RemoveRaftVoterRequest = message(
  { key: 81, versions: [0, 0], flexible: 0 },
  { clusterId: nullableString(), voterId: int32(), voterDirectoryId: uuid() },
)
/** RemoveRaftVoterRequest, decoded. */
export type RemoveRaftVoterRequest = Infer<typeof RemoveRaftVoterRequest>

/** What became of it (KIP-853). */
export const RemoveRaftVoterResponse = message(
  { key: 81, versions: [0, 0], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
)
/** RemoveRaftVoterResponse, decoded. */
export type RemoveRaftVoterResponse = Infer<typeof RemoveRaftVoterResponse>
