// The immutable map: agreement with a plain one, and sharing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PersistentMap } from '../../../src/metadata/persistent-map.ts'

const key = fc.oneof(fc.string({ maxLength: 3 }), fc.nat(2000).map(String))
const step = fc.record({ key, value: fc.option(fc.nat()) })

test('PersistentMap agrees with a Map, and no step changes an earlier one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const model = new Map<string, number>()
      let map = PersistentMap.empty<number>()
      const history: [PersistentMap<number>, Map<string, number>][] = []
      for (const { key, value } of steps) {
        if (value === null) model.delete(key)
        else model.set(key, value)
        map = value === null ? map.without(key) : map.with(key, value)
        if (history.length < 20) history.push([map, new Map(model)])
        expect(map.get(key)).toBe(model.get(key))
        expect(map.size).toBe(model.size)
      }
      history.push([map, model])
      for (const [then, expected] of history) expect(new Map(then)).toEqual(expected)
    }),
  )
})

test('PersistentMap keeps 10,000 entries apart and a change costs little', () => {
  let map = PersistentMap.empty<number>()
  for (let at = 0; at < 10_000; at++) map = map.with(`topic-${at}`, at)
  expect(map.size).toBe(10_000)
  expect([...map.values()].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 10_000 }, (_, i) => i),
  )
  // 20,000 changes of a map this size: copying it each time would take minutes.
  const start = performance.now()
  let changed = map
  for (let at = 0; at < 20_000; at++) changed = changed.with(`topic-${at % 10_000}`, -at)
  expect(performance.now() - start).toBeLessThan(5000)
  expect(map.get('topic-7')).toBe(7)
  expect(map.without('none')).toBe(map)
})
