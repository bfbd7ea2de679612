// Record batches that no producer would write, with a CRC that is right: what lies behind the checksum has to hold them off.
import { buildBatch } from '#storage/batch/batch-builder.ts'
import { compress } from '#storage/batch/compression/compression.ts'
import { crc32c } from '#storage/bytes/crc32c.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'

const CRC_POSITION = 17
const COVERED_FROM = 21
const HEADER_BYTES = 61
/** What a bomb unpacks to, together: frames of zeros one behind the other, so that making one costs nothing. */
const FRAME_BYTES = 4 * 1024 * 1024
const FRAMES = 150

/** Position and size of every field of the header. */
const FIELDS = [
  { name: 'baseOffset', at: 0, size: 8 },
  { name: 'batchLength', at: 8, size: 4 },
  { name: 'partitionLeaderEpoch', at: 12, size: 4 },
  { name: 'magic', at: 16, size: 1 },
  { name: 'attributes', at: 21, size: 2 },
  { name: 'lastOffsetDelta', at: 23, size: 4 },
  { name: 'baseTimestamp', at: 27, size: 8 },
  { name: 'maxTimestamp', at: 35, size: 8 },
  { name: 'producerId', at: 43, size: 8 },
  { name: 'producerEpoch', at: 51, size: 2 },
  { name: 'baseSequence', at: 53, size: 4 },
  { name: 'recordCount', at: 57, size: 4 },
] as const

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const CODEC_NUMBERS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

/** A good batch of a few records, in any compression. */
export function goodBatch(random: SeededRandom): Uint8Array {
  const records = Array.from({ length: 1 + random.below(5) }, () => ({
    key: random.chance(0.3) ? null : random.bytes(random.below(20)),
    value: random.chance(0.1) ? null : random.bytes(random.below(200)),
    headers: random.chance(0.3) ? [{ key: 'h', value: random.bytes(3) }] : [],
    timestamp: 1_704_067_200_000 + random.below(1000),
  }))
  const compression = random.pick(['none', ...codecs] as const)
  return buildBatch(records, { leaderEpoch: -1, compression })
}

/** A batch that is wrong somewhere, and where. Its CRC is right more often than not. */
export function mutatedBatch(random: SeededRandom): { bytes: Uint8Array; about: string } {
  const bytes = goodBatch(random).slice()
  const mutated = random.pick([hostileField, brokenRecords, rawRecords, cutOrJoined])(random, bytes)
  if (random.chance(0.85)) fixCrc(mutated.bytes)
  return mutated
}

function hostileField(random: SeededRandom, bytes: Uint8Array) {
  const { name, at, size } = random.pick(FIELDS)
  const values = ['00', 'ff', '7f', '80', '01']
  const first = random.pick(values)
  const rest = random.pick(['00', 'ff'])
  const hex = first + rest.repeat(size - 1)
  bytes.set(Buffer.from(hex, 'hex'), at)
  return { bytes, about: `${name} ${hex}` }
}

function brokenRecords(random: SeededRandom, bytes: Uint8Array) {
  const changes = 1 + random.below(4)
  for (let count = 0; count < changes; count++) {
    const at = HEADER_BYTES + random.below(Math.max(1, bytes.length - HEADER_BYTES))
    bytes.set(
      [random.pick([0xff, 0x80, 0x7f, 0, random.below(256)])],
      Math.min(at, bytes.length - 1),
    )
  }
  return { bytes, about: `${changes} bytes of the records` }
}

/** The header says compressed, the bytes are noise. */
function rawRecords(random: SeededRandom, bytes: Uint8Array) {
  const noise = random.bytes(random.below(300))
  const joined = new Uint8Array([...bytes.subarray(0, HEADER_BYTES), ...noise])
  const view = new DataView(joined.buffer)
  const attributes = random.below(8)
  view.setInt32(8, joined.length - 12)
  view.setInt16(21, attributes)
  return { bytes: joined, about: `${noise.length} bytes of noise, attributes ${attributes}` }
}

function cutOrJoined(random: SeededRandom, bytes: Uint8Array) {
  if (random.chance(0.5)) {
    const size = random.below(bytes.length)
    return { bytes: bytes.slice(0, size), about: `cut at ${size} of ${bytes.length}` }
  }
  const second = random.chance(0.5) ? goodBatch(random) : random.bytes(random.below(100))
  return { bytes: new Uint8Array([...bytes, ...second]), about: `${second.length} bytes behind it` }
}

function fixCrc(bytes: Uint8Array): void {
  if (bytes.length < HEADER_BYTES) return
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const announced = 12 + view.getInt32(8)
  const end = announced > COVERED_FROM && announced <= bytes.length ? announced : bytes.length
  view.setUint32(CRC_POSITION, crc32c(bytes.subarray(COVERED_FROM, end)))
}

/** A small batch per codec whose records unpack to 600 MiB. */
export function bombs(): { bytes: Uint8Array; about: string }[] {
  const zeros = new Uint8Array(FRAME_BYTES)
  // Snappy packs no better than 20 to 1: its bomb would not fit a request.
  return (['gzip', 'lz4', 'zstd'] as const).map((codec) => {
    const frame = compress(codec, zeros)
    const packed = Buffer.concat(Array.from({ length: FRAMES }, () => frame))
    const template = buildBatch([{ value: new Uint8Array(1), timestamp: 1 }], { leaderEpoch: -1 })
    const bytes = new Uint8Array(HEADER_BYTES + packed.length)
    bytes.set(template.subarray(0, HEADER_BYTES))
    bytes.set(packed, HEADER_BYTES)
    const view = new DataView(bytes.buffer)
    view.setInt32(8, bytes.length - 12)
    view.setInt16(21, CODEC_NUMBERS[codec])
    fixCrc(bytes)
    return { bytes, about: `a ${codec} bomb of ${packed.length} bytes` }
  })
}
