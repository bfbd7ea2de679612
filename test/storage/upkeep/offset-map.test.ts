// The offset map against a Map, and its bounds.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyHash } from '#storage/upkeep/key-hash.ts'
import { OffsetMap, SLOT_BYTES } from '#storage/upkeep/offset-map.ts'

const encoder = new TextEncoder()
const hash = () => new KeyHash(new Uint8Array(16))

test('OffsetMap.get() finds what a Map finds, however full it is', () => {
  const put = fc.tuple(fc.nat(80), fc.oneof(fc.nat(1000), fc.nat(Number.MAX_SAFE_INTEGER - 1)))
  fc.assert(
    fc.property(fc.array(put, { maxLength: 200 }), fc.nat(120), (puts, slots) => {
      const limits = { maxBytes: slots * SLOT_BYTES, loadFactor: 0.9, expectedKeys: 1000 }
      const map = new OffsetMap(hash(), limits)
      const model = new Map<number, number>()
      for (const [key, offset] of puts) {
        if (map.isFull) break
        map.put(encoder.encode(`key ${key}`), offset)
        model.set(key, offset)
      }
      expect(map.size).toBe(model.size)
      for (let key = 0; key <= 80; key++) {
        expect(map.get(encoder.encode(`key ${key}`))).toBe(model.get(key) ?? -1)
      }
    }),
  )
})

test.each([
  { why: 'as many bytes as it may', limits: { maxBytes: 2400, expectedKeys: 1e9 }, atMost: 2400 },
  { why: 'no more than the keys need', limits: { maxBytes: 1e9, expectedKeys: 10 }, atMost: 3000 },
])('OffsetMap takes $why', ({ limits, atMost }) => {
  const map = new OffsetMap(hash(), { ...limits, loadFactor: 0.9 })
  expect(map.sizeInBytes).toBeLessThanOrEqual(atMost)
  expect(map.sizeInBytes).toBeGreaterThan(atMost * 0.9)
})

test.each([
  { why: 'an absurd load factor', limits: { maxBytes: 240, loadFactor: 5, expectedKeys: 100 } },
  { why: 'no memory at all', limits: { maxBytes: 0, loadFactor: 0.9, expectedKeys: 100 } },
])('OffsetMap holds one key at least and ends its search with $why', ({ limits }) => {
  const map = new OffsetMap(hash(), limits)
  let keys = 0
  while (!map.isFull) map.put(encoder.encode(`key ${keys++}`), keys)
  expect(keys).toBeGreaterThan(0)
  expect(map.get(encoder.encode('another'))).toBe(-1)
})

test('OffsetMap holds as many keys as were expected', () => {
  fc.assert(
    fc.property(
      fc.nat(500),
      fc.double({ min: 0.1, max: 0.99, noNaN: true }),
      (keys, loadFactor) => {
        const map = new OffsetMap(hash(), { maxBytes: 1e9, loadFactor, expectedKeys: keys })
        for (let key = 0; key < keys; key++) {
          expect(map.isFull).toBe(false)
          map.put(encoder.encode(`key ${key}`), key)
        }
      },
    ),
  )
})
