// The checker finds every kind of anomaly in made-up bad histories, and nothing in their innocent twins.
import { expect, test } from 'vitest'
import { checkHistory } from './checker.ts'
import { anomalyKinds } from './findings.ts'
import { groupCases } from './group-cases.ts'
import { logCases } from './log-cases.ts'
import { at, commit, history, log, member, poll, send, written } from './steps.ts'

const cases = [...logCases, ...groupCases]

test.each(cases)('checkHistory() finds a $kind when $why', ({ kind, bad, also = [] }) => {
  const { kinds, anomalies } = checkHistory(history(bad))
  expect(kinds, anomalies.join('\n')).toContain(kind)
  expect(kinds.filter((other) => other !== kind && !also.includes(other))).toEqual([])
})

test.each(cases)('checkHistory() finds no $kind when $innocent', ({ good }) => {
  expect(checkHistory(history(good)).anomalies).toEqual([])
})

test('checkHistory() is tested on every kind of anomaly', () => {
  const tested = new Set(cases.map(({ kind }) => kind))
  expect(anomalyKinds.filter((kind) => !tested.has(kind))).toEqual([])
})

test('checkHistory() says how much there was to check', () => {
  const steps = [
    ...written('abc'),
    send('d'),
    ...member('c'),
    poll('c', 0, 'ab'),
    ...commit('c', 1),
    ...member('d'),
    at('d', 1),
    poll('d', 1, 'bc'),
    log('abc'),
  ]
  expect(checkHistory(history(steps)).seen).toEqual({
    events: steps.length,
    acknowledged: 3,
    unknown: 1,
    delivered: 4,
    redelivered: 1,
    committed: 1,
    assigned: 2,
    positions: 2,
  })
})

test('checkHistory() counts all anomalies of a kind and tells ten', () => {
  const { anomalies, counts } = checkHistory(history([log('abcdefghijklmno')]))
  expect(counts.get('invented-value')).toBe(15)
  expect(anomalies).toHaveLength(10)
  expect(anomalies[0]).toBe('invented-value: 0@0 holds a, which nobody sent there')
})
