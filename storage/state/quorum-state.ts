// The `quorum-state` file of the metadata log: who leads, and for whom this node voted.
import { StorageFault } from '../base/errors.ts'
import { type Uuid, ZERO_UUID } from '../base/uuid.ts'

/** The file's name in the directory of `__cluster_metadata-0`. */
export const QUORUM_STATE_FILE = 'quorum-state'

/** The election state (Kafka's `QuorumStateData`, version 1). */
export interface QuorumState {
  /** -1 when there is none. */
  readonly leaderId: number
  readonly leaderEpoch: number
  /** -1 when this node voted for nobody. */
  readonly votedId: number
  readonly votedDirectoryId: Uuid
}

/** One line of JSON without a newline, its keys in Kafka's order. */
export function serializeQuorumState(state: QuorumState): Uint8Array {
  const { leaderId, leaderEpoch, votedId, votedDirectoryId } = state
  const content = { leaderId, leaderEpoch, votedId, votedDirectoryId, data_version: 1 }
  return new TextEncoder().encode(JSON.stringify(content))
}

/** Reads version 1, and version 0 of clusters with a fixed set of voters. Throws `StorageFault` when it is malformed. */
export function parseQuorumState(bytes: Uint8Array): QuorumState {
  const text = new TextDecoder().decode(bytes)
  const fields = parseObject(text)
  const version = fields['data_version']
  const directoryId = version === 1 ? fields['votedDirectoryId'] : ZERO_UUID
  const numbers = [fields['leaderId'], fields['leaderEpoch'], fields['votedId']]
  const [leaderId, leaderEpoch, votedId] = numbers.map((value) =>
    Number.isInteger(value) ? Number(value) : undefined,
  )
  if ((version !== 0 && version !== 1) || typeof directoryId !== 'string') throw malformed(text)
  if (leaderId === undefined || leaderEpoch === undefined || votedId === undefined) {
    throw malformed(text)
  }
  return { leaderId, leaderEpoch, votedId, votedDirectoryId: directoryId }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) }
  } catch (error) {
    throw new StorageFault(`The file ${QUORUM_STATE_FILE} is no JSON: ${text}`, { cause: error })
  }
}

function malformed(text: string): StorageFault {
  return new StorageFault(`The file ${QUORUM_STATE_FILE} has the content ${text}`)
}
