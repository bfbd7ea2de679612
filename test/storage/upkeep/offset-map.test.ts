// The offset map against a Map, and its bounds.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyHash } from '#storage/upkeep/key-hash.ts'
import { OffsetMap, SLOT_BYTES } from '#storage/upkeep/offset-map.ts'

const encoder = new TextEncoder()
const hash = () => new KeyHash(new Uint8Array(16))

const breathe = () => Promise.resolve()

/** Puts numbered keys until `count` is reached or the map is full; returns how many it holds. */
async function fill(map: OffsetMap, count: number): Promise<number> {
  for (let key = 0; key < count; key++) {
    if (map.isFull && !(await map.grow(breathe))) return key
    map.put(key, encoder.encode(`key ${key}`))
  }
  return count
}

test('OffsetMap.get() finds what a Map finds, however full it is', async () => {
  const put = fc.tuple(fc.nat(80), fc.oneof(fc.nat(1000), fc.nat(Number.MAX_SAFE_INTEGER - 1)))
  await fc.assert(
    fc.asyncProperty(fc.array(put, { maxLength: 200 }), fc.nat(120), async (puts, slots) => {
      const map = new OffsetMap(hash(), { maxBytes: slots * SLOT_BYTES, loadFactor: 0.9 })
      const model = new Map<number, number>()
      for (const [key, offset] of puts) {
        if (map.isFull && !(await map.grow(breathe))) break
        map.put(offset, encoder.encode(`key ${key}`))
        model.set(key, offset)
      }
      expect(map.size).toBe(model.size)
      for (let key = 0; key <= 80; key++) {
        expect(map.get(encoder.encode(`key ${key}`))).toBe(model.get(key) ?? -1)
      }
    }),
  )
})

test('OffsetMap.grow() keeps every key, takes turns, and ends at the limit', async () => {
  const map = new OffsetMap(hash(), { maxBytes: 1_000_000, loadFactor: 0.5 })
  expect(map.sizeInBytes).toBeLessThan(100_000)
  const count = await fill(map, 1_000_000)
  expect(map.sizeInBytes).toBeLessThanOrEqual(1_000_000)
  expect(count).toBeGreaterThan(20_000)
  for (let key = 0; key < count; key++) expect(map.get(encoder.encode(`key ${key}`))).toBe(key)
  let turns = 0
  const other = new OffsetMap(hash(), { maxBytes: 1_000_000, loadFactor: 0.5 })
  await fill(other, 10_000)
  await other.grow(() => Promise.resolve(void turns++))
  expect(turns).toBeGreaterThan(3)
})

test.each([
  { why: 'an absurd load factor', limits: { maxBytes: 240, loadFactor: 5 } },
  { why: 'no memory at all', limits: { maxBytes: 0, loadFactor: 0.9 } },
])('OffsetMap holds one key at least and ends its search with $why', async ({ limits }) => {
  const map = new OffsetMap(hash(), limits)
  expect(await fill(map, 100)).toBeGreaterThan(0)
  expect(map.get(encoder.encode('another'))).toBe(-1)
})
