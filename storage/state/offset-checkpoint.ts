// The four checkpoint files in the root of a data directory: one offset for each partition.
import { StorageFault } from '../base/errors.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import { parseCheckpoint, parseCheckpointNumber, serializeCheckpoint } from './checkpoint-text.ts'

/** Per partition, the first offset that is not known to be on disk. */
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint'
/** Per partition, the high watermark. */
export const REPLICATION_CHECKPOINT = 'replication-offset-checkpoint'
/** Per partition whose log start lies beyond its first segment's base, the log start offset. */
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint'
/** Per compacted partition, the first dirty offset. */
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint'

/** One line: a partition and its offset. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** The content of a checkpoint file: `topic partition offset` a line, in the order given. */
export function serializeOffsetCheckpoint(offsets: readonly PartitionOffset[]): Uint8Array {
  return serializeCheckpoint(
    offsets.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`),
  )
}

/**
 * Offsets by partition name (`topic-partition`); none when there is no file. Throws `StorageFault` when it is malformed:
 * for the recovery point and the log start Kafka goes on with nothing then, for the others the directory is unusable.
 */
export function parseOffsetCheckpoint(
  bytes: Uint8Array | undefined,
  name: string,
): Map<string, number> {
  const offsets = new Map<string, number>()
  if (!bytes) return offsets
  for (const [topic = '', partition, offset] of parseCheckpoint(bytes, name, 3)) {
    const key = partitionName({ topic, partition: parseCheckpointNumber(partition, name) })
    if (offsets.has(key)) throw new StorageFault(`The file ${name} has ${key} twice`)
    offsets.set(key, parseCheckpointNumber(offset, name))
  }
  return offsets
}
