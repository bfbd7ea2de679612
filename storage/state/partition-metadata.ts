// The `partition.metadata` file: the topic id of a partition directory.
import { StorageFault } from '../base/errors.ts'
import { type Uuid, ZERO_UUID } from '../base/uuid.ts'

/** The file's name. It is written before the first append. */
export const PARTITION_METADATA = 'partition.metadata'

/** Two lines, `version: 0` and `topic_id: …`, without a newline at the end. */
export function serializePartitionMetadata(topicId: Uuid): Uint8Array {
  return new TextEncoder().encode(`version: 0\ntopic_id: ${topicId}`)
}

/** The topic id. Throws `StorageFault` when the file is malformed. */
export function parsePartitionMetadata(bytes: Uint8Array): Uuid {
  const text = new TextDecoder().decode(bytes)
  const match = /^version:\s+0\s*\ntopic_id:\s+([\w-]{22})\s*$/.exec(text)
  const topicId = match?.[1]
  if (topicId && topicId !== ZERO_UUID) return topicId
  throw new StorageFault(`The file ${PARTITION_METADATA} has the content ${JSON.stringify(text)}`)
}
