// Counters of requests.
import { expect, test } from 'vitest'
import { HttpCounters } from '../../../src/metrics/http-counters.ts'

test('HttpCounters counts by method and status', () => {
  const counters = new HttpCounters()
  counters.count('GET', 200)
  counters.count('GET', 200)
  counters.count('GET', 404)
  expect(counters.requests()).toEqual([
    { method: 'GET', status: 200, count: 2 },
    { method: 'GET', status: 404, count: 1 },
  ])
})

test('HttpCounters stays small whatever methods a client makes up', () => {
  const counters = new HttpCounters()
  for (let made = 0; made < 100; made++) counters.count(`METHOD-${made}`, 405)
  expect(counters.requests()).toEqual([{ method: 'OTHER', status: 405, count: 100 }])
})
