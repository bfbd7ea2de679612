// SipHash-2-4-128 against what OpenSSL says of the same input.
import { expect, test } from 'vitest'
import { KeyHash } from '#storage/upkeep/key-hash.ts'

const SECRET = Uint8Array.from({ length: 16 }, (_, index) => index)

test.each([
  { length: 0, hex: 'a3817f04ba25a8e66df67214c7550293' },
  { length: 1, hex: 'da87c1d86b99af44347659119b22fc45' },
  { length: 7, hex: 'a1f1ebbed8dbc153c0b84aa61ff08239' },
  { length: 8, hex: '3b62a9ba6258f5610f83e264f31497b4' },
  { length: 9, hex: '264499060ad9baabc47f8b02bb6d71ed' },
  { length: 15, hex: '5493e99933b0a8117e08ec0f97cfc3d9' },
  { length: 16, hex: '6ee2a4ca67b054bbfd3315bf85230577' },
  { length: 63, hex: '5150d1772f50834a503e069a973fbd7c' },
  { length: 64, hex: '1eaf077dc0d4cd3f8cad4d383658a74b' },
  { length: 300, hex: 'ce005a406d14b36d5386b5f7a7e1b311' },
])('KeyHash.update() hashes the bytes 0 to $length as OpenSSL does', ({ length, hex }) => {
  const hash = new KeyHash(SECRET)
  // With other bytes around them.
  const bytesAround = Uint8Array.from({ length: length + 9 }, (_, index) => index - 4)
  hash.update(bytesAround, 4, 4 + length)
  const bytes = new Uint8Array(hash.words.buffer)
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  expect(text).toBe(hex)
})

test('KeyHash.update() depends on the secret', () => {
  const hash = new KeyHash(SECRET)
  const other = new KeyHash(SECRET.toReversed())
  hash.update(Uint8Array.of(1))
  other.update(Uint8Array.of(1))
  expect(Array.from(hash.words)).not.toEqual(Array.from(other.words))
})
