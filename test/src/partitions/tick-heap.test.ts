// The heap of ticks against a sorted list.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TickHeap } from '#src/partitions/tick-heap.ts'

test('TickHeap has the least of what was added and not taken away', () => {
  const step = fc.option(fc.integer({ min: -50, max: 50 }), { nil: 'removeLeast' as const })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new TickHeap()
      const model: number[] = []
      for (const one of steps) {
        if (one === 'removeLeast') {
          heap.removeLeast()
          model.shift()
        } else {
          heap.add(one)
          model.push(one)
          model.sort((left, right) => left - right)
        }
        expect(heap.least).toBe(model[0])
      }
      heap.clear()
      expect(heap.least).toBeUndefined()
    }),
  )
})
