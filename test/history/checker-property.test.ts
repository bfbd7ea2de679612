// The checker finds nothing in histories of a world that keeps its promises, and everything that is tampered with in them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkHistory } from './checker.ts'
import { anomalyKinds } from './findings.ts'
import { Choices, madeUpHistory } from './made-up.ts'
import { tamperings } from './tampering.ts'

const numbers = fc.array(fc.nat(10_000), { minLength: 50, maxLength: 1000, size: 'max' })

test('checkHistory() finds nothing in histories of a world that keeps its promises', () => {
  fc.assert(
    fc.property(numbers, (choices) => {
      expect(checkHistory(madeUpHistory(choices)).anomalies).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('madeUpHistory() holds what there is to check', () => {
  const all = fc.sample(numbers, { numRuns: 100, seed: 1 }).map((choices) => {
    return checkHistory(madeUpHistory(choices)).seen
  })
  const sum = (key: keyof (typeof all)[number]) => all.reduce((total, seen) => total + seen[key], 0)
  expect(sum('acknowledged')).toBeGreaterThan(1000)
  expect(sum('redelivered')).toBeGreaterThan(1000)
  expect(sum('committed')).toBeGreaterThan(200)
  expect(sum('unknown')).toBeGreaterThan(100)
  expect(sum('positions')).toBeGreaterThan(500)
})

test.each(anomalyKinds)('checkHistory() finds a %s that was made by tampering', (kind) => {
  let count = 0
  fc.assert(
    fc.property(numbers, fc.array(fc.nat(10_000), { minLength: 5 }), (choices, more) => {
      const tampered = tamperings[kind](madeUpHistory(choices), new Choices(more))
      if (tampered === undefined) return
      count += 1
      const { kinds, anomalies } = checkHistory(tampered)
      expect(kinds, anomalies.join('\n')).toContain(kind)
    }),
    { numRuns: 100 },
  )
  expect(count).toBeGreaterThan(20)
})
