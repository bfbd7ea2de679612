// Checksums of files that have none of their own.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesSum, parseSums, serializeSums, sumOf } from '#storage/state/sums.ts'

test('Sums tell a changed content from the same', () => {
  const sum = sumOf(Uint8Array.of(1, 2, 3))
  expect(matchesSum(Uint8Array.of(1, 2, 3), sum)).toBe(true)
  expect(matchesSum(Uint8Array.of(1, 2, 7), sum)).toBe(false)
  expect(matchesSum(Uint8Array.of(1, 2, 3, 0), sum)).toBe(false)
})

test('Sums read back what was written', () => {
  const name = fc.stringMatching(/^[\w.-]{1,30}$/)
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, fc.uint8Array()), { selector: ([key]) => key }),
      (files) => {
        const sums = new Map(files.map(([key, bytes]) => [key, sumOf(bytes)]))
        expect(parseSums(serializeSums(sums))).toEqual(sums)
      },
    ),
  )
})

test('Sums are plain text', () => {
  const text = new TextDecoder().decode(
    serializeSums(new Map([['a.timeindex', sumOf(new TextEncoder().encode('123456789'))]])),
  )
  expect(text).toMatch(/^millrace\.sums 0\n9 e3069283 a\.timeindex\nend [\da-f]{8}\n$/)
})

test('Sums that are damaged in any bit, or cut, count as missing', () => {
  const bytes = serializeSums(new Map([['a', sumOf(Uint8Array.of(1))]]))
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(parseSums(flipped), `bit ${bit}`).toBeUndefined()
  }
  for (let size = 0; size < bytes.length; size++)
    expect(parseSums(bytes.subarray(0, size))).toBeUndefined()
})
