// What a group's records keep of the topics it is subscribed to: one hash, so that a change is seen after a restart too.
import { uuidToBytes } from '#storage/base/uuid.ts'
import { canonicalInt64, type Int64 } from '#storage/bytes/int64.ts'
import type { TopicImage } from '../../metadata/image.ts'
import { xxh3 } from './xxh3.ts'

/** Kafka's version of what is hashed. */
const MAGIC = 0

/**
 * The hash of all that an assignor may look at: id, name, number of partitions and the racks of each one's replicas, as
 * Kafka's. The racks are those of `rackOf`; a broker that is unknown or has none counts for nothing.
 * ```
 * int8 magic, id as two int64, name, int32 partitions, { int32 partition, { int32 length, rack } … } …
 * ```
 * All little-endian; a string is its UTF-16 units, then how many as int32. A partition's racks are sorted, with repeats.
 */
export function hashTopic(
  topic: TopicImage,
  rackOf: (brokerId: number) => string | null | undefined,
): Int64 {
  const racks = topic.partitions.map(({ replicas }) => sortedRacks(replicas, rackOf))
  const out = new HashInput(
    racks.reduce(
      (size, ofPartition) =>
        ofPartition.reduce((sum, rack) => sum + 4 + stringSize(rack), size + 4),
      1 + 16 + stringSize(topic.name) + 4,
    ),
  )
  out.int8(MAGIC)
  const id = new DataView(uuidToBytes(topic.id).buffer)
  out.int64(id.getBigInt64(0))
  out.int64(id.getBigInt64(8))
  out.string(topic.name)
  out.int32(topic.partitions.length)
  for (const [partition, ofPartition] of racks.entries()) {
    out.int32(partition)
    for (const rack of ofPartition) {
      out.int32(rack.length)
      out.string(rack)
    }
  }
  return signed(xxh3(out.bytes))
}

/**
 * The hash that a group's epoch record holds, of the hashes of the topics it is subscribed to by name; 0 for none.
 * Topics that do not exist are to be left out.
 */
export function groupMetadataHash(topicHashes: ReadonlyMap<string, Int64>): Int64 {
  if (topicHashes.size === 0) return 0
  // By UTF-16 units, as Java sorts too.
  const names = [...topicHashes.keys()].sort()
  const out = new HashInput(names.length * 8)
  for (const name of names) out.int64(BigInt(topicHashes.get(name) ?? 0))
  return signed(xxh3(out.bytes))
}

function sortedRacks(
  replicas: readonly number[],
  rackOf: (brokerId: number) => string | null | undefined,
): string[] {
  return replicas
    .map(rackOf)
    .filter((rack) => typeof rack === 'string')
    .sort()
}

const stringSize = (text: string): number => text.length * 2 + 4

const signed = (hash: bigint): Int64 => canonicalInt64(BigInt.asIntN(64, hash))

/** Little-endian bytes of a size that is known before. */
class HashInput {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #position = 0

  constructor(size: number) {
    const buffer = new ArrayBuffer(size)
    this.bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  int8(value: number): void {
    this.#view.setInt8(this.#advance(1), value)
  }

  int32(value: number): void {
    this.#view.setInt32(this.#advance(4), value, true)
  }

  int64(value: bigint): void {
    this.#view.setBigInt64(this.#advance(8), value, true)
  }

  string(text: string): void {
    for (let at = 0; at < text.length; at++)
      this.#view.setUint16(this.#advance(2), text.charCodeAt(at), true)
    this.int32(text.length)
  }

  #advance(size: number): number {
    const at = this.#position
    this.#position += size
    return at
  }
}
