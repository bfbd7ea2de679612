// The four checkpoint files in the root of a data directory: one offset for each partition.
import { StorageFault } from '../base/errors.ts'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import { crc32c } from '../bytes/crc32c.ts'
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

/** In the place of a topic: none can have this name, and Kafka passes over partitions that it does not have. */
const SUM_TOPIC = 'millrace#crc32c'
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The content of a checkpoint file as Kafka writes it: `topic partition offset` a line, in the order given. */
export function serializeOffsetCheckpoint(offsets: readonly PartitionOffset[]): Uint8Array {
  return serializeCheckpoint(offsets.map(lineOf))
}

/**
 * The same with one line more, which Kafka reads and forgets: the CRC-32C of all that is above it. It is in the file and
 * not beside it, so that a kill never leaves one without the other, and what a Kafka wrote meanwhile is not taken for
 * damaged.
 *
 *     0
 *     2
 *     orders 0 912
 *     millrace#crc32c 0 3808858755
 */
export function serializeSummedCheckpoint(offsets: readonly PartitionOffset[]): Uint8Array {
  const lines = offsets.map(lineOf)
  const above = serializeCheckpoint([...lines, '']).subarray(0, -1)
  const sum = lineOf({ topic: SUM_TOPIC, partition: 0, offset: crc32c(above) })
  return serializeCheckpoint([...lines, sum])
}

/**
 * Offsets by partition name (`topic-partition`); none when there is no file. Throws `StorageFault` when it is malformed,
 * or does not fit its checksum if it has one.
 */
export function parseOffsetCheckpoint(
  bytes: Uint8Array | undefined,
  name: string,
): Map<string, number> {
  const offsets = new Map<string, number>()
  if (!bytes) return offsets
  for (const [topic = '', partition, offset] of parseCheckpoint(bytes, name, 3)) {
    if (topic === SUM_TOPIC) {
      checkSum(bytes, parseCheckpointNumber(offset, name), name)
      continue
    }
    const key = partitionName({ topic, partition: parseCheckpointNumber(partition, name) })
    if (offsets.has(key)) throw new StorageFault(`The file ${name} has ${key} twice`)
    offsets.set(key, parseCheckpointNumber(offset, name))
  }
  return offsets
}

function lineOf({ topic, partition, offset }: PartitionOffset): string {
  return `${topic} ${partition} ${offset}`
}

function checkSum(bytes: Uint8Array, sum: number, name: string): void {
  const text = decoder.decode(bytes)
  // Whole lines of ASCII: what does not decode to that was damaged, and encodes to something else.
  const above = encoder.encode(text.slice(0, text.indexOf(SUM_TOPIC)))
  if (crc32c(above) !== sum) throw new StorageFault(`The file ${name} does not fit its checksum`)
}
