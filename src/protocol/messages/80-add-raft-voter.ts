// API key 80: AddRaftVoter, a controller becomes a voter.
import { array, struct } from '../codec/composites.ts'
import { since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, nullableString, string, uint16, uuid } from '../codec/primitives.ts'

/**
 * An admin or a controller adds a voter to the metadata quorum (KIP-853). v1: whether to answer
 * before the commit (KIP-1186).
 */
export const AddRaftVoterRequest = message(
  { key: 80, versions: [0, 1], flexible: 0 },
  {
    clusterId: nullableString(),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(struct({ name: string(), host: string(), port: uint16() })),
    ackWhenCommitted: since(1, bool(), true),
  },
)
/** AddRaftVoterRequest, decoded. */
export type AddRaftVoterRequest = Infer<typeof AddRaftVoterRequest>

/** What became of it (KIP-853). */
export const AddRaftVoterResponse = message(
  { key: 80, versions: [0, 1], flexible: 0 },
  { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
)
/** AddRaftVoterResponse, decoded. */
export type AddRaftVoterResponse = Infer<typeof AddRaftVoterResponse>
