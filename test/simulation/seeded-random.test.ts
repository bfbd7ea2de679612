// The simulation's source of chance: repeatable, and even.
import { expect, test } from 'vitest'
import { SeededRandom } from './seeded-random.ts'

test('SeededRandom draws the same for the same seed, and something else for the next', () => {
  const draw = (seed: number) => {
    const random = new SeededRandom(seed)
    return [random.float(), random.uint32(), random.below(10), ...random.bytes(8)]
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(draw(7)).not.toEqual(draw(7 + 2 ** 32))
})

test('SeededRandom.below() reaches every value about equally often', () => {
  const random = new SeededRandom(1)
  const counts = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 100_000; draw++) {
    const value = random.below(10)
    counts[value] = (counts[value] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

test('SeededRandom gives neighbouring seeds unrelated first draws', () => {
  const firsts = Array.from({ length: 2000 }, (_, seed) => new SeededRandom(seed).float())
  const low = firsts.filter((value) => value < 0.5).length
  expect(new Set(firsts).size).toBe(2000)
  expect(Math.abs(low - 1000)).toBeLessThan(150)
})
