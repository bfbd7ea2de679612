// CRC-32C: known values, and the native and the portable code against a bitwise model.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, portableCrc32c } from '#storage/bytes/crc32c.ts'

function model(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

// RFC 3720, B.4
test.each([
  { of: '123456789', bytes: Buffer.from('123456789'), crc: 0xe3069283 },
  { of: '32 zeros', bytes: new Uint8Array(32), crc: 0x8a9136aa },
  { of: '32 ones', bytes: new Uint8Array(32).fill(0xff), crc: 0x62a8ab43 },
  { of: '0 to 31', bytes: Uint8Array.from({ length: 32 }, (_, at) => at), crc: 0x46dd794e },
  { of: 'nothing', bytes: new Uint8Array(0), crc: 0 },
])('crc32c() of $of is $crc', ({ bytes, crc }) => {
  expect(crc32c(bytes)).toBe(crc)
  expect(portableCrc32c(bytes)).toBe(crc)
})

test('crc32c() agrees with a bitwise model on any range of any bytes, short and long', () => {
  const ranges = fc
    .uint8Array({ maxLength: 1500, size: 'max' })
    .chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat(bytes.length), fc.nat(bytes.length)))
  fc.assert(
    fc.property(ranges, ([bytes, one, other]) => {
      const [start, end] = [Math.min(one, other), Math.max(one, other)]
      const expected = model(bytes.subarray(start, end))
      expect(crc32c(bytes, start, end)).toBe(expected)
      expect(portableCrc32c(bytes, start, end)).toBe(expected)
    }),
  )
})

test('crc32c() continues a checksum, whichever code computed the first part', () => {
  const bytes = Uint8Array.from({ length: 3000 }, (_, at) => (at * 31) >> 3)
  for (const cut of [0, 1, 7, 8, 399, 400, 1500, 2650, 3000]) {
    expect(crc32c(bytes, cut, 3000, crc32c(bytes, 0, cut))).toBe(crc32c(bytes))
  }
})
