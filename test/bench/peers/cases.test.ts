// The table of cases.
import { expect, test } from 'vitest'
import { acrossRuntimes } from '../../../bench/peers/across-runtimes.ts'
import { cases, chosenCases } from '../../../bench/peers/cases.ts'
import { inTurn } from '../../../bench/peers/runner.ts'

test('Cases have names of their own, and targets only of sides that they have', () => {
  const names = cases.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  const strange = cases.flatMap(({ name, sides, targets }) =>
    targets
      .flatMap(({ of, over }) => [of, over ?? of])
      .filter((who) => !sides.some((side) => side.name === who))
      .map((who) => `${name}: ${who}`),
  )
  expect(strange).toEqual([])
})

test('Cases that read have something to read', () => {
  const reading = cases.filter(({ load }) => /consume$/.test(load.tool))
  expect(reading.length).toBeGreaterThan(0)
  expect(reading.filter(({ old }) => old === undefined)).toEqual([])
})

test.each([
  // [sign, limit, metric, of, over]: what was promised, so that no case loosens it unnoticed.
  ['<=', 0.6, 'cpuPerMillion', 'java-100b'],
  ['<=', 0.6, 'cpuPerMillion', 'java-1k-large'],
  ['<=', 0.6, 'cpuPerMillion', 'java-defaults'],
  ['<=', 0.5, 'cpuPerMillion', 'raw-100b-16k'],
  ['>=', 1.5, 'recordsPerSecond', 'raw-100b-16k'],
  ['<=', 0.35, 'cpuPerMillion', 'raw-1000-partitions'],
  ['<=', 0.7, 'cpuPerMillion', 'consume-java'],
  ['<=', 0.7, 'cpuPerMillion', 'consume-kcat'],
  ['<=', 0.7, 'cpuPerMillion', 'fetch-64k'],
  ['<=', 1.1, 'cpuPerMillion', 'fetch-1m'],
  ['<=', 0.5, 'p99Us', 'latency-raw'],
  ['>=', 8, 'recordsPerSecond', 'durable-50'],
  ['>=', 1, 'recordsPerSecond', 'durable-50'],
  ['<=', 1.5, 'syncOverBare', 'latency-raw'],
  ['<=', 1 / 20, 'startMs', 'start'],
  ['<=', 1 / 6, 'idleRssMib', 'start'],
  ['<=', 1 / 4, 'anonMib', 'java-defaults'],
  ['<=', 0.5, 'idleCpuPercent', 'start'],
  ['<=', 20, 'stallP99Ms', 'catch-up'],
] as const)('The core holds to %s %d: %s of %s', (comparison, limit, metric, name) => {
  const targets = chosenCases('core', []).find((one) => one.name === name)?.targets
  expect(targets).toContainEqual(expect.objectContaining({ comparison, limit, metric }))
})

test('chosenCases() takes names before a set, in the table’s order, and refuses strange ones', () => {
  const names = chosenCases('core', ['latency-raw', 'start']).map(({ name }) => name)
  expect(names).toEqual(['start', 'latency-raw'])
  expect(() => chosenCases('core', ['start', 'finish'])).toThrow('No case finish')
  expect(() => chosenCases('most', [])).toThrow('There is no set most')
})

test('inTurn() lets each side begin in its round, and turns round after all have', () => {
  const turns = [0, 1, 2, 3, 4].map((round) => inTurn(['a', 'b', 'c'], round).join(''))
  expect(turns).toEqual(['abc', 'bca', 'cab', 'cba', 'acb'])
})

test('acrossRuntimes() leaves the cases alone on Bun, else compares each runtime with Bun', () => {
  expect(acrossRuntimes(cases, ['bun'])).toBe(cases)
  const [one] = acrossRuntimes(chosenCases('core', ['latency-raw']), ['bun', 'node'])
  expect(one?.sides.map(({ name, runtime }) => [name, runtime])).toEqual([
    ['bun', 'bun'],
    ['node', 'node'],
  ])
  expect(one?.targets).toEqual([
    { metric: 'p50Us', of: 'node', over: 'bun', comparison: '<=', limit: 2 },
  ])
})
