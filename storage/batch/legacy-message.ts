// Messages of Kafka's formats v0 and v1 (before 0.11). They are recognised, so that nobody takes them for damage.
//
// offset size field
//      0    8 offset
//      8    4 size          bytes after this field
//     12    4 crc           CRC-32 (IEEE) of everything behind it
//     16    1 magic         0 or 1

const POLYNOMIAL = 0xedb88320

/** Whether `bytes` are one intact message of format v0 or v1. The checksum decides: damaged v2 batches are none. */
export function isLegacyMessage(bytes: Uint8Array): boolean {
  const magic = bytes[16]
  if (magic !== 0 && magic !== 1) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return view.getUint32(12) === crc32(bytes, 16)
}

function crc32(bytes: Uint8Array, start: number): number {
  let crc = -1
  for (let at = start; at < bytes.length; at++) {
    crc ^= bytes[at] ?? 0
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  }
  return ~crc >>> 0
}
