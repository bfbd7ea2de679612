// The `.snapshot` file: the producer state of a partition as of the offset in its name.
import { KafkaError } from '../base/errors.ts'
import { crc32c } from '../bytes/crc32c.ts'
import { type Int64, readInt64, writeInt64 } from '../bytes/int64.ts'

const VERSION = 1
const HEADER_BYTES = 10
const ENTRY_BYTES = 46
/** The checksum covers everything behind itself. */
const CHECKED_FROM = 6

/** One producer in a snapshot: -1 stands for "none" in all but `offsetDelta`. */
export interface ProducerSnapshotEntry {
  readonly producerId: Int64
  readonly epoch: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: Int64
  readonly coordinatorEpoch: number
  readonly currentTxnFirstOffset: number
}

/**
 * The bytes of a snapshot: int16 version 1, uint32 CRC-32C over the rest, int32 count, then per producer int64
 * producerId, int16 epoch, int32 lastSequence, int64 lastOffset, int32 offsetDelta, int64 timestamp, int32
 * coordinatorEpoch, int64 currentTxnFirstOffset. Producers are in the order of Java's `HashMap`, so that a snapshot
 * that Kafka rebuilds has the same bytes.
 */
export function serializeProducerSnapshot(entries: readonly ProducerSnapshotEntry[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + entries.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, VERSION)
  view.setInt32(CHECKED_FROM, entries.length)
  let at = HEADER_BYTES
  for (const entry of inJavaOrder(entries)) {
    writeEntry(view, at, entry)
    at += ENTRY_BYTES
  }
  view.setUint32(2, crc32c(bytes.subarray(CHECKED_FROM)))
  return bytes
}

/** Reads a snapshot. Throws CORRUPT_MESSAGE when version, checksum or size is wrong. */
export function parseProducerSnapshot(bytes: Uint8Array): ProducerSnapshotEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES) throw corrupt(`has ${bytes.length} bytes`)
  if (view.getInt16(0) !== VERSION) throw corrupt(`has version ${view.getInt16(0)}`)
  const expected = view.getUint32(2)
  const actual = crc32c(bytes.subarray(CHECKED_FROM))
  if (expected !== actual) throw corrupt(`has checksum ${actual}, not ${expected}`)
  const count = view.getInt32(CHECKED_FROM)
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw corrupt(`has ${bytes.length} bytes for ${count} producers`)
  }
  return Array.from({ length: count }, (_, index) =>
    readEntry(view, HEADER_BYTES + index * ENTRY_BYTES),
  )
}

function writeEntry(view: DataView, at: number, entry: ProducerSnapshotEntry): void {
  writeInt64(view, at, entry.producerId)
  view.setInt16(at + 8, entry.epoch)
  view.setInt32(at + 10, entry.lastSequence)
  writeInt64(view, at + 14, entry.lastOffset)
  view.setInt32(at + 22, entry.offsetDelta)
  writeInt64(view, at + 26, entry.timestamp)
  view.setInt32(at + 34, entry.coordinatorEpoch)
  writeInt64(view, at + 38, entry.currentTxnFirstOffset)
}

function readEntry(view: DataView, at: number): ProducerSnapshotEntry {
  return {
    producerId: readInt64(view, at),
    epoch: view.getInt16(at + 8),
    lastSequence: view.getInt32(at + 10),
    lastOffset: Number(readInt64(view, at + 14)),
    offsetDelta: view.getInt32(at + 22),
    timestamp: readInt64(view, at + 26),
    coordinatorEpoch: view.getInt32(at + 34),
    currentTxnFirstOffset: Number(readInt64(view, at + 38)),
  }
}

/** By bucket of a table that is at most three quarters full; ties stay in order. */
function inJavaOrder(entries: readonly ProducerSnapshotEntry[]): readonly ProducerSnapshotEntry[] {
  let capacity = 16
  while (entries.length > capacity * 0.75) capacity *= 2
  const bucket = ({ producerId }: ProducerSnapshotEntry) => {
    const id = BigInt(producerId)
    const hash = Number(BigInt.asIntN(32, id ^ (id >> 32n)))
    return (hash ^ (hash >>> 16)) & (capacity - 1)
  }
  return entries.toSorted((left, right) => bucket(left) - bucket(right))
}

function corrupt(detail: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `The producer snapshot ${detail}`)
}
